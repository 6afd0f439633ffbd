"""What lists choose by follows from what is known of an asset, whoever writes that."""

from uuid import UUID

from common import count_queries
from common.db import Pool
from tests.support import placing
from tests.support.given import Repository, User
from tests.support.rows import ask, do

FACTS = """
    {"camera_make": "Canon", "camera_model": "EOS 5D", "lens_model": "EF 50mm", "iso_speed": 400, "rating": 3,
     "gps_latitude": 48.9, "gps_longitude": 2.3, "city": "Paris", "country": "France",
     "keywords": ["Places/Paris", "Cats"]}
"""
COUNTED = """
    select array_agg((day, shown, files, bytes)::text order by day)
    from (
        select day, sum(shown) as shown, sum(files) as files, sum(bytes) as bytes
        from (
            select day, shown, files, bytes from day_counts
            union all
            select day, shown, files, bytes from day_count_changes
        ) both_tables
        group by day
        having sum(files) > 0
    ) counted
"""
TRUTH = """
    select array_agg((day, shown, files, bytes)::text order by day)
    from (
        select sort_at::date as day, sum(is_shown::int) as shown, count(*) as files, sum(size) as bytes
        from assets
        group by 1
    ) truth
"""


async def read(pool: Pool, asset: UUID, facts: str = FACTS) -> None:
    await do(
        pool,
        f"""
        insert into asset_metadata (asset_id, facts) values ('{asset}', '{facts}')
        on conflict (asset_id) do update set facts = excluded.facts
        """,
    )


async def edit(pool: Pool, edits: str) -> None:
    await do(pool, f"update asset_metadata set edits = '{edits}'")


async def test_what_the_file_says_is_chosen_by(pool: Pool, asset: UUID) -> None:
    """Its camera, its place, its stars; no stars are null."""
    await read(pool, asset)

    assert await ask(pool, "select (camera_make, camera, lens, iso, rating, city, latitude)::text from assets") == [
        '(Canon,"EOS 5D","EF 50mm",400,3,Paris,48.9)'
    ]

    await read(pool, asset, '{"rating": 0}')

    assert await ask(pool, "select rating is null and camera is null and latitude is null from assets") == [True]


async def test_a_persons_word_goes_before_the_files(pool: Pool, asset: UUID) -> None:
    """A position that a person gave takes the file's place away; null wants nothing."""
    await read(pool, asset)
    await edit(pool, '{"rating": 5, "gps_latitude": -33.9, "gps_longitude": 151.2, "tags": []}')

    assert await ask(pool, "select (rating, latitude, city, country)::text from assets") == ["(5,-33.9,,)"]
    assert await ask(pool, "select count(*) from asset_tags") == [0]

    await edit(pool, '{"rating": null, "gps_latitude": null, "gps_longitude": null}')

    assert await ask(pool, "select (rating, latitude, camera)::text from assets") == ['(,,"EOS 5D")']


async def test_what_is_longer_than_an_index_takes_is_cut(pool: Pool, asset: UUID) -> None:
    """Words of strangers fail no reading."""
    await read(pool, asset, f'{{"camera_model": "{"é" * 3000}", "iso_speed": 99999999999}}')

    assert await ask(pool, "select length(camera) || ' ' || iso from assets") == ["200 2147483647"]


async def test_a_keyword_is_a_tag_with_all_that_it_lies_below(pool: Pool, asset: UUID) -> None:
    """And is none any more when it is not said any more."""
    above = "case when is_own then '' else ' above' end"
    tagged = f"select path || {above} from asset_tags join tags using (tag_id) order by 1"
    await read(pool, asset)

    assert await ask(pool, tagged) == ["Cats", "Places above", "Places/Paris"]

    await edit(pool, '{"tags": ["Places", "Dogs//Rex"]}')

    assert await ask(pool, tagged) == ["Dogs above", "Dogs/Rex", "Places"]


async def test_counts_are_true_whatever_happens(pool: Pool, repository: Repository, user: User) -> None:
    """Assets come, move in time, are hidden and go; before and after what changed was added up."""
    assets = [await placing.new_asset(pool, repository, user, number) for number in range(6)]
    steps = [
        f"update assets set taken_at = '2019-05-01 12:00' where asset_id in ('{assets[0]}', '{assets[1]}')",
        f"update assets set trashed_at = now() where asset_id = '{assets[0]}'",
        f"update assets set archived_at = now(), size = size + 7 where asset_id = '{assets[2]}'",
        f"delete from assets where asset_id = '{assets[3]}'",
        f"update assets set edited_taken_at = '2001-01-01' where asset_id = '{assets[1]}'",
        f"update assets set trashed_at = null where asset_id = '{assets[0]}'",
    ]

    for step in steps:
        await do(pool, step)
        assert await ask(pool, COUNTED) == await ask(pool, TRUTH)
        async with pool.connection() as conn:
            await count_queries.add_up(conn, limit=100)
        assert await ask(pool, COUNTED) == await ask(pool, TRUTH)

    assert await ask(pool, "select count(*) from day_count_changes") == [0]


async def test_tags_stay_in_the_order_of_the_timeline(pool: Pool, asset: UUID) -> None:
    """Whoever corrects a time moves the asset under its tags, too."""
    await read(pool, asset)
    await do(pool, "update assets set edited_taken_at = '1999-12-31'")

    assert await ask(pool, "select distinct sort_at::text from asset_tags") == ["1999-12-31 00:00:00"]
