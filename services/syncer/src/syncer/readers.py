"""Processes that read files for us, politely: they exist only while there is something to read."""

import asyncio
import ctypes
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from syncer import comparing, reading
from syncer.comparing import Compared, Kept
from syncer.reading import Reading, Wanted

T = TypeVar("T")

NICE = 10
MOST_MEMORY = 2 << 30
PROBE_BYTES = 1
"""What is written, and forgotten, to see whether a disk that fails takes anything at all."""
LEAST_CPU_SECONDS, BYTES_PER_CPU_SECOND = 20, 20 << 20
PR_SET_PDEATHSIG = 1
IDLE_SECONDS = 30.0


class Died(OSError):
    """A process ended amid its work, or another that shared its fate."""


def read_all(root: bytes, wanted: Sequence[Wanted]) -> list[Reading]:
    """Read some files, one after the other; a file that takes far more time to compute than it may ends the process."""
    readings = []
    for one in wanted:
        signal.setitimer(signal.ITIMER_PROF, _cpu_seconds(os.path.join(root, one.path)))
        readings.append(reading.read(root, one))
    signal.setitimer(signal.ITIMER_PROF, 0)
    return readings


@dataclass
class Readers:
    """Up to `count` processes that do the `work`; they end when nothing was read for half a minute."""

    count: int
    work: Callable[[bytes, Sequence[Wanted]], list[Reading]] = read_all
    _pool: ProcessPoolExecutor | None = None
    _busy: int = 0
    _ending: asyncio.TimerHandle | None = None
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.count)  # who leaves before it was theirs costs nothing

    async def read(self, root: bytes, wanted: Sequence[Wanted]) -> list[Reading]:
        """Read some files in another process; if it dies of one, that is found out and the others are read."""
        try:
            return await self._run(partial(self.work, root, wanted))
        except Died:
            async with self._alone:
                return await self._apart(root, wanted)

    async def compare(self, root: bytes, kept: Sequence[Kept], *, is_probed: bool) -> Compared:
        """Read some files again in another process; Died when it does, and the same may be asked for again."""
        return await self._run(partial(comparing.compare_all, root, kept, is_probed=is_probed))

    async def _run(self, work: Callable[[], T]) -> T:
        async with self._turns:
            pool = self._begin()
            try:
                return await _done(pool, work)
            except Died:
                if self._pool is pool:
                    self.close()
                raise
            finally:
                self._end()

    async def _apart(self, root: bytes, wanted: Sequence[Wanted]) -> list[Reading]:
        """Read files in a process that does nothing else, of those that end it ever fewer."""
        pool = _started(1)
        try:
            return await _done(pool, partial(self.work, root, wanted))
        except Died:
            if len(wanted) == 1:
                return [reading.unreadable(wanted[0], "whoever reads it dies of it")]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        half = len(wanted) // 2
        return [*await self._apart(root, wanted[:half]), *await self._apart(root, wanted[half:])]

    def close(self) -> None:
        """End the processes without waiting for them."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self) -> ProcessPoolExecutor:
        if self._ending is not None:
            self._ending.cancel()
        self._busy += 1
        if self._pool is None:
            self._pool = _started(self.count)
        return self._pool

    def _end(self) -> None:
        self._busy -= 1
        if not self._busy:
            self._ending = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.close)


def kill_all() -> None:
    """Whoever still reads for this service ends at once; the interpreter would wait for one that hangs on its disk."""
    for process in multiprocessing.active_children():
        process.kill()


async def _done(pool: ProcessPoolExecutor, work: Callable[[], T]) -> T:
    """Who leaves calls off no work: where some was, the pool of Python 3.11 tells nobody more that it is broken."""
    try:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(pool, work))
    except BrokenProcessPool:
        raise Died("a process that reads files has died") from None


def _started(count: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, context, initializer=_prepare, initargs=(os.getpid(),))


def _cpu_seconds(path: bytes) -> float:
    """How long a file may be computed on; a slow disk is not its fault, so waiting does not count."""
    try:
        return LEAST_CPU_SECONDS + os.lstat(path).st_size / BYTES_PER_CPU_SECOND
    except OSError:
        return LEAST_CPU_SECONDS


def _prepare(parent: int) -> None:
    """Give way to everything else, die with the service, and let it alone decide when."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    os.nice(NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # somebody wants to write what we hold against writers for a moment
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (PROBE_BYTES, PROBE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
