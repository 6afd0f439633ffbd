"""One sandbox for all tests of a process that only read files in it: its zygote takes most of a second to start."""

import asyncio
import atexit
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import cache
from typing import Any, TypeVar

from processor import sandbox
from processor.nursery import Nursery
from processor.sandbox import Sandbox

READERS = 2

Result = TypeVar("Result")


class Lent(Sandbox):
    """A sandbox in a loop of its own, which outlives those of the tests."""

    def __init__(self, own: Sandbox, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(Nursery(()), READERS, own.status)
        self.own = own
        self.loop = loop

    async def run(self, function: Callable[..., Result], *arguments: Any, **more: Any) -> Result:
        """What the function returns, as ever."""
        running = asyncio.run_coroutine_threadsafe(self.own.run(function, *arguments, **more), self.loop)
        return await asyncio.wrap_future(running)


@cache
def lent() -> Sandbox:
    """The sandbox of this process, which is opened for whoever asks first."""
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    thread = threading.Thread(target=loop.run_forever, name="sandbox of all tests", daemon=True)
    thread.start()

    def do(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    def end() -> None:
        do(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    atexit.register(end)
    return Lent(do(stack.enter_async_context(sandbox.open(READERS))), loop)
