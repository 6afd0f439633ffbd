import asyncio
import os
import socket
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import LiteralString

import psycopg
import pytest

from common.db import REACH, Pool, glance, open_pool
from tests.support.rows import ask
from tests.support.waiting import until

INSERT = "insert into dead_letters (subject, body, reason) values ('a', '', 'b')"


async def test_a_glance_is_no_transaction(pool: Pool) -> None:
    """What a single statement did stands, also when a later one fails."""
    with suppress(psycopg.errors.DivisionByZero):
        async with glance(pool) as conn:
            await conn.execute(INSERT)
            await conn.execute("select 1 / 0")

    assert await ask(pool, "select subject from dead_letters") == ["a"]


@pytest.mark.parametrize("left", ["select 1", "begin", "select 1 / 0"])
async def test_a_connection_is_a_transaction_again_after_a_glance(database_url: str, left: LiteralString) -> None:
    """The pool's connections are shared; however it was left, nobody finds one that commits behind their back."""
    async with open_pool(database_url, size=1) as pool:
        with suppress(psycopg.errors.DivisionByZero):
            async with glance(pool) as conn:
                await conn.execute(left)

        with suppress(ZeroDivisionError):
            async with pool.connection() as conn:
                await conn.execute(INSERT)
                raise ZeroDivisionError

        assert await ask(pool, "select subject from dead_letters") == []


async def test_a_session_that_the_server_ended_is_replaced_unnoticed(database_url: str) -> None:
    """After a restart of the database nobody gets a dead connection, and none is asked whether it lives."""
    async with open_pool(database_url, size=2) as pool:
        async with glance(pool) as one, glance(pool) as other:
            ended = [conn.info.backend_pid for conn in (one, other)]
        with psycopg.connect(database_url, autocommit=True) as admin:
            for pid in ended:
                admin.execute("select pg_terminate_backend(%s, 5000)", (pid,))  # waits for its end

        async with glance(pool) as one, glance(pool) as other:
            for conn in (one, other):
                await conn.execute("select 1")


async def test_whoever_is_cancelled_takes_no_connection_along(pool: Pool) -> None:
    """Workers and requests are cancelled at any moment; afterwards every connection is there to be had."""
    chance = Random(1)

    async def use() -> None:
        async with pool.connection() as conn, conn.pipeline():
            await conn.execute("select 1")
        async with glance(pool) as conn:
            await conn.execute("select 1")

    async def be_cancelled() -> None:
        for _ in range(50):
            with suppress(TimeoutError):
                async with asyncio.timeout(chance.uniform(0, 0.02)):
                    await use()

    await asyncio.gather(*(be_cancelled() for _ in range(12)))

    async with AsyncExitStack() as taken:
        for _ in range(pool.max_size):
            await taken.enter_async_context(pool.connection(timeout=5))


async def test_whoever_is_cancelled_in_the_moment_of_getting_a_connection_ends(database_url: str) -> None:
    """However close to it: who works for ever could never be ended after a cancellation that was forgotten."""
    got = asyncio.Event()

    async def work() -> None:
        while True:
            async with pool.connection():
                got.set()
            await asyncio.Event().wait()

    async with open_pool(database_url, size=1) as pool:
        for moment in range(30):
            async with pool.connection():
                working = asyncio.create_task(work())
                await until(lambda: pool.get_stats()["requests_waiting"], every=0.001)
            for _ in range(moment):
                await asyncio.sleep(0)
            working.cancel()
            await asyncio.wait({working}, timeout=5)
            assert working.cancelled(), moment
        assert got.is_set(), "the last ones came too late for that"


async def test_a_server_that_never_speaks_is_given_up(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a machine dies while it is called: nobody waits for minutes before the next one is asked."""
    monkeypatch.setitem(REACH, "connect_timeout", 1)
    known = psycopg.conninfo.conninfo_to_dict(database_url)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        both = {
            name: f"{first},{known[name]}" for name, first in zip(("host", "port"), silent.getsockname(), strict=True)
        }
        async with (
            open_pool(psycopg.conninfo.make_conninfo(database_url, **both)) as pool,
            pool.connection(timeout=20) as conn,
        ):
            assert str(conn.info.port) == known["port"]


async def test_a_machine_that_vanishes_without_a_word_is_noticed_in_half_a_minute(pool: Pool) -> None:
    """Whether something was asked of it or not; by itself the kernel waits for hours."""
    async with pool.connection() as conn:
        link = socket.socket(fileno=os.dup(conn.fileno()))
    with link:
        idle, between, probes, unheard = (
            link.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        )

    assert idle + between * probes <= 30
    assert 0 < unheard <= 30_000


async def test_whoever_stands_still_amid_a_transaction_holds_nobody_up(pool: Pool) -> None:
    """A process that was stopped between statements that it sends without waiting loses its locks to the others."""
    async with pool.connection() as conn:
        limit = await (await conn.execute("show transaction_timeout")).fetchone()
        await conn.execute("set transaction_timeout = '200ms'")
        await conn.commit()
        with suppress(psycopg.OperationalError):
            async with conn.pipeline():
                await (await conn.execute("update server set single = true returning single")).fetchall()
                async with glance(pool) as other:
                    await other.execute("update server set single = true")

    assert limit == ("40s",)
    assert conn.broken
