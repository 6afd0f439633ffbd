"""A repository that is tended as by a syncer, in this process and with short waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
from nats.aio.client import Client

from common import layout, marker
from common.bus import Bus
from common.outbox import Relay
from syncer.tending import Tending
from syncer.watching import Watched
from tests.support.rows import ask
from tests.support.scanning import Disk, HereReaders
from tests.support.waiting import until


@asynccontextmanager
async def tended(disk: Disk, **settings: str) -> AsyncIterator[Tending]:
    """A repository whose marker wishes what is said, and whose first scan is over."""
    wish(disk, **settings)
    client = Client()
    relay = Relay(disk.pool, Bus(client, client.jetstream()), 60)
    tending = Tending(disk.pool, disk.database_url, relay, HereReaders(1), await disk.holding(), 0.2)
    tending.noticing.hints._quiet = 0.05
    running = asyncio.create_task(tending.run())
    try:
        await until(lambda: runs(disk, "startup"), what="the first scan")
        yield tending
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def wish(disk: Disk, **settings: str) -> None:
    """Write into the marker how the repository is to be watched and scanned."""
    found = marker.read(disk.repository.root)
    sync = msgspec.structs.replace(found.sync_settings, **settings)
    path = disk.root / layout.MARKER.decode()
    path.chmod(0o644)
    path.write_bytes(msgspec.yaml.encode(msgspec.structs.replace(found, sync_settings=sync)))


async def runs(disk: Disk, reason: str) -> list[Any]:
    """The folders of the scans for a reason that are over."""
    query = "select convert_from(folder, 'utf8') from sync_operations where ended_at is not null and reason"
    return await ask(disk.pool, f"{query} = '{reason}' order by operation_id")


async def watched(disk: Disk) -> Watched:
    """How the changes of the repository are noticed, as people are told."""
    (text,) = await ask(disk.pool, "select watched from repositories")
    return msgspec.json.decode(text, type=Watched)


async def until_known(disk: Disk, *paths: bytes) -> None:
    """Return when just these files are recorded as being there."""

    async def known() -> bool:
        return {path for path, state in (await disk.catalogue()).items() if state != "missing"} == set(paths)

    await until(known, what=f"{paths} known")


async def until_ran(disk: Disk, reason: str, folder: str) -> None:
    """Return when scans for a reason are over, which were of this folder alone."""

    async def ran() -> bool:
        return set(await runs(disk, reason)) == {folder}

    await until(ran, what=f"a {reason} scan of {folder!r}")
