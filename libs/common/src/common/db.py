"""The pool of connections, and rows as frozen structs."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias, TypeVar

import msgspec
import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import AsyncRowFactory
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool

T = TypeVar("T")
Connection: TypeAlias = AsyncConnection[Any]
Pool: TypeAlias = AsyncConnectionPool[AsyncConnection[Any]]

SESSION = "-c idle_in_transaction_session_timeout=10s -c statement_timeout=30s -c timezone=UTC"
RESTED_SECONDS = 0.5

set_json_dumps(msgspec.json.encode)
set_json_loads(msgspec.json.decode)


class _Rested(AsyncConnection[Any]):
    """A connection that knows when it was used last."""

    used_at: float = 0


@asynccontextmanager
async def open_pool(database_url: str, *, size: int = 8) -> AsyncIterator[Pool]:
    """Connections to the database; they are made when needed, checked after a rest, and every statement is prepared."""
    pool: Pool = AsyncConnectionPool(
        database_url,
        connection_class=_Rested,
        min_size=1,
        max_size=size,
        timeout=10,
        reconnect_timeout=5,  # its pauses double: without an early end it sleeps on when the database is back
        kwargs={"prepare_threshold": 0, "options": SESSION},
        check=_check_if_rested,
        reset=_note_use,
        open=False,
    )
    async with pool:
        yield pool


@asynccontextmanager
async def glance(pool: Pool) -> AsyncIterator[Connection]:
    """A connection for single statements: each is a transaction of its own, in one round trip instead of three."""
    async with pool.connection() as conn:
        await conn.set_autocommit(True)
        try:
            yield conn
        finally:
            with suppress(psycopg.Error):  # it is broken, and the pool replaces it
                await conn.set_autocommit(False)


async def _check_if_rested(conn: AsyncConnection[Any]) -> None:
    """A connection that worked a moment ago is not asked whether it still does: that is a round trip each time."""
    if isinstance(conn, _Rested) and time.monotonic() - conn.used_at > RESTED_SECONDS:
        await AsyncConnectionPool.check_connection(conn)


async def _note_use(conn: AsyncConnection[Any]) -> None:
    if isinstance(conn, _Rested):
        conn.used_at = time.monotonic()


def struct_row(kind: type[T]) -> AsyncRowFactory[T]:
    """A row factory: each row becomes a `kind`, its columns matched by name."""

    def factory(cursor: AsyncCursor[Any]) -> Callable[[Sequence[Any]], T]:
        names = [column.name for column in cursor.description or ()]

        def make(values: Sequence[Any]) -> T:
            return kind(**dict(zip(names, values, strict=True)))

        return make

    return factory
