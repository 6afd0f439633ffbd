"""What a question costs: the rows that the database reads for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from common.db import Connection, Pool


@dataclass
class Cost:
    """Rows of the tables of assets, files and counts that were read, in whatever way."""

    rows: int = 0


@asynccontextmanager
async def counted(pool: Pool) -> AsyncIterator[tuple[Connection, Cost]]:
    """A connection whose questions are counted, and what they cost once it is done with."""
    cost = Cost()
    async with pool.connection() as conn:
        await conn.execute("set local stats_fetch_consistency = 'none'")
        before = await _read(conn)
        yield conn, cost
        cost.rows = await _read(conn) - before


async def _read(conn: Connection) -> int:
    cursor = await conn.execute(
        """
        select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int
        from pg_stat_xact_user_tables
        where relname in ('assets', 'file_records', 'day_counts', 'month_counts', 'uploads')
        """
    )
    return int((await cursor.fetchall())[0][0])
