"""Something on the bus that says where words lie among pictures, as the dispatcher does with an inference server."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from nats.aio.msg import Msg

from common import questions
from common.bus import Bus
from common.questions import EmbedText, TextVectors

COLOURS = {"red": [1.0, 0.0, 0.0], "green": [0.0, 1.0, 0.0], "blue": [0.0, 0.0, 1.0], "sea": [0.0, 0.6, 0.8]}


def colours(asked: EmbedText) -> bytes:
    """A space of three colours: texts lie where the first colour that they name does."""
    named = [next((COLOURS[word] for word in text.split() if word in COLOURS), [0.6, 0.8, 0.0]) for text in asked.texts]
    return msgspec.json.encode(TextVectors(vectors=named, space_id=asked.space_id))


@asynccontextmanager
async def answering(bus: Bus, answer: Callable[[EmbedText], bytes | None] = colours) -> AsyncIterator[list[str]]:
    """It answers so; tells all that it was asked."""
    asked: list[str] = []

    async def take(message: Msg) -> None:
        question = questions.read(message.data, EmbedText)
        asked.extend(question.texts)
        if (told := answer(question)) is not None:
            await message.respond(told)

    listening = await bus.client.subscribe(EmbedText.subject, queue=EmbedText.group, cb=take)
    await bus.client.flush()
    yield asked
    await listening.unsubscribe()
