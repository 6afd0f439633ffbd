"""Runs ffmpeg on foreign bytes with next to no rights, tells how far it is, and leaves nothing of it behind."""

import asyncio
import math
import os
import signal
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import imageio_ffmpeg
from msgspec import structs

from processor import complaints, narrow
from processor.narrow import CWD, LIBRARIES, Limits

# Where no user namespace is to be had, threads are counted with all others of the account; memory bounds them anyway.
LIMITS = Limits(memory=6 << 30, written=1 << 40, threads=1 << 15, nicer=15, readable=LIBRARIES)
LINE_LIMIT = 1 << 16
MOST_WORDS = 100
LONGEST_COMPLAINT = 4000
BABBLE = "ffmpeg says what nobody asked it for"
ENDED_BY_SIGNAL = 255  # or by what it may not do

Said = dict[str, str]
Told = Callable[[Said], Awaitable[None]]
"""Is told what ffmpeg says of its progress, about once a second."""


class Failed(Exception):
    """It ended with an error, which the message tells."""


class Killed(Exception):
    """It did not survive; the message says what ended it."""


class Endless(Exception):
    """It was ended as it would not come to an end within reason; the message says why."""


class NotBegun(Exception):
    """It could not even be started as it should be, or had no threads to work with; the message says why."""


class NoRoom(Exception):
    """The disk had no room for what it wrote."""


class Stopped(Exception):
    """Somebody told it to stop, as whoever ends a whole server does."""


@dataclass(frozen=True)
class Patience:
    """How long nothing may come of it: seconds of its own processor time, and seconds in which it uses next to none.

    Whoever waits for a busy machine still gets a little of it, and so is told from whoever waits for nothing.
    """

    used: float = 600.0
    idle: float = 1800.0
    next_to_none: float = 1.0
    every: float = 5.0


@dataclass(frozen=True)
class Ffmpeg:
    """A program and the empty folder that it runs in."""

    program: str
    folder: str
    patience: Patience = field(default_factory=Patience)

    async def run(
        self,
        arguments: Sequence[str],
        *,
        standard_input: int,
        descriptors: Sequence[int],
        told: Told,
        limits: Limits = LIMITS,
        devices: Sequence[str] = (),
    ) -> str:
        """Run it to its end and return what it complained of.

        It has these descriptors and devices and no other file, and it never outlives this call.
        """
        limits = structs.replace(limits, devices=tuple(devices))
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
            complaint = await self._attend(process, told, limits.seconds)
        finally:
            await _end(process)
        _judge(process.returncode or 0, complaint)
        return complaint

    async def _attend(self, process: Process, told: Told, most: float | None) -> str:
        """Listen to it until it has ended; whatever goes wrong meanwhile ends all of it."""
        try:
            async with asyncio.TaskGroup() as tasks:
                complaint, heard = tasks.create_task(_complaint(process)), Heard()
                watching = tasks.create_task(_watch(process, heard, self.patience, most or math.inf))
                await _listen(process, told, heard)
                await process.wait()
                watching.cancel()
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        return complaint.result()


@dataclass
class Heard:
    """How far it was when it last said so."""

    progress: str = ""


@asynccontextmanager
async def opened() -> AsyncIterator[Ffmpeg]:
    """The program that came with us, with a folder to run in."""
    with tempfile.TemporaryDirectory(prefix="lumilio-") as folder:
        os.mkdir(os.path.join(folder, CWD))
        yield Ffmpeg(bundled(), folder)


def bundled() -> str:
    """The program that came with us."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


async def _listen(process: Process, told: Told, heard: Heard) -> None:
    """Take in what is said line by line; each report ends with the word whether there will be another."""
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    said: Said = {}
    while line := await _line(process.stdout):
        name, _, value = line.decode(errors="replace").strip().partition("=")
        said[name] = value.strip()
        if name == "progress":
            heard.progress = said.get("out_time_us", "") + said.get("frame", "") + said.get("total_size", "")
            await told(said)
            said = {}
        if len(said) > MOST_WORDS:
            raise Killed(BABBLE)


async def _line(stdout: asyncio.StreamReader) -> bytes:
    try:
        return await stdout.readline()
    except ValueError:  # it is longer than any of ours
        raise Killed(BABBLE) from None


async def _complaint(process: Process) -> str:
    assert process.stderr is not None  # noqa: S101  # it is a pipe
    kept = b""
    while piece := await process.stderr.read(LINE_LIMIT):
        kept = (kept + piece)[-LONGEST_COMPLAINT:]
    return kept.decode(errors="replace").strip()


async def _watch(process: Process, heard: Heard, patience: Patience, most: float) -> None:
    """Lose patience with one that works too much, works without getting on, or does not work."""
    while True:
        at, progress, used = time.monotonic(), heard.progress, _used(process)
        woken, lately = at, used
        while heard.progress == progress:
            await asyncio.sleep(patience.every)
            now = _used(process)
            if now - lately > patience.next_to_none:
                woken, lately = time.monotonic(), now
            if now > most:
                raise Endless("it takes far more processor time than it is long")
            if now - used > patience.used:
                raise Endless(f"ffmpeg got no further with it in {now - used:.0f} seconds of processor time")
            if time.monotonic() - woken > patience.idle:
                raise Killed(f"ffmpeg stood still for {time.monotonic() - woken:.0f} seconds")


def _used(process: Process) -> float:
    """The processor time that it has used, by the clock that the kernel keeps for each process."""
    with suppress(OSError):
        return time.clock_gettime(~process.pid << 3 | 2)
    return 0.0


async def _end(process: Process) -> None:
    """Whatever is left in its pipes is read, as they are closed only then."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.communicate()


def _judge(code: int, complaint: str) -> None:
    """Raise what an end means that is not a good one."""
    if code == narrow.NOT_BEGUN:
        raise NotBegun(f"ffmpeg could not be started: {complaint.rpartition(chr(10))[2]}")
    if code == -signal.SIGXFSZ:
        raise Endless("what is made of it grows beyond all measure")
    if code == ENDED_BY_SIGNAL and complaints.FORBIDDEN not in complaint:
        raise Stopped("ffmpeg was told to stop")
    if code < 0:
        raise Killed(f"ffmpeg was ended by {signal.Signals(-code).name}")
    if code and (complaints.FULL in complaint or complaints.QUOTA in complaint):
        raise NoRoom("the disk is full")
    if code and complaints.is_of_machine(complaint):
        raise NotBegun("the machine had too little to spare for ffmpeg")
    if code and complaints.NO_MEMORY in complaint:
        raise Killed("ffmpeg needs more memory than it may have")
    if code:
        raise Failed(complaints.explained(complaint))
