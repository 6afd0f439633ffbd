"""Gives owners of many vectors an index of their own, so that searching theirs costs no more than searching few.

Each new vector costs some milliseconds once there is an index: where very many are coming it is built when they are in.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import psycopg
from msgspec import structs

from common import db, log, tasks
from common import lease_queries as leases
from common.db import Connection, Pool, glance
from ml_dispatcher import index_queries as queries
from ml_dispatcher.index_queries import Many

LEASE = "vector indexes"
LEASE_SECONDS = 60.0
LEAST = 5000
"""Up to so many vectors are compared in the time that an index takes, or little more."""
MOST_MEGABYTES = 2048
LINKS_BYTES = 1000
"""What an index knows of a vector's neighbours while it is built, besides the vector."""


async def run(pool: Pool, database_url: str, stop: asyncio.Event, *, idle_seconds: float) -> None:
    """Tend the indexes until told to stop; a build that is not done by then is begun anew another time."""
    async with asyncio.TaskGroup() as group:
        tending = group.create_task(_tend_on(pool, database_url, idle_seconds))
        await stop.wait()
        tending.cancel()


async def _tend_on(pool: Pool, database_url: str, idle_seconds: float) -> None:
    while True:
        try:
            await tend(pool, database_url, least=LEAST)
        except psycopg.Error as error:
            log.get().warning("vector indexes delayed", error=str(error).strip())
        await asyncio.sleep(idle_seconds)


async def tend(pool: Pool, database_url: str, *, least: int) -> None:
    """One round: what is broken or not needed any more goes, then what is missing is built, one after the other.

    Nothing is done while somebody else does it. Reading and writing go on, and a round that ends halfway does no harm.
    """
    holder = uuid4()
    async with glance(pool) as conn:
        if not await leases.take(conn, LEASE, holder, seconds=LEASE_SECONDS):
            return
    async with _held(pool, holder), db.alone(database_url) as conn:
        await _clean(conn, least=least)
        there = {index.name for index in await queries.list_indexes(conn)}
        for wanted in await queries.list_many(conn, least=least):
            if wanted.is_settled and wanted.index not in there:
                await build(conn, wanted)


async def _clean(conn: Connection, *, least: int) -> None:
    """An owner keeps an index until they have half of what it takes to get one."""
    kept = {wanted.index for wanted in await queries.list_many(conn, least=least // 2)}
    for index in await queries.list_indexes(conn):
        if not index.is_building and not (index.is_whole and index.name in kept):
            await queries.drop(conn, index.name)
            log.get().info("vector index dropped", index=index.name, whole=index.is_whole)


async def build(conn: Connection, wanted: Many) -> None:
    """A quarter of the processors help; where they get no memory to share, as in many a container, none does."""
    count = await queries.count_vectors(conn, wanted)
    began = time.monotonic()
    for workers in dict.fromkeys(((os.cpu_count() or 1) // 4, 0)):
        await queries.equip(conn, megabytes=megabytes(count, wanted.dimension), workers=workers)
        try:
            await queries.build(conn, wanted)
        except psycopg.errors.DiskFull:
            await queries.drop(conn, wanted.index)
            if workers == 0:
                raise
        else:
            break
    log.get().info("vector index built", index=wanted.index, vectors=count, seconds=round(time.monotonic() - began, 1))


def megabytes(count: int, dimension: int) -> int:
    """What holds the whole index, which is much faster than half of it, within a quarter of the memory there is."""
    wanted = 64 + count * (2 * dimension + LINKS_BYTES) // 1_000_000
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4_000_000
    return min(wanted, there, MOST_MEGABYTES)


@asynccontextmanager
async def _held(pool: Pool, holder: UUID) -> AsyncIterator[None]:
    """Keep the lease meanwhile, and tell how far the building is; should it get lost, the database builds by turns."""
    renewing = asyncio.create_task(_renew(pool, holder))
    try:
        yield
    finally:
        await tasks.cancel(renewing)
        with suppress(psycopg.Error):  # then the lease runs out
            async with glance(pool) as conn:
                await leases.give(conn, LEASE, holder)


async def _renew(pool: Pool, holder: UUID) -> None:
    while True:
        await asyncio.sleep(LEASE_SECONDS / 3)
        with suppress(psycopg.Error):
            async with glance(pool.urgent) as conn:
                await leases.take(conn, LEASE, holder, seconds=LEASE_SECONDS)
                progress = await queries.find_progress(conn)
            if progress is not None:
                log.get().info("building a vector index", **structs.asdict(progress))
