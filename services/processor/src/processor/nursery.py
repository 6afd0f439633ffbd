"""The zygote as the service sees it: started when first needed, and again whenever it died."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
from dataclasses import dataclass, field

import msgspec

from processor.confine import Limits, Walls
from processor.zygote import Ended, News, Ready, Start, Stop

START_SECONDS = 60  # it gives way to everybody else, also while it starts
CLOSE_SECONDS = 0.8


@dataclass(eq=False)
class Child:
    """One confined process: the line to it, how it ended if it did, whose files it reads and how many it has read."""

    number: int
    line: socket.socket
    ended: asyncio.Future[int]
    owner: int
    limits: Limits
    files: int = 0


@dataclass
class Zygote:
    """A running zygote, the line to it, and the children that it has not buried yet."""

    process: asyncio.subprocess.Process
    control: socket.socket
    ready: asyncio.Future[Walls]
    children: dict[int, asyncio.Future[int]] = field(default_factory=dict)

    def hear(self) -> None:
        """Take in one piece of news."""
        try:
            message = self.control.recv(4096)
        except ConnectionError:
            message = b""
        if not message:
            self.lost()
            return
        match msgspec.msgpack.decode(message, type=News):
            case Ready(walls):
                self.ready.set_result(walls)
            case Ended(number, code):
                self.children.pop(number).set_result(code)

    def lost(self) -> None:
        """The zygote is gone, and its children with it."""
        asyncio.get_running_loop().remove_reader(self.control)
        self.control.close()
        if not self.ready.done():
            self.ready.set_exception(RuntimeError("the sandbox did not start"))
        for ended in self.children.values():
            ended.set_result(-signal.SIGKILL)
        self.children.clear()

    @property
    def alive(self) -> bool:
        """Whether it can still be told to fork."""
        return self.control.fileno() >= 0


class Nursery:
    """Brings up children and kills them."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        self.modules = modules
        self.numbers = itertools.count(1)
        self.starting = asyncio.Lock()
        self.zygote: Zygote | None = None

    async def start(self) -> Walls:
        """Have a zygote that runs; the walls that its children get."""
        async with self.starting:
            if self.zygote is None or not self.zygote.alive:
                await self.close()
                self.zygote = await launch(self.modules)
            async with asyncio.timeout(START_SECONDS):
                return await asyncio.shield(self.zygote.ready)

    async def fork(self, *, owner: int, limits: Limits) -> Child:
        """A new child for the files of one owner."""
        await self.start()
        zygote = self.zygote
        if zygote is None or not zygote.alive:
            raise RuntimeError("the sandbox is closed")
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        child = Child(next(self.numbers), ours, asyncio.get_running_loop().create_future(), owner, limits)
        zygote.children[child.number] = child.ended
        with theirs:
            socket.send_fds(zygote.control, [msgspec.msgpack.encode(Start(child.number, limits))], [theirs.fileno()])
        return child

    def kill(self, child: Child) -> None:
        """End a child now, whatever it does."""
        child.line.close()
        if self.zygote is not None and not child.ended.done():
            with contextlib.suppress(OSError):  # a zygote that is gone took its children along
                self.zygote.control.send(msgspec.msgpack.encode(Stop(child.number)))

    async def close(self) -> None:
        """End the zygote and with it every child."""
        zygote, self.zygote = self.zygote, None
        if zygote is None:
            return
        if zygote.alive:
            zygote.lost()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await zygote.process.wait()
        except TimeoutError:
            zygote.process.kill()
            await zygote.process.wait()


async def launch(modules: tuple[str, ...]) -> Zygote:
    """Start a zygote with nothing of ours in it: no environment, no open file, no thread."""
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.setblocking(False)
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "processor.zygote", str(theirs.fileno()), str(os.getpid()), *modules),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=environment(),
        )
    loop = asyncio.get_running_loop()
    zygote = Zygote(process, control, loop.create_future())
    loop.add_reader(control, zygote.hear)
    return zygote


def environment() -> dict[str, str]:
    """Where our modules are, and one thread, one heap and no disk for every library that would like more."""
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # a long file is in memory in a quarter of the time
        "VIPS_DISC_THRESHOLD": "999g",
    }
