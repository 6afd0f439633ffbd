"""A search walks indexes in each of its parts, whatever it understands: none reads all assets."""

from datetime import date

from common.db import Connection, Pool
from gateway import meaning, ranking
from gateway.filter_schemas import AssetFilter
from gateway.ranking import Sought
from gateway.vocabulary import Vocabularies
from tests.support.million import seed

LARGE = {"assets", "asset_texts", "asset_tags", "labels"}
QUERIES = (
    *("summer 2015", "in may", "christmas", "City 7", "Country 5", "City 7 in Country 5 in summer 2015"),
    *("zeppelin", "img", "grandma cake", "Expo", "canon", "iphone 7 zeppelin City 7 since 2015", "nothing like that"),
)
FILTERS = (AssetFilter(), AssetFilter(type="VIDEO", liked=True))


async def read_whole(conn: Connection) -> set[str]:
    """Which of the large tables this transaction has read from end to end."""
    rows = await (await conn.execute("select relname from pg_stat_xact_user_tables where seq_scan > 0")).fetchall()
    return LARGE & {row[0] for row in rows}


async def test_every_part_of_a_search_walks_an_index(pool: Pool, database_url: str) -> None:
    """Times that come back every year, places, names and words, for somebody who owns nearly all there is."""
    library = await seed(database_url, assets=10_000)
    owner = library.owners["million"]

    async with pool.connection() as conn:
        known = await Vocabularies().find(conn, owner=owner)
        assert await read_whole(conn) == set()
        for query in QUERIES:
            told = meaning.read(query, date(2026, 6, 15), known)
            for wanted in FILTERS:
                async with conn.transaction(force_rollback=True):
                    narrow = Sought(told.words, told, meaning.narrowed(wanted, told), None)
                    await ranking.rank(conn, narrow, owner=owner)
                    await ranking.rank(conn, Sought(query, told, wanted, None), owner=owner)
                assert await read_whole(conn) == set(), (query, wanted)
