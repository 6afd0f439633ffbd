"""Adds up what changed in the counts by day, soon while much changes, so that whoever reads them has little to add."""

import asyncio
import contextlib

import psycopg

from common import count_queries, log
from common.db import Pool

BATCH = 20_000
BUSY_SECONDS = 1.0


async def run(pool: Pool, stop: asyncio.Event, *, idle_seconds: float) -> None:
    """Add up until told to stop; any number of ingests may do so at once, and an outage only delays it."""
    while not stop.is_set():
        added = 0
        try:
            added = await add_up(pool)
        except psycopg.Error as error:
            log.get().warning("counting delayed", error=str(error).strip())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BUSY_SECONDS if added else idle_seconds):
                await stop.wait()


async def add_up(pool: Pool) -> int:
    """Add up whatever changed; returns how many changes there were."""
    total, last = 0, BATCH
    while last == BATCH:
        async with pool.connection() as conn:
            last = await count_queries.add_up(conn, limit=BATCH)
        total += last
    return total


async def correct(pool: Pool) -> None:
    """Count everything anew, in case that something changed behind our back; says so when it did."""
    async with pool.connection() as conn:
        days = await count_queries.correct_days(conn)
    await add_up(pool)
    async with pool.connection() as conn:
        months = await count_queries.correct_months(conn)
    if days or months:
        log.get().warning("counts corrected", days=days, months=months)
