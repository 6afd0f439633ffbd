"""Lists that may lag are read from a replica, which is a real one here."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from common import db
from common.db import Pool
from gateway.reading import WROTE, Replica
from lumilio.postgres import Postgres
from tests.support import containers, memory, policies
from tests.support.gateway import Api, serving
from tests.support.given import Repository, User
from tests.support.servers import running_replica
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(containers.wanted(), reason="a replica is made of the embedded server")
MANUAL = Path(__file__).parents[2] / "docs" / "operators.md"
MONTHS = "/api/v1/timeline/months"
ASKED: dict[str, dict[str, Any] | None] = {
    f"GET {MONTHS}": None,
    f"POST {MONTHS}": {"filter": {}},
    "GET /api/v1/timeline/days?month=2024-05": None,
    "POST /api/v1/timeline/days": {"month": "2024-05", "filter": {}},
    "GET /api/v1/timeline/bucket?month=2024-05": None,
    "POST /api/v1/timeline/bucket": {"month": "2024-05", "filter": {}},
    "GET /api/v1/map/clusters?zoom=3": None,
    "POST /api/v1/map/clusters": {"zoom": 3, "filter": {}},
    "GET /api/v1/map/points": None,
    "GET /api/v1/on-this-day": None,
    "GET /api/v1/statistics": None,
    "GET /api/v1/statistics/server": None,
    "GET /api/v1/assets/filter-options": None,
    "POST /api/v1/assets/search": {"query": "a summer in Rome"},
}


@pytest.fixture(scope="module")
def followed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A replica of the server of the tests."""
    with memory.folder(tmp_path_factory.mktemp("replica")) as folder, running_replica(postgres, folder) as server:
        yield server


@pytest.fixture
async def replica(followed: Postgres, database_url: str) -> AsyncIterator[Replica]:
    """The test's database on the replica, as a gateway knows it that lets a minute pass."""
    async with db.open_pool(followed.url(urlsplit(database_url).path[1:])) as pool:
        yield Replica(pool, lag_seconds=60)
        async with pool.connection() as conn:
            await conn.execute("select pg_wal_replay_resume()")


@pytest.fixture
async def reader(pool: Pool, replica: Replica, repository: Repository, user: User) -> AsyncIterator[Api]:
    """Anna, at a gateway with a replica that has all that was written so far."""
    async with pool.connection() as conn:
        await conn.execute("update users set is_admin = true")
    await until(lambda: replica.look(pool))
    async with serving(pool, replica=replica) as served:
        await served.enter(user.username)
        served.client.cookies.clear()
        yield served


async def pause(replica: Replica) -> None:
    """Let the replica stand still where it is."""
    async with replica.pool.connection() as conn:
        await conn.execute("select pg_wal_replay_pause()")
    await until(lambda: _is_paused(replica))


async def _is_paused(replica: Replica) -> bool:
    async with replica.pool.connection() as conn:
        state = await (await conn.execute("select pg_get_wal_replay_pause_state()")).fetchone()
    return state == ("paused",)


async def add_a_month(pool: Pool, user: User) -> None:
    """Write what the timeline shows."""
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into month_counts (owner_id, month, kind, shown, files, bytes)
            values (%s, '2024-05-01', 'photo', 7, 7, 7)
            """,
            (user.user_id,),
        )


async def months(reader: Api) -> int:
    """How many pictures the timeline counts."""
    answer = await reader.client.get(MONTHS)
    assert answer.status_code == 200, answer.text
    total: int = answer.json()["data"]["total"]
    return total


async def test_every_route_that_may_lag_reads_from_the_replica(reader: Api, replica: Replica) -> None:
    """Each that is declared so answers from there, where nothing can be written, and no other does."""
    assert {asked.partition("?")[0] for asked in ASKED} == policies.lagging()

    for asked, body in ASKED.items():
        method, path = asked.split()
        before = replica.pool.get_stats().get("requests_num", 0)
        answer = await reader.client.request(method, path, json=body)
        assert answer.status_code == 200, (asked, answer.text)
        assert replica.pool.get_stats()["requests_num"] > before, asked
        assert "set-cookie" not in answer.headers, asked

    before = replica.pool.get_stats()["requests_num"]
    assert (await reader.client.get("/api/v1/assets")).status_code == 200
    assert replica.pool.get_stats()["requests_num"] == before


def test_the_manual_names_every_route_that_may_lag() -> None:
    """Operators can look up which answers may be some seconds old."""
    chapter = MANUAL.read_text().partition("\n## Size\n")[2].partition("\n## ")[0]
    assert set(re.findall("`((?:GET|POST) /api/v1/[^`]+)`", chapter)) == policies.lagging()


async def test_who_writes_sees_it_though_the_replica_lags(
    reader: Api, replica: Replica, pool: Pool, user: User
) -> None:
    """A caller who changed something reads from the database for longer than a replica may lag, others do not."""
    await pause(replica)
    await add_a_month(pool, user)
    assert await months(reader) == 0

    answer = await reader.client.post("/api/v1/tags", json={"path": "holidays"})

    assert answer.status_code < 300, answer.text
    assert f"{WROTE}=1" in answer.headers["set-cookie"]
    assert f"Max-Age={2 * 60 + 1}" in answer.headers["set-cookie"]
    assert await months(reader) == 7
    reader.client.cookies.clear()
    assert await months(reader) == 0


async def test_a_replica_that_lags_is_left_alone_until_it_is_close_again(
    reader: Api, replica: Replica, pool: Pool, user: User
) -> None:
    """It is read only while it has what was written as long ago as it may lag, whatever its clock says."""
    replica.lag_seconds = 0.5
    await pause(replica)
    await add_a_month(pool, user)

    await until(lambda: _is_left_alone(replica, pool))

    assert await months(reader) == 7
    async with replica.pool.connection() as conn:
        await conn.execute("select pg_wal_replay_resume()")
    await until(lambda: replica.look(pool))


async def _is_left_alone(replica: Replica, pool: Pool) -> bool:
    return not await replica.look(pool)


async def test_a_replica_that_goes_away_costs_nothing_but_time(
    postgres: Postgres, database_url: str, pool: Pool, repository: Repository, user: User, tmp_path: Path
) -> None:
    """What it would have answered the database answers, at once and before anybody looked whether it is there."""
    with ExitStack() as running:
        folder = running.enter_context(memory.folder(tmp_path))
        server = running.enter_context(running_replica(postgres, folder))
        async with db.open_pool(server.url(urlsplit(database_url).path[1:])) as copied:
            replica = Replica(copied, lag_seconds=60)
            await until(lambda: replica.look(pool))
            async with serving(pool, replica=replica) as served:
                await served.enter(user.username)
                served.client.cookies.clear()
                await add_a_month(pool, user)
                running.close()
                assert replica.is_close

                assert await months(served) == 7

                assert not replica.is_close
                assert not await replica.look(pool)


async def test_a_server_that_follows_nobody_is_no_replica(pool: Pool, database_url: str) -> None:
    """After a failover, or by a slip of the pen, what the address leads to may know nothing of what is written."""
    async with db.open_pool(database_url) as other:
        replica = Replica(other)

        assert not await replica.look(pool)
        assert "follows nobody" in replica.problem
