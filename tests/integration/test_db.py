from contextlib import suppress

import psycopg

from common.db import Pool, glance, open_pool
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


async def test_a_connection_is_a_transaction_again_after_a_glance(pool: Pool) -> None:
    """The pool's connections are shared; nobody finds one that commits behind their back."""
    async with glance(pool) as conn:
        await conn.execute("select 1")

    with suppress(ZeroDivisionError):
        async with pool.connection() as conn:
            await conn.execute(INSERT)
            raise ZeroDivisionError

    assert await ask(pool, "select subject from dead_letters") == []


async def test_a_dead_connection_is_replaced(database_url: str) -> None:
    """When the database ends every session, a moment of rest is enough to get a connection that works."""
    async with open_pool(database_url, size=2) as pool:
        async with glance(pool) as conn:
            await conn.execute("select 1")
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")

        async def works() -> bool:
            try:
                async with glance(pool) as conn:
                    await conn.execute("select 1")
            except psycopg.OperationalError:
                return False
            return True

        await until(works, every=0.6)
