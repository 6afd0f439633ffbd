"""What was taken on this day in other years is found, the best of it first."""

from datetime import date
from typing import Any

import pytest

from common.db import Pool
from gateway.queries import on_this_day as queries
from ingest import counting
from tests.support.costs import counted
from tests.support.gateway import Api
from tests.support.given import User
from tests.support.rows import ask, do


async def take(pool: Pool, owner: int, at: str, *, liked: bool = False, rating: int | None = None) -> None:
    await do(
        pool,
        f"""
        insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at, liked, rating)
        values ({owner}, sha256('{owner} {at} {liked} {rating}'), 1, 'photo', 'image/jpeg', '{at}', '{at}', {liked},
                {rating or "null"})
        """,
    )


async def get(api: Api, **params: Any) -> dict[str, list[str]]:
    """The names of what is told, by its day."""
    answer = await api.client.get("/api/v1/on-this-day", params=params)
    assert answer.status_code == 200, answer.text
    return {
        day["date"]: [asset["original_filename"] for asset in day["assets"]] for day in answer.json()["data"]["days"]
    }


async def test_years_come_newest_first_and_in_each_the_best(api: Api, pool: Pool, user: User) -> None:
    """What is liked goes before stars, these before time; the evening of the day is of it, the next midnight is not."""
    await take(pool, user.user_id, "2019-07-04 23:59:59")
    await take(pool, user.user_id, "2019-07-04 00:00", rating=5)
    await take(pool, user.user_id, "2019-07-04 12:00", liked=True)
    await take(pool, user.user_id, "2019-07-05 00:00")
    await take(pool, user.user_id, "2012-07-04 10:00")

    assert await get(api, date="07-04") == {
        "2019-07-04": ["2019-07-04 12:00", "2019-07-04 00:00", "2019-07-04 23:59:59"],
        "2012-07-04": ["2012-07-04 10:00"],
    }
    assert (await get(api, date="07-04", limit=1))["2019-07-04"] == ["2019-07-04 12:00"]
    await counting.add_up(pool)
    assert list(await get(api, date="07-05")) == ["2019-07-05"]


async def test_a_leap_day_is_remembered(api: Api, pool: Pool, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own name in any year, and on the last day of February of a year that has no other."""
    await take(pool, user.user_id, "2020-02-29 12:00")
    await take(pool, user.user_id, "2019-02-28 12:00")
    await take(pool, user.user_id, "2019-03-01 12:00")

    async def today(_: Any) -> date:
        return date(2023, 2, 28)

    monkeypatch.setattr(queries, "find_today", today)

    assert list(await get(api, date="02-29")) == ["2020-02-29"]
    assert list(await get(api, date="02-28")) == ["2019-02-28"]
    assert list(await get(api)) == ["2020-02-29", "2019-02-28"]


async def test_today_is_no_memory(api: Api, pool: Pool, user: User) -> None:
    """What was just taken is left out, what is a year old is not; hidden and foreign pictures never show."""
    await do(pool, "insert into users (username, email, password_hash) values ('bert', 'bert@localhost', 'x')")
    (bert,) = await ask(pool, "select user_id from users where username = 'bert'")
    (now, then) = (await ask(pool, "select now()::timestamp::text, (now() - interval '4 years')::timestamp::text"))[0]
    await take(pool, user.user_id, now)
    await take(pool, user.user_id, then)
    await take(pool, bert, then)

    assert list((await get(api)).values()) == [[then]]

    await do(pool, "update assets set archived_at = now()")
    assert await get(api) == {}


@pytest.mark.parametrize("params", [{"date": "2-29"}, {"date": "02-30"}, {"date": "tomorrow"}, {"limit": 11}])
async def test_nonsense_is_refused(api: Api, params: dict[str, Any]) -> None:
    """In words."""
    assert (await api.client.get("/api/v1/on-this-day", params=params)).status_code == 400


async def test_other_days_are_not_read(pool: Pool, user: User) -> None:
    """Each year is a short walk along the timeline."""
    await do(
        pool,
        f"""
        insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at)
        select {user.user_id}, sha256(n::text::bytea), 1, 'photo', 'image/jpeg', 'x',
               timestamp '2000-01-01' + n * interval '12 hours'
        from generate_series(1, 15000) n
        """,
    )
    await counting.add_up(pool)
    await do(pool, "analyze assets, month_counts")

    async with counted(pool) as (conn, cost):
        found = await queries.list_days(conn, owner=user.user_id, month=7, days=[4], limit=5)

    assert [len(day.asset_ids) for day in found] == [2] * 21
    assert cost.rows < 500
