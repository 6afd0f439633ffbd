"""What pictures show is asked of servers whenever one is there, and kept as vectors."""

import asyncio
from contextlib import suppress

import msgspec
import pytest
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

from common import questions
from common.bus import Bus
from common.db import Pool
from common.questions import EmbedText, TextVectors
from ml_dispatcher import answers
from ml_dispatcher.questions import Questions
from tests.support.given import Repository, User
from tests.support.inference import EMBED_IMAGE, Fake, served
from tests.support.meaning import pictured, staffed
from tests.support.rows import ask
from tests.support.waiting import until

EMBEDDED = "select asset_id from embeddings order by asset_id"


async def test_pictures_from_before_are_caught_up_with_once_a_server_is_there(
    pool: Pool, bus: Bus, repository: Repository, user: User
) -> None:
    """Each has one vector of length 1, in the space of the model; nothing failed while nobody was there."""
    assets = [await pictured(pool, repository, user, number) for number in range(5)]
    fake = Fake()
    async with served(fake):
        pass  # its address is known, and it is away
    async with staffed(pool, bus, fake), served(fake):
        await until(lambda: ask(pool, "select 1 from embeddings having count(*) = 5"), what="all are embedded")
    assert await ask(pool, EMBEDDED) == sorted(assets)
    assert await ask(pool, "select distinct state, failures from asset_stages where stage like 'embed:%'") == [
        ("done", 0)
    ]
    assert sorted(fake.asked[EMBED_IMAGE]) == sorted(b"thumbnail %d" % number for number in range(5))
    lengths = await ask(pool, "select distinct round(l2_norm(vector)::numeric, 2)::float8 from embeddings")
    assert lengths == [1.0]
    assert await ask(pool, "select model, dimension, state from embedding_spaces") == [("fake", 8, "current")]
    told = await ask(pool, "select body ->> 'asset_id' from outbox where subject = 'lumilio.asset.embedded'")
    assert set(told) == {str(asset) for asset in assets}


async def test_words_are_put_into_the_space_of_pictures(pool: Pool, bus: Bus) -> None:
    """Whoever asks over the bus hears where they lie, or why nobody can tell."""
    fake = Fake()
    async with served(fake), staffed(pool, bus, fake) as staff:
        (space,) = await until(lambda: ask(pool, "select space_id from embedding_spaces"))
        answering = asyncio.create_task(Questions(pool, bus, staff.servers).run())

        told = await answer(bus, EmbedText(texts=["a red barn"], space_id=space))
        unknown = await answer(bus, EmbedText(texts=["a red barn"], space_id=space + 1))
        answering.cancel()

    assert told.vectors[0] == pytest.approx(answers.embedding(fake.embedded(b"a red barn")).vector)
    assert unknown.error == f"there is no space {space + 1}"


async def answer(bus: Bus, asked: EmbedText) -> TextVectors:
    heard: list[Msg] = []

    async def is_answered() -> bool:
        with suppress(NoRespondersError):
            heard.append(await bus.client.request(asked.subject, msgspec.json.encode(asked), timeout=5))
        return bool(heard)

    await until(is_answered)
    return questions.read(heard[0].data, TextVectors)
