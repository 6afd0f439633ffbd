"""The power goes in the middle of uploads, again and again; database and photos lie on disks of their own.

On one disk the commits of the database would flush the journal that the photos depend on, and hide what is missing.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import psycopg

from common import tasks
from lumilio import durable
from lumilio.verify import Ack, verify
from tests.chaos.figures import Figures, spread
from tests.chaos.small import Small
from tests.support import photos
from tests.support.client import Client, signed_in
from tests.support.loops import Disk, disk
from tests.support.servers import running_nats
from tests.support.settling import failures, is_tidy, until_settled
from tests.support.stack import Stack
from tests.support.waiting import until

SENDERS = 6
SETTLE_SECONDS = 180
SHORTEST_LOAD_SECONDS, LONGEST_LOAD_SECONDS = 0.3, 3.0
LONGEST_TAIL = 200_000
REPEATED = 0.1
PHOTO = photos.jpeg(160, 120)
IMPATIENT = {
    "LUMILIO_LEASE_SECONDS": "1",
    "LUMILIO_POLL_SECONDS": "0.5",
    "LUMILIO_CLEAN_SECONDS": "1",
    "LUMILIO_ABANDONED_SECONDS": "1",
    "LUMILIO_RESERVE_BYTES": "0",
    "LUMILIO_RESERVE_PERCENT": "0",
}


@dataclass
class Machine:
    """A server on two disks, what it acknowledged, and how long it took to come back after each cut."""

    server: Stack | Small
    database: Disk
    originals: Disk
    chance: Random
    acks: list[Ack] = field(default_factory=list)
    waiting: list[bytes] = field(default_factory=list)
    answered: list[bytes] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)

    async def send_until_cut(self) -> None:
        """Several people send at once; at some moment both disks lose their power, and everything dies."""
        async with signed_in(self.server) as client:
            client.acks = self.acks
            sending = [asyncio.create_task(self._send_for_ever(client)) for _ in range(SENDERS)]
            await asyncio.sleep(self.chance.uniform(SHORTEST_LOAD_SECONDS, LONGEST_LOAD_SECONDS))
            for cut in self.chance.sample([self.database, self.originals], 2):
                cut.cut()
            await self.server.crash()
            await tasks.cancel(*sending)
            for task in sending:
                assert task.cancelled(), task.exception()

    async def recover(self) -> None:
        """Power again: replay both journals, start, and wait until nothing is left to do."""
        self.originals.unmount()
        self.database.unmount()
        self.database.mount()
        self.originals.mount()
        began = time.monotonic()
        await self.server.start()
        await self._until_settled("everything that was sent is ready")
        self.recoveries.append(time.monotonic() - began)
        await until(partial(is_tidy, self.server), seconds=SETTLE_SECONDS, what="staging is empty")
        assert await failures(self.server) == []

    async def _until_settled(self, what: str) -> None:
        await until_settled(self.server, stages=self.server.stages, seconds=SETTLE_SECONDS, what=what)

    async def ask_for_lost_thumbnails(self) -> None:
        """A thumbnail may be lost, for it can be made again; whoever asks for it has it made."""
        lost = [(asset, size) for asset, size, path, length in await self._thumbnails() if _size(path) != length]
        async with signed_in(self.server) as client:
            for asset, size in lost:
                await client.get(f"/assets/{asset}/thumbnail", size=size)
        await self._until_settled("lost thumbnails are made again")

    async def check(self) -> None:
        """Nothing that was acknowledged is lost or changed, and nothing lies around."""
        said: list[str] = []
        assert await verify(self.server.database_url, acks=self.acks, say=said.append), "\n".join(said)

    async def _send_for_ever(self, client: Client) -> None:
        while True:
            content = self._next()
            try:
                await client.send(content, f"IMG_{self.chance.randrange(50):04}.jpg")
            except asyncio.CancelledError:
                self.waiting.append(content)
                raise
            self.answered.append(content)

    def _next(self) -> bytes:
        """What was not answered before the last cut comes first; now and then something is sent a second time."""
        if self.waiting:
            return self.waiting.pop()
        if self.answered and self.chance.random() < REPEATED:
            return self.chance.choice(self.answered)
        return PHOTO + self.chance.randbytes(self.chance.randrange(8, LONGEST_TAIL))

    async def _thumbnails(self) -> list[tuple[str, str, bytes, int]]:
        async with await psycopg.AsyncConnection.connect(self.server.database_url) as conn:
            cursor = await conn.execute(
                """
                select asset_id::text, size, root || '/'::bytea || path, bytes
                from thumbnails
                join repositories using (repository_id)
                """
            )
            return await cursor.fetchall()


async def cut_power(folder: Path, *, cuts: int, whole: bool, seed: int = 0) -> Figures:
    """Install once, then send, cut, start and compare, so many times; the `whole` command also renders."""
    async with _installed(folder, Random(seed), whole=whole) as machine:
        for _ in range(cuts):
            await machine.send_until_cut()
            await machine.recover()
            await machine.ask_for_lost_thumbnails()
            await machine.check()
    return {"cuts": cuts, "acknowledged": len(machine.acks), **spread("recovery", machine.recoveries)}


@asynccontextmanager
async def _installed(folder: Path, chance: Random, *, whole: bool) -> AsyncIterator[Machine]:
    data = folder / "data"
    with (
        running_nats(folder) as bus,
        disk(folder / "database.img", data) as database,
        disk(folder / "originals.img", data / "repositories") as originals,
    ):
        durable.sync(os.fspath(data))
        server = Stack(data, IMPATIENT) if whole else Small(data, bus.url, IMPATIENT)
        try:
            if isinstance(server, Small):
                await server.install()
            await server.start()
            yield Machine(server, database, originals, chance)
        finally:
            if server.runs:
                await server.crash()


def _size(path: bytes) -> int | None:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return None
