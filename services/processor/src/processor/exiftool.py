"""A second look by exiftool, where an operator wants it, at photos of which nobody knows the time or the camera.

One process is asked file after file. It reads foreign bytes outside the sandbox, so it gets a copy alone and next to no
rights (`processor.narrow`), and is ended on any trouble; the next file begins another one.
"""

import asyncio
import os
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

from common import formats, log
from processor import confine, narrow
from processor.images import Photo
from processor.metadata import Metadata, exiftool
from processor.narrow import CWD

OLDEST = (13, 50)
SECONDS = 10.0
START_SECONDS = 30.0
LARGEST_ANSWER = 1 << 18
LARGEST_FILE = 1 << 28
PIECE = 1 << 20
ASKING = ["-config", "", "-stay_open", "True", "-@", "-", "-common_args", "-fast2", "-j", "-G1", "-n"]


class Trouble(Exception):
    """The program does not do what it is asked for."""


@dataclass
class Exiftool:
    """A process that is begun when it is needed, and asked one file at a time."""

    program: str
    folder: str
    _process: Process | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _numbers: "count[int]" = field(default_factory=count)

    async def complete(self, seen: Metadata, descriptor: int, mime: str) -> Metadata:
        """What is known of an open file, with what exiftool alone knows; never fails, for it is a favour."""
        async with self._lock:
            try:
                async with asyncio.timeout(SECONDS):
                    return exiftool.filled(seen, exiftool.read(await self._ask(descriptor, mime)))
            except (TimeoutError, OSError, Trouble, ValueError) as error:
                log.get().warning("exiftool was of no use", error=str(error) or type(error).__name__)
                await self.end()
                return seen
            except asyncio.CancelledError:
                await self.end()
                raise

    async def refuse_unfit(self) -> None:
        """Trouble unless the program is there and new enough: older ones do what a file says."""
        try:
            async with asyncio.timeout(START_SECONDS):
                self._process = await self._start("-config", "", "-ver")
                told = (await self._process.communicate())[0].decode(errors="replace").strip()
        except (OSError, TimeoutError) as error:
            raise Trouble(str(error) or "it does not answer") from None
        finally:
            await self.end()
        numbers = told.split(".")
        if not all(part.isdecimal() for part in numbers) or tuple(map(int, numbers)) < OLDEST:
            raise Trouble(f"it says {told[:40]!r}, and not a version of 13.50 or newer")

    async def end(self) -> None:
        """Let nothing of it run on."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ask(self, descriptor: int, mime: str) -> bytes:
        if os.fstat(descriptor).st_size > LARGEST_FILE:
            raise Trouble("the file is too large for it")
        with tempfile.TemporaryDirectory(dir=self.folder) as own:
            path = os.path.join(own, f"file{formats.BY_MIME[mime].extension}")
            await asyncio.to_thread(_copy, descriptor, own, path)
            return await self._answer(path)

    async def _answer(self, path: str) -> bytes:
        if self._process is None or self._process.returncode is not None:
            self._process = await self._start(*ASKING, *(f"-{tag}" for tag in exiftool.TAGS))
        questions, answers, number = self._process.stdin, self._process.stdout, next(self._numbers)
        assert questions is not None  # noqa: S101  # both are pipes
        assert answers is not None  # noqa: S101
        questions.write(f"{path}\n-execute{number}\n".encode())
        await questions.drain()
        end, answer = f"{{ready{number}}}".encode(), b""
        while not answer.rstrip().endswith(end):
            piece = await answers.read(1 << 16)
            answer += piece
            if not piece or len(answer) > LARGEST_ANSWER:
                raise Trouble("it says too much" if piece else "it ended")
        return answer.rstrip().removesuffix(end)

    async def _start(self, *arguments: str) -> Process:
        own = os.path.dirname(os.path.realpath(self.program))
        limits = narrow.Limits(readable=(*narrow.SCRIPTS, own))
        command = narrow.command(self.folder, limits, self.program, *arguments)
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, close_fds=True, env={}
        )


@asynccontextmanager
async def opened(program: str) -> AsyncIterator[tuple[Exiftool | None, list[str]]]:
    """A second look, if the program named is fit for it, and what is to be told when it is not; none for no name."""
    if not program:
        yield None, []
        return
    with tempfile.TemporaryDirectory(prefix="lumilio-") as folder:
        os.mkdir(os.path.join(folder, CWD))
        _hand_over(folder, os.path.join(folder, CWD))
        found = Exiftool(program, folder)
        try:
            await found.refuse_unfit()
        except Trouble as trouble:
            yield None, [f"exiftool is not used: {trouble}"]
            return
        try:
            yield found, []
        finally:
            await found.end()


def is_wanted(photo: Photo) -> bool:
    """Whether a second look may tell what the first one did not."""
    return photo.is_raw or photo.metadata.taken_at is None or photo.metadata.camera_model is None


def _copy(descriptor: int, folder: str, path: str) -> None:
    """The bytes of an open file under a name of ours; its own offset is left where it is."""
    position = 0
    with open(path, "xb") as file:
        while piece := os.pread(descriptor, PIECE, position):
            file.write(piece)
            position += len(piece)
    _hand_over(folder, path)


def _hand_over(*paths: str) -> None:
    """Whoever reads is nobody where we are root; no other account may see it either way."""
    if os.geteuid() == 0:
        for path in paths:
            os.chown(path, confine.NOBODY, confine.NOBODY)
