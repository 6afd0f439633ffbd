"""Waiting for a condition with a deadline, which is what tests do instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

PATIENCE_SECONDS = 25.0
"""Costs nothing where all is well; less than the time after which idle workers look again, so rings are heard."""


@overload
async def until(
    condition: Callable[[], Awaitable[T]], *, seconds: float = PATIENCE_SECONDS, every: float = 0.05, what: str = ""
) -> T: ...


@overload
async def until(
    condition: Callable[[], T], *, seconds: float = PATIENCE_SECONDS, every: float = 0.05, what: str = ""
) -> T: ...


async def until(
    condition: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS, every: float = 0.05, what: str = ""
) -> Any:
    """The first truthy answer of a plain or async condition; an AssertionError when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not so after {seconds} s: {what or inspect.getsource(condition).strip()}")
        await asyncio.sleep(every)
