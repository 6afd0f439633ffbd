"""Guesses at everything that a whole server can be asked, for minutes: what it answers is what its contract says."""

import asyncio
import time
from pathlib import Path
from uuid import uuid4

import httpx

from tests.chaos.figures import Figures
from tests.support import photos
from tests.support.client import signed_in
from tests.support.guessing import Guesser, token
from tests.support.stack import running_stack

PHOTOS = 8
EXAMPLES = 12


async def guess(folder: Path, *, minutes: float) -> Figures:
    """Rounds of guesses, each with another seed; AssertionError tells what did not hold."""
    deadline, rounds = time.monotonic() + 60 * minutes, 0
    async with running_stack(folder) as stack, signed_in(stack) as client:
        for number in range(PHOTOS):
            await client.send(photos.jpeg(400, 300, seed=number), f"{number}.jpg")
        guesser = Guesser(
            stack.base_url,
            lambda name: token(stack.base_url, name, stack.password),
            [stack.username],
            {
                "asset_id": [str(ack.asset_id) for ack in client.acks],
                "repository_id": await _repositories(client.http),
                "user_id": ["1000"],
                "session_id": [str(uuid4())],
            },
            examples=EXAMPLES,
        )
        while time.monotonic() < deadline:
            guesser.start, rounds = rounds, rounds + 1
            await asyncio.to_thread(guesser.guess)
    assert not guesser.found, "\n\n".join(guesser.told())
    return {"rounds": rounds, **guesser.asked}


async def _repositories(http: httpx.AsyncClient) -> list[str]:
    answer = await http.get("/repositories")
    return [one["id"] for one in answer.json()["data"]["repositories"]]
