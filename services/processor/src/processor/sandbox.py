"""Runs pure functions on foreign files in confined processes, so that a hostile file hurts nobody but itself."""

import asyncio
import contextlib
import fcntl
import functools
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, get_type_hints

import msgspec
from msgspec import Struct

from common import metrics, stages
from common.formats import BY_MIME, RAW_TYPES, TIFF
from processor import audios
from processor.child import LENGTH, REQUEST_LIMIT, Answer, Broke, Done, Exhausted, Refused, Request, Starved
from processor.confine import Limits, Walls
from processor.nursery import Child, Nursery
from processor.unreadable import Unreadable
from processor.zygote import STILLBORN

PHOTO = Limits(seconds=30, memory=7 << 28, answer=32 << 20)  # two fifths of the memory are mapped code
RAW = Limits(seconds=45, memory=9 << 28, answer=32 << 20)
VIDEO = Limits(seconds=60, memory=9 << 28, answer=32 << 20)  # 8K needs half of the memory
AUDIO = Limits(seconds=audios.SHORT_SECONDS, memory=7 << 28, answer=32 << 20)  # covers are photos
LONG_AUDIO = Limits(seconds=audios.LONG_SECONDS, memory=7 << 28, answer=32 << 20, files=8)
# All that a confined process will need, for it can load nothing.
DECODERS = (
    "processor.images",
    "processor.turbo",
    "processor.raw",
    "processor.videos",
    "processor.audios",
    "processor.clips",
    "processor.previews",
    "processor.frames",
    "processor.posters",
    "processor.probes",
    "processor.survey",
    "processor.sounds",
    "processor.tags",
    "processor.covers",
)
REASON_LENGTH = 500
BURIAL_SECONDS = 2
KILLS = {"took": "time", "used": "time", "needed": "memory", "was": "killed", "crashed": "crash", "answered": "answer"}
"""What each kind of end is called where ends are counted, by the first word of its reason."""
ANSWERS: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)

Result = TypeVar("Result")


class Died(Exception):
    """The process that read the file did not survive it; the message says what it did."""


class NoRoom(Exception):
    """The machine had no process or thread to spare or its disk failed, which says nothing of the file."""


class Status(Struct, frozen=True):
    """How well the processes are confined, and what is missing if anything is."""

    level: Literal["full", "reduced"]
    reason: str | None = None


@contextlib.asynccontextmanager
async def open(  # noqa: A001 - `sandbox.open` is what callers read
    workers: int, *, modules: tuple[str, ...] = DECODERS, require: bool = False
) -> AsyncIterator["Sandbox"]:
    """A sandbox of at most so many processes that can call the functions of these modules; they end with it.

    With `require` it refuses to open where the kernel cannot put up every wall.
    """
    nursery = Nursery(modules)
    try:
        status = status_of(await nursery.start())
        if require and status.level != "full":
            raise RuntimeError(f"the sandbox is reduced: {status.reason}")
        box = Sandbox(nursery, workers, status)
        try:
            yield box
        finally:
            box.rest()
    finally:
        await nursery.close()


class Sandbox:
    """A pool of confined processes; each reads the files of one owner only."""

    def __init__(self, nursery: Nursery, workers: int, status: Status) -> None:
        self.status = status
        self._nursery = nursery
        self._slots = asyncio.Semaphore(workers)
        self._free = workers
        self._idle: list[Child] = []

    async def run(
        self,
        function: Callable[..., Result],
        file: int | Path | None,
        *arguments: Any,
        owner: int,
        limits: Limits = PHOTO,
        beside: Sequence[int] = (),
    ) -> Result:
        """What the function returns for the file (a read-only descriptor or a path), plain arguments and files beside.

        Raises `Unreadable` when the function does, `Died` when its process broke a limit, broke down or was killed, and
        `NoRoom` when the machine had too little for it.
        """
        request = msgspec.msgpack.encode(Request(function.__module__, function.__qualname__, list(arguments)))
        if len(request) > REQUEST_LIMIT:
            raise ValueError("the arguments are too long for the sandbox")
        with opened(file) as descriptors:
            async with self._child(owner, limits) as child:
                answer = await ask(child, request, [*descriptors, *map(checked, beside)])
                return decoded(outcome_of(answer, limits), function)

    def rest(self) -> None:
        """Keep no idle process."""
        while self._idle:
            self._nursery.kill(self._idle.pop())

    @contextlib.asynccontextmanager
    async def _child(self, owner: int, limits: Limits) -> AsyncIterator[Child]:
        """A child of this owner, killed unless all goes well."""
        async with self._slots:
            self._free -= 1
            try:
                child = self._idle_child(owner, limits) or await self._nursery.fork(owner=owner, limits=limits)
                try:
                    yield child
                except BaseException as error:
                    self._nursery.kill(child)
                    if isinstance(error, Died):
                        metrics.KILLED.labels(KILLS.get(str(error).split()[0], "other")).inc()
                    raise
                self._keep(child)
            finally:
                self._free += 1

    def _idle_child(self, owner: int, limits: Limits) -> Child | None:
        """An idle child of this owner; if there is none, the others make room for a new one."""
        for child in list(self._idle):
            if child.ended.done() or (child.owner, child.limits) == (owner, limits):
                self._idle.remove(child)
                if not child.ended.done():
                    return child
                self._nursery.kill(child)
        while len(self._idle) > self._free:
            self._nursery.kill(self._idle.pop(0))
        return None

    def _keep(self, child: Child) -> None:
        """Let a child wait for its owner's next file, unless it has read its share."""
        child.files += 1
        if child.files < child.limits.files:
            self._idle.append(child)
        else:
            self._nursery.kill(child)


@contextlib.contextmanager
def outcomes() -> Iterator[None]:
    """What ends a reading, as what it means for the work that it is a part of."""
    try:
        yield
    except Unreadable as error:
        raise stages.Reject(str(error)) from None
    except Died as error:
        raise stages.Died(str(error)) from None


async def ask(child: Child, request: bytes, descriptors: list[int]) -> Answer:
    """The child's answer, in time and of a decent length."""
    try:
        socket.send_fds(child.line, [request], descriptors)
        async with asyncio.timeout(child.limits.seconds):
            (length,) = LENGTH.unpack(await read(child.line, LENGTH.size))
            if length > child.limits.answer:
                raise Died(f"answered with more than {child.limits.answer >> 20} MB")
            return ANSWERS.decode(await read(child.line, length))
    except TimeoutError:
        raise Died(f"took longer than {child.limits.seconds:g} seconds") from None
    except (EOFError, ConnectionError):
        raise Died(await last_words(child)) from None
    except msgspec.MsgspecError as error:
        raise Died(f"answered with nonsense: {error}") from None


async def last_words(child: Child) -> str:
    """How a child that hung up has ended; one that hung up and lives on is killed by our caller."""
    try:
        async with asyncio.timeout(BURIAL_SECONDS):
            return how_it_ended(await asyncio.shield(child.ended), child.limits)
    except TimeoutError:
        return "hung up without an answer"


async def read(line: socket.socket, length: int) -> bytearray:
    """Exactly so many bytes."""
    loop, data, filled = asyncio.get_running_loop(), bytearray(length), 0
    while filled < length:
        received = await loop.sock_recv_into(line, memoryview(data)[filled:])
        if received == 0:
            raise EOFError
        filled += received
    return data


def outcome_of(answer: Answer, limits: Limits) -> msgspec.Raw:
    """The encoded result, or the verdict raised."""
    match answer:
        case Done(result):
            return result
        case Refused(reason):
            raise Unreadable(reason[:REASON_LENGTH])
        case Broke(reason):
            raise Died(reason[:REASON_LENGTH])
        case Exhausted():
            raise Died(too_much_memory(limits))
        case Starved(reason):
            raise NoRoom(reason[:REASON_LENGTH])


def how_it_ended(code: int, limits: Limits) -> str:
    """The end of a process in words; `NoRoom` for one that never began."""
    if code == STILLBORN:
        raise NoRoom("the machine has no process to spare for the sandbox")
    if code == -signal.SIGTRAP:  # how GLib ends a process that gets no memory
        return too_much_memory(limits)
    if code == -signal.SIGXCPU:
        return "used more than its processor time"
    if code == -signal.SIGKILL:  # by nobody here, who would know why
        return "was killed, as happens where memory runs out"
    if code < 0:
        return f"crashed ({signal.Signals(-code).name})"
    return f"ended without an answer ({code})"


def too_much_memory(limits: Limits) -> str:
    return f"needed more than {limits.memory / (1 << 30):g} GB of memory"


def decoded(result: msgspec.Raw, function: Callable[..., Result]) -> Result:
    """The result, if it is what the function promises."""
    try:
        returned: Result = decoder_of(function).decode(result)
    except msgspec.MsgspecError as error:
        raise Died(f"answered with nonsense: {error}") from None
    return returned


@functools.cache
def decoder_of(function: Callable[..., Any]) -> msgspec.msgpack.Decoder[Any]:
    """Checks that a result is what the function promises."""
    return msgspec.msgpack.Decoder(get_type_hints(function)["return"])


@contextlib.contextmanager
def opened(file: int | Path | None) -> Iterator[list[int]]:
    """The descriptors to send along: a path is opened, a descriptor of the caller's stays open behind us."""
    if isinstance(file, Path):
        with file.open("rb", buffering=0) as stream:
            yield [stream.fileno()]
    elif file is None:
        yield []
    else:
        yield [checked(file)]


def checked(descriptor: int) -> int:
    """A descriptor that only reads; ValueError for any other."""
    if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
        raise ValueError("the sandbox takes files that are open for reading only")
    return descriptor


def limits_of(mime: str, length: int = 0) -> Limits:
    """What a file of this type and of so many bytes may cost."""
    if mime in RAW_TYPES or mime == TIFF.mime_type:  # which may turn out to be a raw file
        return RAW
    if BY_MIME[mime].kind == "audio":
        return AUDIO if audios.seconds_for(length) == AUDIO.seconds else LONG_AUDIO
    return PHOTO if BY_MIME[mime].kind == "photo" else VIDEO


def status_of(walls: Walls) -> Status:
    """What these walls amount to."""
    missing = [name for name, there in (("Landlock", walls.landlock), ("seccomp", walls.seccomp)) if not there]
    if missing:
        return Status("reduced", f"this kernel has no {' and no '.join(missing)}")
    return Status("full")
