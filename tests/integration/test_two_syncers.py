"""Of two syncers one tends a repository; who lost its lease changes nothing, and others go on soon."""

import asyncio
import os
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Any
from uuid import uuid4

import pytest
from nats.aio.client import Client

from common.bus import Bus
from common.db import Connection
from common.outbox import Relay
from syncer.scans import NotOurs, Scan
from syncer.tending import INTERRUPTED, Tending
from tests.support.processes import offspring, runs
from tests.support.rows import ask, do
from tests.support.scanning import Disk, HereReaders
from tests.support.stack import running
from tests.support.waiting import until

Fault = Callable[[Disk, Process], Awaitable[None]]
HOLDER = "select holder from leases where name like 'repository %' and lease_until > now()"
RECORDS = "select path, state, read_after is null, missing_since from file_records order by path"


def jpeg(number: int) -> bytes:
    """As much of a photo as a scan looks at."""
    return b"\xff\xd8\xff photo %d" % number


def syncer(disk: Disk, nats_url: str) -> AbstractAsyncContextManager[Process]:
    """A syncer as a service of its own, killed in the end."""
    return running("syncer", LUMILIO_DATABASE_URL=disk.database_url, LUMILIO_NATS_URL=nats_url)


async def tending(disk: Disk) -> Tending:
    """What tends the repository, and does nothing by itself."""
    bus = Bus(client := Client(), client.jetstream())
    return Tending(disk.pool, disk.database_url, Relay(disk.pool, bus, 60), HereReaders(1), await disk.holding(), 60)


async def is_known(disk: Disk, path: bytes) -> bool:
    return path in await disk.catalogue()


async def holder(disk: Disk, *, other_than: Any = None) -> Any:
    """Whoever tends the repository, unless it is the one named."""
    return next((one for one in await ask(disk.pool, HOLDER) if one != other_than), None)


@pytest.mark.parametrize("number", [SIGKILL, SIGSTOP], ids=["killed", "stopped"])
async def test_another_goes_on_when_the_first_is_silent(disk: Disk, nats_url: str, number: int) -> None:
    """Within a lease and a poll; and the first, should it wake up, finds that nothing is its own any more."""
    disk.write("a.jpg", jpeg(1))
    async with AsyncExitStack() as opened:
        first = await opened.enter_async_context(syncer(disk, nats_url))
        before = await until(lambda: holder(disk), seconds=60)
        await until(lambda: is_known(disk, b"a.jpg"))
        await opened.enter_async_context(syncer(disk, nats_url))

        first.send_signal(number)
        after = await until(lambda: holder(disk, other_than=before), seconds=60)
        disk.write("b.jpg", jpeg(2))
        await until(lambda: is_known(disk, b"b.jpg"))
        if number == SIGSTOP:
            first.send_signal(SIGCONT)
            disk.write("c.jpg", jpeg(3))
            await until(lambda: is_known(disk, b"c.jpg"))

        assert await holder(disk) == after
        assert await ask(disk.pool, "select count(*) from file_records") == [2 + (number == SIGSTOP)]


async def test_who_is_told_to_stop_does_so_although_a_disk_hangs(disk: Disk, nats_url: str) -> None:
    """Nobody reads to the end what nobody will save: a process that reads files is not waited for."""
    disk.write("a.jpg", jpeg(1))
    async with syncer(disk, nats_url) as told:
        await until(lambda: is_known(disk, b"a.jpg"), seconds=60)
        (reader,) = await until(lambda: offspring(told.pid), seconds=60)
        os.kill(reader, SIGSTOP)

        told.terminate()

        assert await asyncio.wait_for(told.wait(), 60) == 0
        await until(lambda: not runs(reader), seconds=60)


class Overtaken(Scan):
    """A scan whose lease runs out, and is taken by another, when it has looked at the disk."""

    async def _look(self, conn: Connection) -> Any:
        look = await super()._look(conn)
        await do(self.pool, f"update leases set holder = '{uuid4()}'")
        return look


async def test_a_scan_without_its_lease_applies_nothing(disk: Disk) -> None:
    """Not what is new, nor what moved, changed, came back or is gone."""
    for number in range(5):
        disk.write(f"{number}.jpg", jpeg(number))
    await disk.settle()
    (disk.root / "0.jpg").unlink()
    (disk.root / "1.jpg").rename(disk.root / "moved.jpg")
    disk.write("2.jpg", jpeg(20), age=30)
    disk.write("new.jpg", jpeg(9))
    before = await ask(disk.pool, RECORDS)
    scan = await disk.begun()

    with pytest.raises(NotOurs):
        await Overtaken(disk.pool, disk.database_url, scan.holding, scan.operation_id).run()

    assert await ask(disk.pool, RECORDS) == before


async def test_who_lost_the_lease_says_nothing_of_a_run(disk: Disk) -> None:
    """It may have been begun anew by another, and is that one's to end."""
    work = await tending(disk)
    scan = await disk.begun()
    await do(disk.pool, f"update leases set holder = '{uuid4()}'")

    await work._end(scan, "failed", "NotOurs")

    assert await ask(disk.pool, "select state from sync_operations") == ["running"]


async def test_a_run_that_was_asked_for_and_interrupted_in_an_orderly_way_waits(disk: Disk) -> None:
    """As after a crash: with what was allowed, for whoever tends the repository next."""
    work = await tending(disk)
    scan = await disk.begun()
    await do(disk.pool, "update sync_operations set reason = 'requested', allowed = 7")

    await work._end(scan, "failed", INTERRUPTED)

    assert await ask(disk.pool, "select state, allowed from sync_operations") == [("queued", 7)]
