"""A service's process: settings, log, signals, and the two tasks that every service has."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvloop

from common import bus, db, health, log, migrate, outbox, settings, traces
from common.settings import Settings, StructT


class Stopped(Exception):
    """The service was told to stop before it could start."""


@dataclass(frozen=True)
class Core:
    """What every service holds: the record, the doorbell, and the relay between them."""

    pool: db.Pool
    bus: bus.Bus
    relay: outbox.Relay
    health: health.Health


def run(name: str, kind: type[StructT], serve: Callable[[StructT, asyncio.Event], Awaitable[None]]) -> None:
    """Run a service until SIGTERM or SIGINT; a missing setting or an old schema ends it with one line."""
    config = settings.load(kind, os.environ)
    log.configure(name)
    traces.configure(name)

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(config, stop)

    try:
        uvloop.run(main())
    except Stopped:
        pass
    except migrate.OldSchema as error:
        sys.exit(str(error))


@asynccontextmanager
async def core(
    name: str, config: Settings, stop: asyncio.Event, *, notes: Sequence[str] = (), only_reads: bool = False
) -> AsyncIterator[Core]:
    """The pool, the bus, a running relay and the health answers of a service; `notes` are told to whoever asks.

    Of a service that `only_reads`, nobody is told that it cannot write to repositories.
    """
    async with (
        db.open_pool(config.database_url) as pool,
        bus.connect(
            config.nats_url, name=name, ping_seconds=config.ping_seconds, stream_replicas=config.stream_replicas
        ) as nats,
    ):
        await _wait_for_schema(pool, stop)
        relay = outbox.Relay(pool, nats, config.relay_seconds)
        known = health.Health(pool, nats, config.nats_monitor_url, notes, only_reads)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(relay.run()),
                tasks.create_task(_end_when_closed(nats)),
                tasks.create_task(health.serve(config.health_host, config.health_port, known.check, known.sources)),
            ]
            yield Core(pool, nats, relay, known)
            for task in running:
                task.cancel()


async def _end_when_closed(nats: bus.Bus) -> None:
    """A service that the bus refuses for good is started anew, rather than deaf for ever."""
    await nats.closed.wait()
    raise ConnectionError("the bus refuses us: see LUMILIO_NATS_URL")


async def _wait_for_schema(pool: db.Pool, stop: asyncio.Event) -> None:
    """Services start in any order; only a schema that is too old ends one."""
    while not stop.is_set():
        try:
            async with pool.connection(timeout=1) as conn:
                return await migrate.check(conn)
        except db.OUTAGES as error:
            log.get().warning("waiting for the database", error=str(error).strip())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await stop.wait()
    raise Stopped
