"""Workers as tests run them: with a real bus, short leases, and work of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from common import streams
from common.bus import Bus
from common.db import Pool
from common.outbox import Relay
from common.settings import Settings
from common.stages import Claim, Stage, Work
from common.worker import Worker

LEASE_SECONDS = 1.0


def worker_of(
    pool: Pool, bus: Bus, work: Work, *, poll: float = 0.2, slots: int = 2, lease: float = LEASE_SECONDS
) -> Worker:
    """A worker of the place stage."""
    config = Settings(database_url="", nats_url="", lease_seconds=lease, poll_seconds=poll, stop_seconds=0.2)
    return Worker(pool, bus, Relay(pool, bus, poll_seconds=0.2), config, streams.PLACE, Stage.PLACE, work, slots)


@asynccontextmanager
async def working(
    pool: Pool, bus: Bus, work: Work, *, poll: float = 0.2, slots: int = 2, lease: float = LEASE_SECONDS
) -> AsyncIterator[asyncio.Event]:
    """A worker of the place stage and its relay, until the block ends."""
    async with _running(worker_of(pool, bus, work, poll=poll, slots=slots, lease=lease)) as stop:
        yield stop


@asynccontextmanager
async def rendering(pool: Pool, bus: Bus, work: Work, *, lease_seconds: float = 30) -> AsyncIterator[None]:
    """A worker of the render stage and its relay, until the block ends."""
    config = Settings(database_url="", nats_url="", lease_seconds=lease_seconds, poll_seconds=0.1, stop_seconds=0.2)
    relay = Relay(pool, bus, poll_seconds=0.2)
    async with _running(Worker(pool, bus, relay, config, streams.RENDER, Stage.RENDER, work, 2)):
        yield


@asynccontextmanager
async def transcoding(
    pool: Pool, bus: Bus, work: Work, *, lease_seconds: float = 30, stop_seconds: float = 0.2
) -> AsyncIterator[asyncio.Event]:
    """A worker of the transcode stage and its relay, until the block ends."""
    config = Settings(
        database_url="", nats_url="", lease_seconds=lease_seconds, poll_seconds=0.1, stop_seconds=stop_seconds
    )
    relay = Relay(pool, bus, poll_seconds=0.2)
    async with _running(Worker(pool, bus, relay, config, streams.TRANSCODE, Stage.TRANSCODE, work, 1)) as stop:
        yield stop


@asynccontextmanager
async def _running(worker: Worker) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    relaying, running = asyncio.create_task(worker.relay.run()), asyncio.create_task(worker.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        await running
        relaying.cancel()


def recording(pool: Pool, done: list[UUID]) -> Work:
    """Work that settles and notes on what."""

    async def work(claimed: Claim) -> None:
        async with claimed.settle(pool):
            done.append(claimed.asset_id)

    return work


async def listens(bus: Bus) -> bool:
    """Whether the worker waits for a ring."""
    return bool((await bus.js.consumer_info(streams.NAME, streams.PLACE.name)).num_waiting)


def raising(outcome: Exception) -> Work:
    """Work that ends with an outcome."""

    async def work(_: Claim) -> None:
        raise outcome

    return work
