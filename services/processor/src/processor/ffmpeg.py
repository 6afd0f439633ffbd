"""Runs ffmpeg on foreign bytes with next to no rights, tells how far it is, and leaves nothing of it behind."""

import asyncio
import os
import signal
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import imageio_ffmpeg
from msgspec import structs

from processor import narrow
from processor.narrow import CWD, Limits

LIMITS = Limits(memory=6 << 30, written=1 << 40, threads=512)
LINE_LIMIT = 1 << 16
LONGEST_COMPLAINT = 4000

Told = Callable[[dict[str, str]], Awaitable[None]]
"""Is told what ffmpeg says of its progress, about once a second."""


class Failed(Exception):
    """It ended with an error, which the message tells."""


class Killed(Exception):
    """It did not survive; the message says what ended it."""


@dataclass(frozen=True)
class Ffmpeg:
    """A program and the empty folder that it runs in."""

    program: str
    folder: str

    async def run(
        self,
        arguments: Sequence[str],
        *,
        standard_input: int,
        descriptors: Sequence[int],
        told: Told,
        devices: Sequence[str] = (),
    ) -> None:
        """Run it to its end; it has these descriptors and devices and no other file, and never outlives this call."""
        limits = structs.replace(LIMITS, devices=tuple(devices))
        process = await asyncio.create_subprocess_exec(
            *narrow.command(self.folder, limits, self.program, *arguments),
            stdin=standard_input,
            stdout=PIPE,
            stderr=PIPE,
            pass_fds=list(descriptors),
            env={},
            limit=LINE_LIMIT,
        )
        try:
            complaint, _ = await asyncio.gather(_complaint(process), _listen(process, told))
            code = await process.wait()
        finally:
            await _end(process)
        if code < 0:
            raise Killed(f"ffmpeg was ended by {signal.Signals(-code).name}")
        if code:
            raise Failed(complaint or f"ffmpeg ended with {code}")


@asynccontextmanager
async def opened() -> AsyncIterator[Ffmpeg]:
    """The program that came with us, with a folder to run in."""
    with tempfile.TemporaryDirectory(prefix="lumilio-") as folder:
        os.mkdir(os.path.join(folder, CWD))
        yield Ffmpeg(bundled(), folder)


def bundled() -> str:
    """The program that came with us."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


async def _listen(process: Process, told: Told) -> None:
    """Take in what is said line by line; each report ends with the word whether there will be another."""
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    said: dict[str, str] = {}
    while line := await process.stdout.readline():
        name, _, value = line.decode(errors="replace").strip().partition("=")
        said[name] = value.strip()
        if name == "progress":
            await told(said)
            said = {}


async def _complaint(process: Process) -> str:
    assert process.stderr is not None  # noqa: S101  # it is a pipe
    kept = b""
    while piece := await process.stderr.read(LINE_LIMIT):
        kept = (kept + piece)[-LONGEST_COMPLAINT:]
    return kept.decode(errors="replace").strip().rpartition("\n")[2]


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
