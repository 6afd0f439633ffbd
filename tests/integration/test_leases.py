"""Whoever lives keeps what is theirs, whatever else the database has to do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import LiteralString
from uuid import UUID, uuid4

import pytest

from common import db
from common import lease_queries as leases
from common.bus import Bus
from common.db import Connection, Pool
from common.stages import Claim
from syncer.keeper import Keeper
from syncer.scans import Holding
from tests.support import given
from tests.support.given import Repository, User
from tests.support.placing import new_asset
from tests.support.waiting import until
from tests.support.working import working

LEASE = "housekeeping"
ENDS: LiteralString = "select lease_until from leases where name = %s"


@pytest.fixture
async def watch(database_url: str) -> AsyncIterator[Connection]:
    """A connection that needs nobody else's."""
    async with db.alone(database_url) as conn:
        yield conn


async def until_renewed(conn: Connection, asset: UUID) -> None:
    """Wait until an asset's lease ends later than it does now."""
    await until_changed(conn, "select lease_until from asset_stages where asset_id = %s", asset)


async def until_changed(conn: Connection, question: LiteralString, of: object) -> None:
    """Wait until something has another answer than now."""

    async def answer() -> object:
        return await (await conn.execute(question, (of,))).fetchone()

    before = await answer()

    async def is_other() -> bool:
        return await answer() != before

    await until(is_other)


def name_of(repository: Repository) -> str:
    """The lease of who tends a repository."""
    return f"repository {repository.repository_id}"


def endless(started: list[UUID], ended: list[UUID]) -> Callable[[Claim], Awaitable[None]]:
    """Work that ends when it is called off."""

    async def work(claimed: Claim) -> None:
        started.append(claimed.asset_id)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(claimed.asset_id)

    return work


async def test_a_lease_is_renewed_though_every_connection_is_taken(
    pool: Pool, bus: Bus, asset: UUID, watch: Connection
) -> None:
    """Who has much to ask of the database keeps no worker from saying that it lives."""
    started: list[UUID] = []
    ended: list[UUID] = []

    async with working(pool, bus, endless(started, ended), slots=1):
        await until(lambda: started)
        async with AsyncExitStack() as taken:
            for _ in range(pool.max_size):
                await taken.enter_async_context(pool.connection())
            for _ in range(2):
                await until_renewed(watch, asset)
        assert ended == []

    assert started == [asset]


async def test_a_row_that_somebody_holds_keeps_no_other_from_being_renewed(
    pool: Pool, bus: Bus, repository: Repository, user: User, watch: Connection
) -> None:
    """Its own lease is renewed as soon as its row is free, and until then its work goes on."""
    assets = [await new_asset(pool, repository, user, number) for number in range(2)]
    started: list[UUID] = []
    ended: list[UUID] = []

    async with working(pool, bus, endless(started, ended)):
        await until(lambda: len(started) == 2)
        async with pool.connection() as conn:
            await conn.execute("select from asset_stages where asset_id = %s for update", (assets[0],))
            for _ in range(2):
                await until_renewed(watch, assets[1])
        await until_renewed(watch, assets[0])
        assert ended == []

    assert len(started) == 2


async def test_a_long_transaction_costs_no_syncer_its_repositories(
    pool: Pool, repository: Repository, watch: Connection, tmp_path: Path
) -> None:
    """What it changes is saved although its lease runs out meanwhile, and the other ones are renewed."""
    other = await given.new_repository(pool, bytes(tmp_path / "other"), is_default=False)
    ended: list[UUID] = []

    async def has_run_out() -> bool:
        cursor = await watch.execute(f"{ENDS} and lease_until < now()", (name_of(repository),))
        return await cursor.fetchone() is not None

    async def tend(holding: Holding) -> None:
        if holding.repository.repository_id == repository.repository_id:
            async with pool.connection() as conn:
                await holding.check(conn)
                await until(has_run_out)
                for _ in range(2):
                    await until_changed(watch, ENDS, name_of(other))
                ended.append(repository.repository_id)
        await asyncio.Event().wait()

    stop = asyncio.Event()
    keeping = asyncio.create_task(Keeper(pool, tend, lease_seconds=1, every_seconds=60).run(stop))
    await until(lambda: ended)
    stop.set()
    await keeping


async def test_a_lease_that_a_transaction_holds_keeps_nobody_waiting(pool: Pool) -> None:
    """Neither its holder, who keeps it, nor anybody else, who keeps away; when it has run out it is free again."""
    ours, theirs = uuid4(), uuid4()

    async def take(holder: UUID, seconds: float = 60) -> bool:
        async with db.glance(pool) as conn:
            return await leases.take(conn, LEASE, holder, seconds=seconds)

    assert [await take(ours), await take(theirs), await take(ours)] == [True, False, True]
    async with pool.connection() as conn, asyncio.timeout(60):
        assert await leases.holds(conn, LEASE, ours)
        assert [await take(ours), await take(theirs)] == [True, False]

    assert await take(ours, seconds=-1)
    async with pool.connection() as conn, asyncio.timeout(60):
        await conn.execute("select from leases for share")
        assert [await take(ours), await take(theirs)] == [False, False], "whoever holds it may be about to take it"
    assert [await take(theirs), await take(ours)] == [True, False]
