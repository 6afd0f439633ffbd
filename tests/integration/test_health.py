import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import psycopg
import pytest
from psycopg import sql

from common import bus as buses
from common import db, health, migrate
from common.bus import Bus
from common.db import Pool
from common.health import Health
from lumilio.nats_server import NatsServer
from tests.support import databases, volumes
from tests.support.given import Repository
from tests.support.servers import running_nats
from tests.support.waiting import until

STRANGER = "01a20581-cc26-7657-838b-3f33d2afa25e"


async def test_a_database_that_could_forget_is_not_ready(pool: Pool, bus: Bus) -> None:
    """Nobody takes uploads on a database without fsync, which is how the tests run theirs."""
    state = await Health(pool, bus).check()

    assert not state.ready
    assert any("fsync" in problem for problem in state.problems)


async def test_asynchronous_commits_are_seen(database_url: str, pool: Pool, bus: Bus) -> None:
    """The setting that loses the last commits is named too."""
    async with pool.connection() as conn:
        await conn.execute(
            sql.SQL("alter database {} set synchronous_commit = off").format(sql.Identifier(conn.info.dbname))
        )

    async with db.open_pool(database_url) as fresh:
        state = await Health(fresh, bus).check()

    assert any("synchronous_commit" in problem for problem in state.problems)


async def test_a_database_that_takes_no_writes_is_named(database_url: str, pool: Pool, bus: Bus) -> None:
    """People can go on looking at what there is, and whoever keeps the server reads why nothing else is done."""
    with databases.read_only(database_url):
        state = await Health(pool, bus).check()

    assert "the database takes no writes: it follows another one, or is set to be read only" in state.problems
    assert not any("takes no writes" in problem for problem in (await Health(pool, bus).check()).problems)


async def test_without_a_database_nothing_is_ready(bus: Bus) -> None:
    """The answer comes soon and says why."""
    async with db.open_pool("postgresql://nobody@127.0.0.1:1/none") as away:
        state = await Health(away, bus).check()

    assert not state.ready
    assert state.problems == ["the database does not answer"]


async def test_a_database_that_stands_still_is_told_as_soon(
    monkeypatch: pytest.MonkeyPatch, database_url: str, bus: Bus
) -> None:
    """Amid an answer, as on a disk that hangs: a question cannot be taken back there, and is not waited for."""
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.3)
    async with db.open_pool(database_url, size=1) as pool:
        async with pool.connection() as conn:
            backend = conn.info.backend_pid
        with standing_still(backend):
            asking = asyncio.create_task(Health(pool, bus).check())
            await asyncio.wait({asking}, timeout=5)
            is_answered = asking.done()
        state = await asking

    assert is_answered
    assert (state.ready, state.problems) == (False, ["the database does not answer"])


@contextmanager
def standing_still(process: int) -> Iterator[None]:
    """Stop a process for as long as this lasts."""
    os.kill(process, SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, SIGCONT)


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ("sync_interval: always", "sync_interval: 2m", "the message bus is not durable: set `sync_interval: always`"),
        ("accounts", "no_auth_user: lumilio\naccounts", "the message bus asks for no password"),
    ],
)
async def test_a_bus_that_could_lose_or_tell_everything_is_named(
    pool: Pool, tmp_path: Path, ours: str, theirs: str, told: str
) -> None:
    """Work goes on, for rows are the record, and a person learns what to set."""
    with running_nats(tmp_path, edit=lambda text: text.replace(ours, theirs)) as server:
        async with buses.connect(server.url, name="test") as bus:
            await until(lambda: bus.connected)
            state = await Health(pool, bus, server.monitor_url).check()

    assert any(problem.startswith(told) for problem in state.problems)


async def test_our_own_bus_is_well(pool: Pool, bus: Bus, nats_server: NatsServer) -> None:
    """What `lumilio up` starts gives no reason to complain."""
    state = await Health(pool, bus, nats_server.monitor_url).check()

    assert not [problem for problem in state.problems if "sync_interval" in problem or "password" in problem]


async def test_an_old_bus_is_named(pool: Pool, bus: Bus) -> None:
    """A server with known holes is to be updated."""
    bus.client._server_info["version"] = "2.12.5-beta.3"

    state = await Health(pool, bus).check()

    assert "the message bus is NATS 2.12.5-beta.3: update it to 2.12.6 or newer" in state.problems


async def test_a_bus_in_memory_is_named(pool: Pool, tmp_path: Path) -> None:
    """A store that is gone after the next start is none."""
    with volumes.mounted(tmp_path / "memory", megabytes=64), running_nats(tmp_path / "memory") as server:
        async with buses.connect(server.url, name="test") as bus:
            await until(lambda: bus.connected)
            state = await Health(pool, bus, server.monitor_url).check()

    assert any("its store lies in memory" in problem for problem in state.problems)


async def test_a_silent_monitor_is_no_comfort(pool: Pool, bus: Bus) -> None:
    """What is not known is not called well."""
    state = await Health(pool, bus, "http://127.0.0.1:1").check()

    assert any("whether the bus is durable is not known" in problem for problem in state.problems)


@pytest.mark.parametrize(("marker", "told"), [(None, "is not there"), (STRANGER, "another one")])
async def test_a_repository_that_is_not_in_its_place_is_named(
    pool: Pool, bus: Bus, repository: Repository, marker: str | None, told: str
) -> None:
    """A missing disk, or a wrong one, is told before anybody misses a photo."""
    path = Path(os.fsdecode(repository.root), ".lumiliorepo")
    text = path.read_text()
    path.unlink()
    if marker is not None:
        path.write_text(text.replace(str(repository.repository_id), marker))

    state = await Health(pool, bus).check()

    assert [problem for problem in state.problems if problem.startswith("repository") and told in problem]


async def test_who_only_reads_is_not_asked_to_write(pool: Pool, bus: Bus, repository: Repository) -> None:
    """A repository that takes no files is a problem of those who store some there."""
    inbox = Path(os.fsdecode(repository.root), "inbox")
    inbox.rmdir()
    inbox.touch()

    told = [(await Health(pool, bus, only_reads=reads).check()).problems for reads in (False, True)]

    assert [sum(problem.startswith("repository") for problem in problems) for problems in told] == [1, 0]


async def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    """Every start may migrate."""
    first = await migrate.migrate(empty_database_url)

    assert first[0] == "0001_foundation.sql"
    assert await migrate.migrate(empty_database_url) == []


async def test_a_service_refuses_an_older_schema(empty_database_url: str) -> None:
    """Code never runs on a schema that it does not know."""
    async with await psycopg.AsyncConnection.connect(empty_database_url) as conn:
        with pytest.raises(migrate.OldSchema, match="lumilio migrate"):
            await migrate.check(conn)


async def test_an_edited_migration_is_refused(database_url: str) -> None:
    """History is not rewritten under anybody's data."""
    async with await psycopg.AsyncConnection.connect(database_url) as conn:
        await conn.execute("update migrations set digest = 'another'")

    with pytest.raises(migrate.ChangedMigration):
        await migrate.migrate(database_url)
