"""Ending asyncio tasks without losing track of who was cancelled."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def cancel(*tasks: "asyncio.Task[Any]") -> None:
    """End tasks and wait for their end; waiting, unlike awaiting, does not take our own cancellation for theirs."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def heed_cancelling() -> None:
    """Raise a cancellation that was swallowed: up to Python 3.11 wait_for forgets one in the moment of its result."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def to_the_end(function: Callable[..., T], *arguments: object) -> T:
    """Slow work in a thread; threads cannot be stopped, so whoever is cancelled leaves when the work has ended."""
    working = asyncio.create_task(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        working.exception()  # nobody else asks for it
        raise


async def opened(function: Callable[..., T], *arguments: object, close: Callable[[T], None]) -> T:
    """What slow work in a thread opens; when its caller is cancelled meanwhile it is closed as soon as it is open."""
    opening = asyncio.create_task(asyncio.to_thread(function, *arguments))

    def abandoned(done: "asyncio.Task[T]") -> None:
        if not done.cancelled() and done.exception() is None:
            close(done.result())

    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(abandoned)
        raise
