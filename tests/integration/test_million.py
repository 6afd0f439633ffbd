"""The library that figures are taken on is one that the product could have made."""

from common.db import Pool
from tests.support.million import seed
from tests.support.rows import ask, do

FOLLOWED = """
    select (count(*), sum(hashtextextended(
               (a.asset_id, rating, camera_make, camera, lens, iso, duration, latitude, country, city)::text, 0
           )), (select sum(hashtextextended((path, asset_id, sort_at, is_own)::text, 0))
                from asset_tags join tags using (tag_id)),
           (select sum(hashtextextended((asset_id, owner_id, sort_at, words)::text, 0)) from asset_texts))::text
    from assets a
"""


async def test_the_columns_are_what_triggers_would_make_them(pool: Pool, database_url: str) -> None:
    """Reading every file again changes nothing that lists choose by."""
    library = await seed(database_url, assets=3000)
    made = await ask(pool, FOLLOWED)

    await do(pool, "update asset_metadata set facts = facts")

    assert await ask(pool, FOLLOWED) == made
    assert await ask(pool, f"select count(*) from assets where owner_id = {library.owners['million']}") == [2400]
    assert (await ask(pool, "select count(*) from asset_tags"))[0] > 1000
