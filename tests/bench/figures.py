"""The figures: idle cost, photos, uploads, and both while thousands of photos wait."""

import asyncio
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count, islice
from pathlib import Path

from psycopg import AsyncConnection

from common.db import Connection
from lumilio import ports
from tests.bench import costs, loop, receiver
from tests.bench.sender import File, Sender, nonsense, whole
from tests.support import photos
from tests.support.client import Client, signed_in
from tests.support.stack import Stack
from tests.support.waiting import until

IDLE_SECONDS = 20
SINGLE = 10
ROUNDS = 3
PHOTOS = 96
PARALLEL = 4
MOTIFS = 6
GRAIN = 14  # makes them 3.2 MB, which is what photos of 12 megapixels have
UPLOADS = 100
UPLOAD_BYTES = 4 << 20
HUGE_BYTES = 5 << 30
BACKLOG = 2000

INFERENCE_PORT = ports.choose(0)
"""Where the figures that need a model have one served; the others have none."""

# As an installation has them; tests have them shorter.
SETTINGS = {
    "LUMILIO_LEASE_SECONDS": "60",
    "LUMILIO_POLL_SECONDS": "15",
    "LUMILIO_RELAY_SECONDS": "2",
    "LUMILIO_ACCESS_TOKEN_SECONDS": "7200",
    "LUMILIO_UPLOADS_AT_ONCE": "16",
    "LUMILIO_TRASH_DAYS": "0",  # what was made by SQL has no files that could be purged
    "LUMILIO_INFERENCE_SERVERS": f"127.0.0.1:{INFERENCE_PORT}",
}

Results = dict[str, float]
_shots = count()


@dataclass(frozen=True)
class Bench:
    """A running stack, and the ways to talk to it."""

    stack: Stack
    client: Client
    sender: Sender
    folder: Path
    conn: Connection

    async def send(self, files: list[File], *, clients: int, lane: str = "interactive") -> float:
        """Send files; returns the seconds until the last one was acknowledged."""
        path = "/api/v1/assets?lane=bulk" if lane == "bulk" else "/api/v1/assets"
        sender = Sender(self.sender.port, self.sender.token, path)
        return await asyncio.to_thread(sender.send, files, clients=clients)

    async def ask(self, question: str) -> int:
        """A number from the database, which costs the services nothing."""
        row = await (await self.conn.execute(question)).fetchone()
        return int(row[0]) if row else 0

    async def until_done(self, seconds: float = 120) -> None:
        """Wait until no work is left."""
        await self._until_none("select count(*) from asset_stages where next_at is not null", seconds)

    async def until_rendered(self) -> None:
        """Wait until every thumbnail is made, whatever else is left to do."""
        await self._until_none("select count(*) from asset_stages where stage = 'render' and next_at is not null", 120)

    async def until_placed(self) -> None:
        """Wait until every original has its place, whatever else is left to do."""
        await self._until_none("select count(*) from asset_stages where stage = 'place' and next_at is not null", 120)

    async def _until_none(self, question: str, seconds: float) -> None:
        async def none() -> bool:
            return await self.ask(question) == 0

        await until(none, seconds=seconds, every=0.05)


@asynccontextmanager
async def measuring(stack: Stack, folder: Path) -> AsyncIterator[Bench]:
    """The ways to talk to a stack that runs."""
    async with (
        signed_in(stack) as client,
        await AsyncConnection.connect(stack.database_url, autocommit=True) as conn,
    ):
        token = client.http.headers["Authorization"].removeprefix("Bearer ")
        yield Bench(stack, client, Sender(stack.port, token), folder, conn)


def camera(number: int) -> list[File]:
    """New 12-megapixel photos; what stands behind the end of a JPEG makes them different and changes no pixel."""
    return [whole(content) for content in shots(number)]


def shots(number: int) -> list[bytes]:
    return [motifs()[shot % MOTIFS] + b"shot %d" % shot for shot in islice(_shots, number)]


@cache
def motifs() -> list[bytes]:
    return [photos.jpeg(4000, 3000, seed=number, grain=GRAIN) for number in range(MOTIFS)]


async def idle(bench: Bench) -> Results:
    """Memory and processor time of the whole family of processes while nobody asks for anything."""
    before, began = costs.spent_ms(bench.stack).total(), time.monotonic()
    await asyncio.sleep(IDLE_SECONDS)
    used, seconds = costs.spent_ms(bench.stack).total() - before, time.monotonic() - began
    resident, proportional = costs.memory_mb(bench.stack)
    return {
        "idle: resident memory, all processes summed, MB (<= 700)": resident,
        "idle: memory with shared pages counted once, MB": proportional,
        "idle: processor, % of one core (<= 3)": used / seconds / 10,
    }


async def single(bench: Bench) -> Results:
    """From sending one 12-megapixel photo to its thumbnails, with nothing else to do."""
    await bench.send(camera(4), clients=2)
    await bench.until_done()
    return {"one photo, upload to ready, ms (median)": await _median_ready_ms(bench)}


async def _median_ready_ms(bench: Bench) -> float:
    times = []
    for photo in camera(SINGLE):
        began = time.monotonic()
        await bench.send([photo], clients=1)
        await until(lambda: _is_fresh_ready(bench), seconds=120, every=0.005)
        times.append((time.monotonic() - began) * 1000)
    return statistics.median(times)


async def _is_fresh_ready(bench: Bench) -> bool:
    return await bench.ask("select count(*) from asset_stages where next_at is not null and lane = 0") == 0


async def rate(bench: Bench) -> Results:
    """Photos per second end to end, by turns with the loop, and what a photo costs beyond it."""
    ours, bare, ours_ms, bare_ms = [], [], [], []
    spent_before = costs.spent_ms(bench.stack)
    with loop.running(bench.folder / "bare", shots(4)) as yardstick:
        for _ in range(ROUNDS):
            seconds, spent = await asyncio.to_thread(yardstick.run, shots(PHOTOS))
            bare.append(PHOTOS / seconds)
            bare_ms.append(1000 * spent / PHOTOS)
            before, began = costs.spent_ms(bench.stack).total(), time.monotonic()
            await bench.send(camera(PHOTOS), clients=PARALLEL)
            await bench.until_done()
            ours.append(PHOTOS / (time.monotonic() - began))
            ours_ms.append((costs.spent_ms(bench.stack).total() - before) / PHOTOS)
    split = costs.spent_ms(bench.stack) - spent_before
    return {
        "photos: per second, end to end": statistics.median(ours),
        "photos: per second, bare loop": statistics.median(bare),
        "photos: ratio (>= 0.65)": statistics.median(a / b for a, b in zip(ours, bare, strict=True)),
        "photos: processor time of the loop, ms each": statistics.median(bare_ms),
        "photos: processor time beyond the loop, ms each (<= 25)": statistics.median(
            a - b for a, b in zip(ours_ms, bare_ms, strict=True)
        ),
        **{f"photos: of it {name}, ms each": spent / ROUNDS / PHOTOS for name, spent in split.items()},
    }


async def uploads(bench: Bench) -> Results:
    """Megabytes per second of durable uploads, by turns with a bare receiver; nothing is rendered meanwhile."""
    results: Results = {}
    await pause(bench)
    async with _receiver(bench.folder / "received") as plain:
        for clients in (4, 16):
            ratios, rates = [], []
            for _ in range(ROUNDS):
                bare = await asyncio.to_thread(plain.send, _files(), clients=clients)
                ours = await bench.send(_files(), clients=clients)
                await bench.until_placed()
                ratios.append(bare / ours)
                rates.append(UPLOADS * UPLOAD_BYTES / ours / 1e6)
            results[f"uploads: {clients} clients, MB/s"] = statistics.median(rates)
            results[f"uploads: {clients} clients, ratio to a bare receiver (>= 0.45)"] = statistics.median(ratios)
    return results


async def huge(bench: Bench) -> Results:
    """What a file of five gigabytes does to the gateway's memory."""
    before = costs.peak_mb(bench.stack, "gateway")
    seconds = await bench.send([nonsense(HUGE_BYTES)], clients=1)
    await bench.until_placed()
    return {
        "uploads: a file of 5 GB, MB/s": HUGE_BYTES / seconds / 1e6,
        "uploads: memory that the gateway grew by, MB (< 64)": costs.peak_mb(bench.stack, "gateway") - before,
    }


async def backlog(bench: Bench) -> Results:
    """Uploads and fresh photos while two thousand photos wait in the bulk lane."""
    await resume(bench)
    await bench.until_done(600)
    alone_ms = await _median_ready_ms(bench)
    await pause(bench)
    await bench.send(camera(BACKLOG), clients=PARALLEL, lane="bulk")
    quiet = await bench.send(_files(), clients=4)
    await resume(bench)
    await bench.send(camera(2), clients=1)
    busy = await bench.send(_files(), clients=4, lane="bulk")
    fresh_ms = await _median_ready_ms(bench)
    left = await bench.ask("select count(*) from asset_stages where next_at is not null and lane = 1")
    return {
        "backlog: photos that still wait at the end of the measurement": float(left),
        "backlog: upload rate, ratio to the rate before (>= 0.6)": quiet / busy,
        "backlog: a fresh photo ready after, ms (median)": fresh_ms,
        "backlog: ratio to its time alone (<= 3)": fresh_ms / alone_ms,
    }


def _files() -> list[File]:
    return [nonsense(UPLOAD_BYTES) for _ in range(UPLOADS)]


async def pause(bench: Bench) -> None:
    """Render nothing for a while."""
    answer = await bench.client.http.post("/stages/render/pause", json={"reason": "measuring", "minutes": 30})
    assert answer.status_code == 200, answer.text


async def resume(bench: Bench) -> None:
    answer = await bench.client.http.post("/stages/render/resume")
    assert answer.status_code == 200, answer.text


@asynccontextmanager
async def _receiver(folder: Path) -> AsyncIterator[Sender]:
    folder.mkdir()
    port = ports.choose(0)
    process = subprocess.Popen([sys.executable, "-m", receiver.__name__, str(folder), str(port)])
    try:
        await until(lambda: listens(port))
        yield Sender(port)
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


ALL = (single, rate, uploads, huge, backlog)
