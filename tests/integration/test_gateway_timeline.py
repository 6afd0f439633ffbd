"""The timeline counts what lists show, and its pages miss and repeat nothing."""

import asyncio
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest

from common import count_queries
from common.db import Pool
from gateway.filter_schemas import AssetFilter
from gateway.queries import timeline as queries
from gateway.queries.timeline import MONTH, Cursor, Span
from ingest import counting
from tests.support.costs import counted
from tests.support.gateway import Api
from tests.support.given import User
from tests.support.rows import ask, do

MANY = """
    insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at, liked, camera)
    select {owner}, sha256(('{seed}' || n)::bytea), n, case n % 3 when 0 then 'video' else 'photo' end, 'image/jpeg',
           n || '.jpg', timestamp '2026-01-31 20:00' + (n / 4) * interval '1 hour', n % 2 = 0, 'X100'
    from generate_series(1, {count}) n
"""
COLUMNS = {
    *("asset_ids", "types", "ratios", "thumbhashes", "local_times", "offset_minutes", "durations", "ratings", "liked"),
    *("has_motion", "stacks"),
}


async def make(pool: Pool, user: User, count: int = 40, seed: str = "") -> None:
    await do(pool, MANY.format(owner=user.user_id, count=count, seed=seed))


async def get(api: Api, what: str, **params: Any) -> dict[str, Any]:
    answer = await api.client.get(f"/api/v1/timeline/{what}", params=params)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def post(api: Api, what: str, **body: Any) -> dict[str, Any]:
    answer = await api.client.post(f"/api/v1/timeline/{what}", json=body)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def walked(api: Api, *, limit: int, **params: Any) -> list[str]:
    """The ids of all pages of a bucket."""
    ids: list[str] = []
    page = await get(api, "bucket", limit=limit, **params)
    while True:
        assert len(page["asset_ids"]) <= limit
        ids += page["asset_ids"]
        if "next" not in page:
            return ids
        page = await get(api, "bucket", limit=limit, after=page["next"], **params)


async def test_months_and_days_count_what_is_shown(api: Api, pool: Pool, user: User) -> None:
    """By the clock where it was taken, newest first; what is in the trash or archived does not count."""
    await make(pool, user)
    await do(pool, "update assets set trashed_at = now() where original_filename = '1.jpg'")
    await do(pool, "update assets set archived_at = now() where original_filename = '40.jpg'")

    assert await get(api, "months") == {
        "months": [{"month": "2026-02", "count": 24}, {"month": "2026-01", "count": 14}],
        "total": 38,
    }
    assert await get(api, "days", month="2026-02") == {
        "month": "2026-02",
        "days": [{"day": "2026-02-01", "count": 24}],
        "total": 24,
    }


async def test_counts_are_what_lists_show_while_changes_are_added_up(api: Api, pool: Pool, user: User) -> None:
    """A reader sees a change once, before and after and while it is added up."""
    await make(pool, user)
    stop = asyncio.Event()

    async def fold() -> None:
        while not stop.is_set():
            async with pool.connection() as conn:
                await count_queries.add_up(conn, limit=3)

    folding = asyncio.create_task(fold())
    for number in range(1, 30):
        await do(pool, f"update assets set trashed_at = now() where original_filename = '{number}.jpg'")
        assert (await get(api, "months"))["total"] == 40 - number
    stop.set()
    await folding

    shown = await ask(pool, "select count(*)::int from assets where is_shown")
    assert [(await get(api, "days", month="2026-02"))["total"] + 0] == shown
    async with pool.connection() as conn:
        await count_queries.add_up(conn, limit=1000)
    assert await ask(pool, "select sum(shown)::int from month_counts") == shown


async def test_a_bucket_has_columns_of_one_length(api: Api, pool: Pool, user: User) -> None:
    """What a grid needs to draw itself, in lists that belong together."""
    await make(pool, user, 5)
    await do(
        pool,
        """
        update assets
        set width = 400, height = 300, thumbhash = 'ab', taken_offset_minutes = 120, rating = 4, duration = 2.5
        where original_filename = '5.jpg'
        """,
    )

    page = await get(api, "bucket", month="2026-01")

    assert page.keys() == COLUMNS
    assert {len(column) for column in page.values()} == {5}
    assert {name: column[0] for name, column in page.items() if name != "asset_ids"} == {
        "types": "PHOTO",
        "ratios": 1.3333,
        "thumbhashes": "YWI=",
        "local_times": "2026-01-31T21:00:00",
        "offset_minutes": 120,
        "durations": 2.5,
        "ratings": 4,
        "liked": False,
        "has_motion": False,
        "stacks": None,
    }


@pytest.mark.parametrize("limit", [1, 7, 5000])
async def test_pages_of_a_bucket_have_everything_once(api: Api, pool: Pool, user: User, limit: int) -> None:
    """In the order of the list, also where many have the same time; a day is a bucket, too."""
    await make(pool, user)
    wanted = await ask(
        pool,
        "select asset_id::text from assets where sort_at >= '2026-02-01' order by sort_at desc, assets.asset_id desc",
    )

    assert await walked(api, month="2026-02", limit=limit) == wanted
    assert await walked(api, day="2026-02-01", limit=limit) == wanted


async def test_pages_are_stable_while_others_write(api: Api, pool: Pool, user: User) -> None:
    """Whatever was there all along is on exactly one page, though assets come and go at every place of the bucket."""
    await make(pool, user)
    there = set(await ask(pool, "select asset_id::text from assets where sort_at >= '2026-02-01'"))
    stop = asyncio.Event()

    async def write() -> None:
        number = 0
        while not stop.is_set():
            await make(pool, user, 40, seed=f"round {number} ")
            await do(pool, "delete from assets where asset_id in (select asset_id from assets where size = 7 limit 1)")
            number += 1

    lasting = there - set(await ask(pool, "select asset_id::text from assets where size = 7"))
    writing = asyncio.create_task(write())
    ids = [one for _ in range(3) for one in await walked(api, month="2026-02", limit=5)]
    stop.set()
    await writing

    assert {ids.count(one) for one in lasting} == {3}


async def test_a_filter_counts_and_lists_the_same(api: Api, pool: Pool, user: User) -> None:
    """A month of it has as many assets as it is said to have."""
    await make(pool, user)
    wanted = {"liked": True, "types": ["PHOTO"]}

    months = await post(api, "months", filter=wanted)
    days = await post(api, "days", filter=wanted, month="2026-02")
    page = await post(api, "bucket", filter=wanted, month="2026-02")

    assert months["months"] == [{"month": "2026-02", "count": 9}, {"month": "2026-01", "count": 5}]
    assert days["days"] == [{"day": "2026-02-01", "count": 9}]
    assert (len(page["asset_ids"]), set(page["types"]), set(page["liked"])) == (9, {"PHOTO"}, {True})


async def test_a_bucket_is_sent_once(api: Api, pool: Pool, user: User) -> None:
    """Who has it is told so, until something of it changes."""
    await make(pool, user, 3)
    first = await api.client.get("/api/v1/timeline/bucket?month=2026-01")
    known = {"If-None-Match": first.headers["etag"]}

    again = await api.client.get("/api/v1/timeline/bucket?month=2026-01", headers=known)
    await do(pool, "update assets set liked = true")
    changed = await api.client.get("/api/v1/timeline/bucket?month=2026-01", headers=known)

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert (changed.status_code, changed.json()["data"]["liked"]) == (200, [True, True, True])


async def test_others_see_nothing_of_it(api: Api, pool: Pool, user: User) -> None:
    """Neither counts nor pictures."""
    await do(pool, "insert into users (username, email, password_hash) values ('bert', 'bert@localhost', 'x')")
    (bert,) = await ask(pool, "select user_id from users where username = 'bert'")
    await make(pool, User(bert, "bert", ""))

    assert await get(api, "months") == {"months": [], "total": 0}
    assert (await get(api, "bucket", month="2026-02"))["asset_ids"] == []
    assert (await post(api, "months", filter={"owner_id": bert}))["months"] == []


@pytest.mark.parametrize(
    "query",
    [
        "bucket",
        "bucket?month=2026-02&day=2026-02-01",
        "bucket?month=2026-13",
        "bucket?month=0000-01",
        "bucket?day=2026-02-30",
        "bucket?month=2026-02&limit=5001",
        "bucket?month=2026-02&after=x",
        "days",
        "days?month=2026-2",
    ],
)
async def test_nonsense_is_refused(api: Api, query: str) -> None:
    """In words, and with no guess at what was meant."""
    answer = await api.client.get(f"/api/v1/timeline/{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, 400), query


async def test_the_last_month_of_the_calendar_is_a_bucket(api: Api) -> None:
    """No end of it is a day that Python does not know."""
    assert (await get(api, "bucket", month="9999-12"))["asset_ids"] == []


async def test_what_takes_too_long_to_count_is_refused(
    api: Api, pool: Pool, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter that the database cannot serve in time holds up nobody, and whoever asked hears what to do."""
    await make(pool, user)

    async def hurry(conn: Any) -> None:
        await conn.execute("select set_config('statement_timeout', '1ms', true)")

    monkeypatch.setattr(queries, "hurry", hurry)
    await do(pool, MANY.format(owner=user.user_id, count=15_000, seed="more"))

    answer = await api.client.post("/api/v1/timeline/months", json={"filter": {"liked": True}})

    assert answer.status_code == 422
    assert "narrow the filter" in answer.json()["error"]


async def test_a_question_reads_no_more_than_it_answers(pool: Pool, user: User) -> None:
    """However large the library is: months come from months, a page from its place in an index."""
    await do(pool, MANY.format(owner=user.user_id, count=20_000, seed=""))
    await counting.add_up(pool)
    await do(pool, "analyze")
    month = Span(start=date(2026, 3, 1), length=MONTH)
    after = Cursor(sort_at=datetime.fromisoformat("2026-03-02"), asset_id=UUID(int=0))

    async with counted(pool) as (conn, months):
        assert len(await queries.list_months(conn, owner=user.user_id)) == 8
    async with counted(pool) as (conn, days):
        assert len(await queries.list_days(conn, month, owner=user.user_id)) == 31
    async with counted(pool) as (conn, page):
        found = await queries.find_columns(conn, AssetFilter(), month, owner=user.user_id, after=after, limit=50)

    assert found.count == 50
    assert (months.rows, days.rows, page.rows) == (16, 62, 50)
