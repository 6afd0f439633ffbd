"""Answers what the gateway asks over the bus: where words lie in the space in which pictures are compared."""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial

import msgspec
import psycopg
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from common import questions
from common.bus import Bus
from common.db import Pool, glance
from common.questions import EmbedText, TextVectors, Unclear
from common.stages import Reject, Wait
from ml_dispatcher import answers, queries
from ml_dispatcher.failures import Broken
from ml_dispatcher.queries import Space
from ml_dispatcher.servers import Servers
from ml_dispatcher.tasks import Model, Task

SECONDS = 2.0
"""Nobody waits longer for an answer."""
MOST_AT_ONCE = 64
CONNECT_SECONDS = 1.0


@dataclass(frozen=True)
class Questions:
    """Has servers read the words of questions; one of all dispatchers answers each."""

    pool: Pool
    bus: Bus
    servers: Servers

    async def run(self) -> None:
        """Answer until cancelled."""
        turns = asyncio.Semaphore(MOST_AT_ONCE)
        async with asyncio.TaskGroup() as tasks:

            async def take(message: Msg) -> None:
                if not turns.locked():  # else whoever asks gives up before it would be their turn
                    tasks.create_task(self._take(message, turns))

            await self._until_connected()
            await self.bus.client.subscribe(EmbedText.subject, queue=EmbedText.group, cb=take)
            await asyncio.Event().wait()

    async def _until_connected(self) -> None:
        while not self.bus.connected:
            await asyncio.sleep(CONNECT_SECONDS)

    async def _take(self, message: Msg, turns: asyncio.Semaphore) -> None:
        async with turns:
            answer = await self._answer(message.data)
        with contextlib.suppress(NatsError, OSError):  # who asked gives up in time
            await message.respond(msgspec.json.encode(answer))

    async def _answer(self, body: bytes) -> TextVectors:
        try:
            asked = questions.read(body, EmbedText)
            return await self._embed(asked)
        except (Unclear, Wait, Reject, Broken) as error:
            return TextVectors(error=str(error)[:1000])
        except psycopg.Error:
            return TextVectors(error="the database is away")

    async def _embed(self, asked: EmbedText) -> TextVectors:
        async with glance(self.pool) as conn:
            spaces = {space.space_id: space for space in await queries.list_spaces(conn)}
        space = spaces.get(asked.space_id)
        if space is None:
            raise Wait(f"there is no space {asked.space_id}", after=0)
        vectors = await asyncio.gather(*(self._vector(space, text) for text in asked.texts))
        return TextVectors(vectors=vectors, space_id=space.space_id)

    async def _vector(self, space: Space, text: str) -> list[float]:
        model = Model(space.model, space.dimension)
        read = partial(answers.embedding, model=model)
        told = await self.servers.ask(Task.EMBED_TEXT, text.encode(), "text/plain", read, model=model, seconds=SECONDS)
        return told.vector
