"""What many ask for at the same time is fetched in one go."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from common import db

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(eq=False)
class Together(Generic[Item, Result]):
    """An errand for many, asked by many for one each: `run` answers up to `most` in their order, one run at a time.

    A run takes who came while the one before it went on, and who comes within `gather_seconds`. What fails for many
    is tried for each alone who still waits, so that nobody pays for another, unless the database is away for all; an
    answer that is an exception is raised to who asked.
    """

    run: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]]
    most: int = 100
    gather_seconds: float = 0.0
    _waiting: "list[tuple[Item, asyncio.Future[Result]]]" = field(default_factory=list)
    _running: "asyncio.Task[None] | None" = None
    _nobodys: Context = field(default_factory=copy_context)
    """It belongs to nobody's trace, whoever came first."""

    async def ask(self, item: Item) -> Result:
        """The answer for this one."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._running is None:
            self._running = asyncio.create_task(self._run_on(), context=self._nobodys)
        return await future

    async def _run_on(self) -> None:
        taken: list[tuple[Item, asyncio.Future[Result]]] = []
        try:
            while self._waiting:
                await asyncio.sleep(self.gather_seconds)
                taken, self._waiting = self._waiting[: self.most], self._waiting[self.most :]
                await self._run(taken)
        finally:
            self._running = None
            for _, future in [*taken, *self._waiting]:
                future.cancel()  # only who was left without an answer
            self._waiting.clear()

    async def _run(self, taken: "list[tuple[Item, asyncio.Future[Result]]]") -> None:
        taken = [one for one in taken if not one[1].done()]  # who left wants nothing any more
        if not taken:
            return
        try:
            told = list(zip(taken, await self.run([item for item, _ in taken]), strict=True))
        except Exception as error:  # noqa: BLE001  # whatever went wrong, who asked is told
            if len(taken) > 1 and not db.is_away(error):
                for one in taken:
                    await self._run([one])
                return
            told = [(one, error) for one in taken]
        for (_, future), result in told:
            settle(future, result)


def settle(future: "asyncio.Future[Result]", result: Result | Exception) -> None:
    """Tell somebody who may have left what came of it."""
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
