"""Counts by day and month are added up soon, and put right when something changed behind their back."""

import asyncio

import pytest
import structlog

from common import count_queries
from common.db import Pool
from ingest import counting
from lumilio import verify as oracle
from lumilio.verify import verify
from tests.support import placing
from tests.support.given import Repository, User
from tests.support.rows import ask, do
from tests.support.waiting import until

DRIFTS = [
    "delete from day_counts",
    "delete from month_counts",
    "update day_counts set shown = shown + 1",
    "update month_counts set bytes = bytes - 1",
    "insert into month_counts select owner_id, '1999-01-01', kind, 1, 1, 1 from month_counts limit 1",
    "insert into day_counts select owner_id, '1999-01-01', kind, 1, 1, 1 from day_counts limit 1",
    "update day_counts set day = day - 40",
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moves in these tests, so the second look need not wait."""
    monkeypatch.setattr(oracle, "SECOND_LOOK_SECONDS", 0)


@pytest.mark.parametrize("drift", DRIFTS)
async def test_a_drift_is_seen_and_put_right(
    pool: Pool, database_url: str, repository: Repository, user: User, drift: str
) -> None:
    """The oracle names it, and the daily clean-up leaves every day and month as the assets say."""
    for number in range(3):
        await placing.new_asset(pool, repository, user, number)
    await counting.add_up(pool)
    truth = await ask(pool, "select (owner_id, day, kind, shown, files, bytes)::text from day_counts")
    await do(pool, drift)

    said: list[str] = []
    await verify(database_url, say=said.append)
    await counting.correct(pool)

    assert [line for line in said if line.startswith("WRONG I16")]
    async with pool.connection() as conn:
        assert await count_queries.list_miscounts(conn) == []
    assert await ask(pool, "select (owner_id, day, kind, shown, files, bytes)::text from day_counts") == truth
    assert await ask(pool, "select shown from month_counts") == [3]


async def test_a_month_that_is_empty_is_no_drift(pool: Pool, repository: Repository, user: User) -> None:
    """Photos move to the month in which they were taken; what they leave behind is removed, and nobody warned of it."""
    await placing.new_asset(pool, repository, user, 1)
    await counting.add_up(pool)
    await do(pool, "insert into month_counts select owner_id, '1999-01-01', kind, 0, 0, 0 from month_counts")

    with structlog.testing.capture_logs() as lines:
        await counting.correct(pool)

    assert lines == []
    assert await ask(pool, "select shown from month_counts") == [1]


async def test_a_correction_amid_changes_adds_none(pool: Pool, repository: Repository, user: User) -> None:
    """Who counts anew while assets come, go and are added up finds nothing wrong, and breaks nothing."""
    stop = asyncio.Event()
    adding = asyncio.create_task(counting.run(pool, stop, idle_seconds=0.01))
    for number in range(30):
        correcting = asyncio.create_task(counting.correct(pool))
        await placing.new_asset(pool, repository, user, number)
        await do(pool, "update assets set trashed_at = now() where size % 2 = 0")
        await correcting
    stop.set()
    await adding

    async with pool.connection() as conn:
        assert await count_queries.list_miscounts(conn) == []


async def test_changes_are_added_up_by_themselves(pool: Pool, repository: Repository, user: User) -> None:
    """A reader has little left to add, soon after whatever happened."""
    await placing.new_asset(pool, repository, user, 1)
    stop = asyncio.Event()

    adding = asyncio.create_task(counting.run(pool, stop, idle_seconds=0.01))

    async def is_added() -> bool:
        return await ask(pool, "select count(*)::int from day_count_changes") == [0]

    await until(is_added)
    stop.set()
    await adding
    assert await ask(pool, "select shown from month_counts") == [1]
