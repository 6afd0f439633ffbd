"""Waiting for a condition with a deadline, which is what tests do instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

T = TypeVar("T")


async def until(
    condition: Callable[[], T | Awaitable[T]], *, seconds: float = 10, every: float = 0.05, what: str = ""
) -> T:
    """The first truthy answer of a plain or async condition; an AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        value = cast("T", await answer if inspect.isawaitable(answer) else answer)
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {seconds} s: {what or inspect.getsource(condition).strip()}")
        await asyncio.sleep(every)
