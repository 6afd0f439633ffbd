"""The pool of connections, and rows as frozen structs."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import msgspec
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import AsyncRowFactory
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool

T = TypeVar("T")
Connection: TypeAlias = AsyncConnection[Any]
Pool: TypeAlias = AsyncConnectionPool[AsyncConnection[Any]]

SESSION = "-c idle_in_transaction_session_timeout=10s -c statement_timeout=30s -c timezone=UTC"

set_json_dumps(msgspec.json.encode)
set_json_loads(msgspec.json.decode)


@asynccontextmanager
async def open_pool(database_url: str, *, size: int = 8) -> AsyncIterator[Pool]:
    """Connections to the database; they are made when needed, checked when taken, and every statement is prepared."""
    pool: Pool = AsyncConnectionPool(
        database_url,
        min_size=1,
        max_size=size,
        timeout=10,
        kwargs={"prepare_threshold": 0, "options": SESSION},
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
    async with pool:
        yield pool


def struct_row(kind: type[T]) -> AsyncRowFactory[T]:
    """A row factory: each row becomes a `kind`, its columns matched by name."""

    def factory(cursor: AsyncCursor[Any]) -> Callable[[Sequence[Any]], T]:
        names = [column.name for column in cursor.description or ()]

        def make(values: Sequence[Any]) -> T:
            return kind(**dict(zip(names, values, strict=True)))

        return make

    return factory
