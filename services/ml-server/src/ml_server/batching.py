"""What waits together runs together."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from common.together import settle

Item = TypeVar("Item")
Result = TypeVar("Result")


class Full(Exception):
    """So much waits already that one more would wait too long."""


@dataclass
class Room:
    """How many may be here at once; who finds no place is sent away before it costs anything."""

    most: int
    taken: int = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one."""
        if self.taken >= self.most:
            raise Full(f"{self.most} requests wait already: try again in a moment")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


@dataclass
class Batches(Generic[Item, Result]):
    """A slow function of many, asked by many for one each; at most `most` go into a run, and so many runs `at_once`.

    Nobody waits for company: a run takes who came while all others went on.
    """

    run: Callable[[Sequence[Item]], Sequence[Result | Exception]]
    most: int
    at_once: int = 1
    _waiting: "deque[tuple[Item, asyncio.Future[Result]]]" = field(default_factory=deque)
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, item: Item) -> Result:
        """The function's answer for this one."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._rung.set()
        return await future

    async def work(self) -> None:
        """Run until cancelled; whoever still waits then is cancelled as well."""
        with ThreadPoolExecutor(self.at_once) as threads:
            try:
                async with asyncio.TaskGroup() as running:
                    for _ in range(self.at_once):
                        running.create_task(self._run_on(threads))
            finally:
                for _, future in self._waiting:
                    future.cancel()

    async def _run_on(self, threads: ThreadPoolExecutor) -> None:
        while True:
            await self._rung.wait()
            await self._run(self._taken(), threads)

    def _taken(self) -> "list[tuple[Item, asyncio.Future[Result]]]":
        """The next ones; who left meanwhile costs nothing."""
        taken: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(taken) < self.most:
            item, future = self._waiting.popleft()
            if not future.done():
                taken.append((item, future))
        if not self._waiting:
            self._rung.clear()
        return taken

    async def _run(self, taken: "list[tuple[Item, asyncio.Future[Result]]]", threads: ThreadPoolExecutor) -> None:
        if not taken:
            return
        items, futures = zip(*taken, strict=True)
        try:
            results = await asyncio.get_running_loop().run_in_executor(threads, self.run, items)
            told = list(zip(futures, results, strict=True))
        except Exception as error:  # noqa: BLE001  # whatever went wrong, who asked is told
            told = [(future, error) for future in futures]
        except asyncio.CancelledError:
            for future in futures:
                future.cancel()
            raise
        for future, result in told:
            settle(future, result)
