"""Films: what the stage adds to the bare command."""

import asyncio
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import psutil

from tests.bench import clips
from tests.bench.figures import Bench, Results
from tests.support.waiting import until

SECONDS, ROUNDS = 10, 3


async def transcodes(bench: Bench) -> Results:
    """A phone's clip made into what browsers play by the stage, by turns with the very command that it runs."""
    path = await asyncio.to_thread(clips.phone, bench.folder / "phone.mp4", "hevc", seconds=SECONDS)
    film = await upload(bench, path)
    await bench.until_done()
    ours, bare = [], []
    for _ in range(ROUNDS):
        seconds, command = await _made(bench, film)
        ours.append(seconds)
        bare.append(await asyncio.to_thread(_bare, command, path))
    return {
        "films: HEVC 1080p to H.264, times real time": SECONDS / min(ours),
        "films: the same, bare command": SECONDS / min(bare),
        "films: ratio (>= 0.95)": statistics.median(b / a for a, b in zip(ours, bare, strict=True)),
    }


async def remuxes(bench: Bench) -> Results:
    """A phone's clip that needs only its index moved."""
    path = await asyncio.to_thread(clips.phone, bench.folder / "index.mp4", "h264", seconds=SECONDS)
    film, times = await upload(bench, path), []
    for _ in range(ROUNDS):
        await want(bench, film, "never")
        await bench.until_done()
        began = time.monotonic()
        await want(bench, film, "smart")
        await bench.until_done()
        times.append(1000 * (time.monotonic() - began))
    return {"films: H.264 put into another container, from wish to ready, ms": min(times)}


async def upload(bench: Bench, path: Path) -> UUID:
    """Send a clip; returns the asset."""
    await bench.client.send(path.read_bytes(), path.name)
    return bench.client.acks[-1].asset_id


async def want(bench: Bench, film: UUID, policy: str) -> None:
    """Ask for a version for browsers, or to be without it; returns before that is so."""
    answer = await bench.client.http.post(f"/assets/{film}/transcode", json={"policy": policy})
    assert answer.status_code == 200, answer.text


async def encoder(bench: Bench) -> psutil.Process:
    """The running ffmpeg, as soon as there is one."""
    found = await until(lambda: list(_encoders(bench)), seconds=60, every=0.02, what="ffmpeg runs")
    assert found
    return found[0]


def _encoders(bench: Bench) -> Iterator[psutil.Process]:
    for process in psutil.Process(bench.stack.pid("processor")).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if process.name().startswith("ffmpeg"):
                yield process


async def _made(bench: Bench, film: UUID) -> tuple[float, list[str]]:
    """Seconds from the wish to the finished version, and the command that made it."""
    await want(bench, film, "never")
    await bench.until_done()
    began = time.monotonic()
    await want(bench, film, "always")
    command = (await encoder(bench)).cmdline()
    await bench.until_done()
    return time.monotonic() - began, command


def _bare(command: list[str], path: Path) -> float:
    """Seconds of the same command on files of the same kind, with nobody who watches over it."""
    target = path.with_suffix(".bare")
    with path.open("rb") as source, target.open("w+b") as made, target.open("rb") as again:
        descriptors = (source.fileno(), made.fileno())
        began = time.monotonic()
        subprocess.run(
            _with(command, *descriptors), check=True, stdin=again, stdout=subprocess.DEVNULL, pass_fds=descriptors
        )
        return time.monotonic() - began


def _with(command: list[str], *descriptors: int) -> list[str]:
    """The command with other descriptors, of what is read and of what is written."""
    left = iter(descriptors)
    return [str(next(left)) if before == "-fd" else word for before, word in zip(["", *command], command, strict=False)]


ALL = (transcodes, remuxes)
