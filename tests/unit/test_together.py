"""What many ask for at the same time is fetched in one go."""

import asyncio
from collections.abc import Sequence

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from common.together import Together


class Shop:
    """Doubles numbers for who stands there when it opens; keeps who came together."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []
        self.opened = asyncio.Event()

    async def serve(self, items: Sequence[int]) -> list[int | Exception]:
        self.runs.append(list(items))
        await self.opened.wait()
        if 13 in items:
            raise OSError("13")
        return [ValueError(str(item)) if item < 0 else 2 * item for item in items]


async def test_who_comes_during_a_run_is_in_the_next() -> None:
    """As many as fit, in their order."""
    shop = Shop()
    together = Together(shop.serve, most=3)
    asked = [asyncio.create_task(together.ask(number)) for number in range(5)]
    await asyncio.sleep(0)
    asked += [asyncio.create_task(together.ask(5))]
    await asyncio.sleep(0)
    shop.opened.set()

    assert await asyncio.gather(*asked) == [0, 2, 4, 6, 8, 10]
    assert shop.runs == [[0, 1, 2], [3, 4, 5]]


async def test_nobody_pays_for_another() -> None:
    """An answer may be an error; what fails for all is tried for each alone; who left is not served."""
    shop = Shop()
    together = Together(shop.serve)
    asked = [asyncio.create_task(together.ask(number)) for number in (1, 13, -2, 4)]
    await asyncio.sleep(0)
    late = asyncio.create_task(together.ask(5))
    await asyncio.sleep(0)
    late.cancel()
    shop.opened.set()

    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(one) for one in told] == ["2", "13", "-2", "8"]
    assert isinstance(told[1], OSError)
    with pytest.raises(asyncio.CancelledError):
        await late
    assert await together.ask(6) == 12, "it goes on"
    assert shop.runs == [[1, 13, -2, 4], [1], [13], [-2], [4], [6]]


async def test_who_left_meanwhile_is_not_tried_alone() -> None:
    """What failed for many is tried for those who still wait."""
    shop = Shop()
    together = Together(shop.serve)
    asked = [asyncio.create_task(together.ask(number)) for number in (1, 13, 4)]
    while not shop.runs:
        await asyncio.sleep(0)
    asked[2].cancel()
    shop.opened.set()
    await asyncio.wait(asked)

    assert await together.ask(6) == 12
    assert shop.runs == [[1, 13, 4], [1], [13], [6]]


@pytest.mark.parametrize(
    ("error", "runs"),
    [
        (PoolTimeout("no connection"), 1),
        (psycopg.OperationalError("the connection is lost"), 1),
        (psycopg.errors.AdminShutdown("terminating"), 1),
        (psycopg.errors.ReadOnlySqlTransaction("it follows another"), 1),
        (psycopg.errors.DiskFull("no space left"), 1),
        (psycopg.errors.TooManyConnections("too many clients"), 1),
        (psycopg.errors.OutOfMemory("out of memory"), 4),
        (psycopg.errors.IoError("an unreadable block"), 4),
        (psycopg.errors.DeadlockDetected("another went on"), 4),
    ],
)
async def test_nobody_waits_for_a_database_that_is_away_for_all(error: Exception, runs: int) -> None:
    """Who asked together hears of it at once; what may be one's own fault is tried for each alone."""
    tried = 0

    async def fail(_: Sequence[int]) -> list[int | Exception]:
        nonlocal tried
        tried += 1
        raise error

    together = Together(fail)
    told = await asyncio.gather(*(together.ask(number) for number in range(3)), return_exceptions=True)

    assert (told, tried) == ([error] * 3, runs)


@pytest.mark.parametrize("answers", [[], [1, 2, 3, 4]])
async def test_answers_that_do_not_fit_leave_nobody_waiting(answers: list[int | Exception]) -> None:
    """Who asked together hears that something is wrong, and who asks next is served."""
    runs = 0

    async def confuse(items: Sequence[int]) -> list[int | Exception]:
        nonlocal runs
        runs += 1
        return answers if runs < 5 else list(items)

    together = Together(confuse)
    async with asyncio.timeout(60):
        told = await asyncio.gather(*(together.ask(number) for number in range(3)), return_exceptions=True)

        assert [type(one) for one in told] == [ValueError] * 3
        assert await together.ask(6) == 6


async def test_a_run_that_is_cancelled_leaves_nobody_waiting() -> None:
    """Neither who was in it nor who came meanwhile; who asks next is served."""
    shop = Shop()

    async def leave(items: Sequence[int]) -> list[int | Exception]:
        answers = await shop.serve(items)
        if len(shop.runs) == 1:
            raise asyncio.CancelledError
        return answers

    together = Together(leave)
    asked = [asyncio.create_task(together.ask(1))]
    while not shop.runs:
        await asyncio.sleep(0)
    asked += [asyncio.create_task(together.ask(2))]
    await asyncio.sleep(0)
    shop.opened.set()

    done, _ = await asyncio.wait(asked, timeout=5)
    assert [task.cancelled() for task in done] == [True, True]
    assert await together.ask(3) == 6
