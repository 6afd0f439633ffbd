"""A picture that is embedded and classified is looked at once."""

import asyncio

import numpy as np
import pytest

from ml_server.memory import Memory
from ml_server.towers import Vector


class Eyes:
    """Sees one picture after the other, when it may; keeps what it was shown."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.open = asyncio.Event()
        self.open.set()

    async def embed(self, payload: bytes) -> Vector:
        self.seen.append(payload)
        await self.open.wait()
        if payload == b"broken":
            raise ValueError
        return np.array([len(self.seen)], dtype=np.float32)


async def test_what_was_seen_lately_is_not_looked_at_again() -> None:
    """Only the last ones are remembered, and what failed is tried again."""
    memory, eyes = Memory(2), Eyes()

    for payload in (b"one", b"one", b"two", b"one", b"three", b"one"):
        await memory.find(payload, eyes.embed)
    for _ in range(2):
        with pytest.raises(ValueError):
            await memory.find(b"broken", eyes.embed)

    assert eyes.seen == [b"one", b"two", b"three", b"one", b"broken", b"broken"]


async def test_two_who_ask_at_once_are_answered_by_one_look() -> None:
    """If the first of them leaves, the second looks for itself."""
    memory, eyes = Memory(2), Eyes()
    eyes.open.clear()
    first, second, third = (asyncio.create_task(memory.find(b"one", eyes.embed)) for _ in range(3))
    await asyncio.sleep(0)
    assert eyes.seen == [b"one"]

    first.cancel()
    await asyncio.wait({first})
    eyes.open.set()

    assert await second == await third == 2
    assert eyes.seen == [b"one", b"one"]
