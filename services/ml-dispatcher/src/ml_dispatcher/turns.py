"""Does work that waits as rows, some at a time, for as long as there is any."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeAlias

import psycopg

from common import log

REST = 3.0
"""It rests so much longer than it worked: what waits here can wait, however much it is, and people cannot."""

GATHER_SECONDS = 1.0
"""After few it rests so long at least, so that the next are more: one costs nearly as much as fifty."""

Work: TypeAlias = Callable[[int], Awaitable[int]]
"""Does so many at most in one transaction; returns how many that were."""


async def run(work: Work, stop: asyncio.Event, *, what: str, most: int, idle_seconds: float) -> None:
    """Work until told to stop; any number of dispatchers may do so at once, and an outage only delays it.

    What takes too long at once is tried a few at a time.
    """
    size, done = most, 0
    while not stop.is_set():
        began, is_full = monotonic(), False
        try:
            done = await work(size)
            size, is_full = most, done >= size
        except psycopg.Error as error:
            log.get().warning(f"{what} delayed", error=str(error).strip())
            size, done = max(1, size // 10), 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(
                pause(done, is_full=is_full, seconds=monotonic() - began, idle_seconds=idle_seconds)
            ):
                await stop.wait()


def pause(done: int, *, is_full: bool, seconds: float, idle_seconds: float) -> float:
    """How long to rest after that much was done in so many seconds: at most a quarter of the time is worked."""
    least = 0.0 if is_full else GATHER_SECONDS
    return min(max(REST * seconds, least), idle_seconds) if done else idle_seconds
