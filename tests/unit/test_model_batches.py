"""What waits together runs together, and nobody waits for company."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from common import tasks
from ml_server.batching import Batches, Full, Room
from tests.support.waiting import until


class Slow:
    """Doubles numbers, once it may; keeps what it was asked together."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []
        self.go = threading.Semaphore(0)

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.runs.append(list(items))
        assert self.go.acquire(timeout=10)
        return [ValueError(str(item)) if item < 0 else 2 * item for item in items]


@asynccontextmanager
async def at_work(slow: Slow, at_once: int = 1) -> AsyncIterator["Batches[int, int]"]:
    batches: Batches[int, int] = Batches(slow, 3, at_once)
    working = asyncio.create_task(batches.work())
    yield batches
    slow.go.release(100)
    await tasks.cancel(working)


async def test_who_comes_during_a_run_is_in_the_next() -> None:
    """The first goes alone at once; those that gather meanwhile go together, as many as fit, in their order."""
    slow = Slow()
    async with at_work(slow) as batches:
        asked = [asyncio.create_task(batches.ask(number)) for number in (1, 2, 3, 4, 5)]
        await until(lambda: slow.runs == [[1, 2, 3]])
        asked += [asyncio.create_task(batches.ask(6))]
        slow.go.release(2)

        assert await asyncio.gather(*asked) == [2, 4, 6, 8, 10, 12]
    assert slow.runs == [[1, 2, 3], [4, 5, 6]]


async def test_runs_go_side_by_side() -> None:
    """Who finds a run free need not wait for the one that goes on; who finds none is in the first that ends."""
    slow = Slow()
    async with at_work(slow, at_once=2) as batches:
        asked = [asyncio.create_task(batches.ask(number)) for number in (1, 2, 3, 4)]
        await until(lambda: sorted(slow.runs) == [[1, 2, 3], [4]])
        asked += [asyncio.create_task(batches.ask(5))]
        slow.go.release(3)

        assert await asyncio.gather(*asked) == [2, 4, 6, 8, 10]
    assert slow.runs[2:] == [[5]]


async def test_one_that_fails_spoils_no_other() -> None:
    """Each has its own answer, also when that is an error; who left is not computed for."""
    slow = Slow()
    async with at_work(slow) as batches:
        first = asyncio.create_task(batches.ask(1))
        await until(lambda: slow.runs == [[1]])
        wrong, left, right = (asyncio.create_task(batches.ask(number)) for number in (-2, 3, 4))
        await asyncio.sleep(0)
        left.cancel()
        slow.go.release(2)

        assert (await first, await right) == (2, 8)
        with pytest.raises(ValueError, match="-2"):
            await wrong
    assert slow.runs == [[1], [-2, 4]]


async def test_a_run_that_fails_is_told_to_all_who_asked() -> None:
    """And the next ones are served as if nothing had been."""
    calls: list[int] = []

    def run(items: Sequence[int]) -> list[int]:
        calls.extend(items)
        if items[0] == 0:
            raise MemoryError
        return list(items) if items[0] == 1 else []

    batches: Batches[int, int] = Batches(run, 8)
    working = asyncio.create_task(batches.work())

    with pytest.raises(MemoryError):
        await batches.ask(0)
    async with asyncio.timeout(60):
        with pytest.raises(ValueError, match="shorter"):
            await batches.ask(2)
    assert await batches.ask(1) == 1
    await tasks.cancel(working)


async def test_nobody_waits_for_an_end() -> None:
    """Who still waits when the work ends is let go."""
    slow = Slow()
    async with at_work(slow) as batches:
        asked = [asyncio.create_task(batches.ask(number)) for number in range(5)]
        await until(lambda: len(slow.runs) == 1)

    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)


def test_a_room_is_full_at_last() -> None:
    """One too many is sent away at once, and a place that is left is free again."""
    room = Room(1)
    with room.place(), pytest.raises(Full, match="try again in a moment"), room.place():
        pass
    with room.place():
        pass
