"""The pool of connections, and rows as frozen structs."""

import asyncio
import select
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import msgspec
import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import AsyncRowFactory
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool

T = TypeVar("T")
Connection: TypeAlias = AsyncConnection[Any]

# Each connection is a process of the database, and a burst leaves as many as it needed; they go one by one.
IDLE_SECONDS = 5.0
URGENT_IDLE_SECONDS = 60.0

# A client that stands still amid statements sent without waiting is not idle to the server: the last limit ends it.
LIMITS = "-c idle_in_transaction_session_timeout=10s -c statement_timeout=30s -c transaction_timeout=40s"
PATIENT = "-c idle_in_transaction_session_timeout=10s -c work_mem=32MB -c temp_buffers=32MB"
SESSION = f"{LIMITS} -c timezone=UTC"
REACH: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""A machine that vanishes without a word is noticed within half a minute, not within hours."""

OUTAGES = (
    psycopg.OperationalError,
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.TransactionTimeout,
    psycopg.errors.ReadOnlySqlTransaction,
)
"""How the database fails through no fault of the work: away, also for want of a connection in time, full, too slow,
one that only follows another, or a deadlock in which another went on."""
AWAY = ("08", "25006", "53100", "53300", "57P")

set_json_dumps(msgspec.json.encode)
set_json_loads(msgspec.json.decode)


class Pool(AsyncConnectionPool[Connection]):
    """Connections that many share; `urgent` is one more, for what must not wait until others had their turn."""

    urgent: "Pool"

    async def getconn(self, timeout: float | None = None) -> Connection:
        """Up to Python 3.11 asyncio.wait_for, and so a pool, forgets a cancellation in the moment of its result."""
        task = asyncio.current_task()
        cancelled = task.cancelling() if task else 0
        conn = await super().getconn(timeout)
        if task and task.cancelling() > cancelled:
            await self.putconn(conn)
            raise asyncio.CancelledError
        return conn


@asynccontextmanager
async def open_pool(database_url: str, *, size: int = 8) -> AsyncIterator[Pool]:
    """Connections to the database; they are made when needed, looked at when taken, and every statement is prepared."""
    async with (
        _pool(database_url, min_size=1, max_size=size, max_idle=IDLE_SECONDS) as pool,
        _pool(database_url, min_size=0, max_size=1, max_idle=URGENT_IDLE_SECONDS) as pool.urgent,
    ):
        yield pool


def _pool(database_url: str, *, min_size: int, max_size: int, max_idle: float) -> Pool:
    return Pool(
        database_url,
        min_size=min_size,
        max_size=max_size,
        timeout=10,
        max_idle=max_idle,
        reconnect_timeout=5,  # its pauses double: without an early end it sleeps on when the database is back
        kwargs={"prepare_threshold": 0, "options": SESSION, **REACH},
        check=_refuse_dead,
        reset=_end_glance,
        open=False,
    )


@asynccontextmanager
async def alone(database_url: str) -> AsyncIterator[Connection]:
    """A session of its own for statements that may take long and tables that nobody else sees; each is committed."""
    async with await AsyncConnection.connect(
        database_url, autocommit=True, prepare_threshold=None, options=f"{PATIENT} -c timezone=UTC", **REACH
    ) as conn:
        yield conn


@asynccontextmanager
async def glance(pool: Pool) -> AsyncIterator[Connection]:
    """A connection for single statements: each is a transaction of its own, in one round trip instead of three."""
    async with pool.connection() as conn:
        await conn.set_autocommit(True)
        yield conn


async def _end_glance(conn: Connection) -> None:
    """Nobody finds one that commits behind their back: a task of the pool's own does this, which nobody cancels."""
    await conn.set_autocommit(False)


async def _refuse_dead(conn: AsyncConnection[Any]) -> None:
    """A server that ends a session says so or hangs up, so a look at the socket tells, and nobody need be asked."""
    poll = select.poll()
    poll.register(conn.fileno(), select.POLLIN)
    if poll.poll(0):
        await conn.close()
        raise psycopg.OperationalError("the server has ended this session")


def is_away(error: Exception) -> bool:
    """Whether the database is away for all, so that whatever else is asked at this moment fails as well."""
    return isinstance(error, OUTAGES) and (error.sqlstate is None or error.sqlstate.startswith(AWAY))


def struct_row(kind: type[T]) -> AsyncRowFactory[T]:
    """A row factory: each row becomes a `kind`, its columns matched by name."""

    def factory(cursor: AsyncCursor[Any]) -> Callable[[Sequence[Any]], T]:
        names = [column.name for column in cursor.description or ()]

        def make(values: Sequence[Any]) -> T:
            return kind(**dict(zip(names, values, strict=True)))

        return make

    return factory
