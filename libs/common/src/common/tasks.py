"""Ending asyncio tasks without losing track of who was cancelled."""

import asyncio
from typing import Any


async def cancel(*tasks: "asyncio.Task[Any]") -> None:
    """End tasks and wait for their end; waiting, unlike awaiting, does not take our own cancellation for theirs."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
