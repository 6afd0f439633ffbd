"""Inference servers, however they behave: what they offer is known, and what they answer is doubted."""

import asyncio
from contextlib import AbstractAsyncContextManager
from functools import partial

import grpc
import pytest

from common.stages import Reject, Wait
from home_native.v1 import ml_service_pb2 as wire
from ml_dispatcher import answers, servers
from ml_dispatcher.answers import Embedding
from ml_dispatcher.failures import Broken
from ml_dispatcher.server import Times
from ml_dispatcher.servers import Servers
from ml_dispatcher.tasks import Model, Task
from tests.support import inference
from tests.support.inference import EMBED_IMAGE, EMBED_TEXT, Fake, errs, fails, says, served, split
from tests.support.waiting import until

QUICK = Times(connect=1, answer=0.3, beat=0.1, listen=0.1, leave=0.1)
HASTY = Times(connect=10, answer=2, beat=0.1, listen=0.1, leave=0.1, patience=0.05)
"""The first answer of an image may take 60 s, so that is three, which is long even where a machine is slow."""
A, B = b"a picture", b"another"
MODEL = Model("fake", 8)


def opened(*fakes: Fake, times: Times = QUICK) -> AbstractAsyncContextManager[Servers]:
    return servers.opened([fake.address for fake in fakes], times=times)


async def met(known: Servers, slots: int = 4) -> None:
    """So many slots are there for pictures and for words, of models that are known."""

    def are_known() -> bool:
        tasks = (Task.EMBED_IMAGE, Task.EMBED_TEXT)
        return all(sum(known.slots(task, model=one) for one in known.models()) >= slots for task in tasks)

    await until(are_known, what=f"{slots} slots are known")


async def embed(known: Servers, payload: bytes = A, *, task: Task = Task.EMBED_IMAGE) -> Embedding:
    mime = "text/plain" if task is Task.EMBED_TEXT else "image/webp"
    return await known.ask(task, payload, mime, answers.embedding)


async def test_a_server_with_two_models_is_asked_for_each_of_them() -> None:
    """So a new model is filled beside the one by which is searched, though one server has both."""
    fake = Fake(others=(("newer", (EMBED_IMAGE, EMBED_TEXT)),), dimensions={"newer": 4})
    async with served(fake), opened(fake) as known:
        await met(known, 2 * fake.slots)
        for model in (Model("fake", 8), Model("fake", 4)):
            for task in (Task.EMBED_IMAGE, Task.EMBED_TEXT):
                told = await known.ask(task, b"red", "text/plain", answers.embedding, model=model)
                assert told.model == model


async def test_a_question_is_asked_of_servers_with_its_model_only() -> None:
    """Each says by a sample of which model its vectors are; one that changed its model is not asked for the old one."""
    one, other = Fake(model="one"), Fake(model="other", dimension=4)
    async with served(one), served(other), opened(one, other) as known:
        await met(known, 8)
        assert set(known.models()) == {Model("one", 8), Model("other", 4)}
        assert known.slots(Task.EMBED_IMAGE, model=Model("one", 8)) == one.slots
        for name, dimension in (("one", 8), ("other", 4)):
            model = Model(name, dimension)
            read = partial(answers.embedding, model=model)
            told = await known.ask(Task.EMBED_TEXT, b"red", "text/plain", read, model=model)
            assert told.model == model

        other.model = "new"
        model, read = Model("other", 4), partial(answers.embedding, model=Model("other", 4))
        with pytest.raises(Wait):
            await known.ask(Task.EMBED_IMAGE, A, "image/webp", read, model=model)
        await until(lambda: Model("new", 4) in known.models())


async def test_questions_go_in_parts_that_agree_and_say_whose_they_are() -> None:
    """Up to a megabyte goes in one message, more in parts of a quarter; labels are wanted in everybody's words."""
    fake = Fake(tasks=(EMBED_IMAGE, EMBED_TEXT, "bioclip_classify"))
    fake.answers["bioclip_classify"] = b"{}"
    async with served(fake), opened(fake) as known:
        await met(known)
        for size, parts in ((0, 1), (1 << 20, 1), ((1 << 20) + 1, 5)):
            await embed(known, bytes(size))
            assert (len(fake.seen[-1].payload), fake.seen[-1].parts) == (size, parts)
            assert fake.seen[-1].meta == {"service": "fake"}
            assert fake.seen[-1].mime == "image/webp"

        heard = await known.hear(Task.CLASSIFY, A, "image/webp", bytes)

    assert heard == (b"{}", "bioclip_classify")
    assert fake.seen[-1].meta == {"service": "fake", "topk": "5", "top_k": "5"}
    assert len({asked.correlation for asked in fake.seen}) == len(fake.seen)


async def test_answers_in_parts_are_joined_and_refused_when_parts_do_not_fit() -> None:
    """By their offsets, or else their numbers; no part may be missing, come twice, or belong to something else."""
    fake = Fake()
    joined = (
        split(5, 20),
        split(5, 20, offset=[0, 0, 0]),
        split(5, 20, seq=[0, 0, 0]),
        split(5, 20, offset=[0, 0, 0], seq=[1, 2, 3], total=[0, 0, 0]),
    )
    refused = {
        split(5, 20, is_final=[False, False, False]): "end is missing",
        split(5, 20, is_final=[True, False, True]): "after its end",
        split(5, 20, correlation_id=["", "", ""]): "another question",
        split(5, 20, total=[4, 4, 4]): "of 4 parts, of which 3",
        split(5, 20, total=[3, 2, 3]): "disagree",
        split(5, 20, offset=[0, 6, 25]): "gaps or overlaps",
        split(5, 20, offset=[0, 5, 24]): "gaps or overlaps",
        split(5, 20, offset=[0, 0, 0], seq=[0, 2, 3]): "gaps or overlaps",
        split(5, 20, offset=[0, 0, 0], seq=[0, 1, 1]): "gaps or overlaps",
        inference.floods: "without end",
        says(b'{"vector": [1, 0], "dim": 2, "model_id": "fake"} and more'): "trailing",
        says(b'{"vector": [NaN], "model_id": "fake"}'): "no embedding",
        says(b'{"vector": [1e200, 1e400], "model_id": "fake"}'): "no embedding",
        says(b'{"vector": [0, 0], "model_id": "fake"}'): "without a direction",
        says(b'{"vector": [1, 0], "dim": 3, "model_id": "fake"}'): "2 numbers that is said to have 3",
        says(b" " * (5 << 20)): "no embedding",
        says(b" " * (17 << 20)): "larger than any may be",
    }
    async with served(fake), opened(fake) as known:
        await met(known)
        for manner in joined:
            fake.manner = manner
            assert (await embed(known)).dim == 8
        for manner, words in refused.items():
            fake.manner = manner
            with pytest.raises(Reject, match=words):
                await embed(known)
        fake.manner = inference.well
        assert (await embed(known)).dim == 8
        assert known.seen()[0].busy == 0


async def test_both_ways_to_fail_mean_the_same() -> None:
    """Who is away or late is waited for, who refuses is believed, and what breaks is tried again later."""
    fake = Fake()
    expected = (
        (fails(grpc.StatusCode.INVALID_ARGUMENT, "no picture"), Reject, "invalid argument: no picture"),
        (errs(wire.ERROR_CODE_INVALID_ARGUMENT, "no\x1b[31m picture"), Reject, r"no \[31m picture"),
        (fails(grpc.StatusCode.INTERNAL, "out of memory"), Broken, "internal: out of memory"),
        (errs(wire.ERROR_CODE_INTERNAL), Broken, "as told"),
        (errs(wire.ERROR_CODE_UNSPECIFIED, ""), Broken, "an error without a reason"),
        (fails(grpc.StatusCode.UNAVAILABLE, "models are loading"), Wait, "models are loading"),
        (errs(wire.ERROR_CODE_UNAVAILABLE), Wait, "as told"),
        (fails(grpc.StatusCode.DEADLINE_EXCEEDED), Wait, "no answer within"),
        (errs(wire.ERROR_CODE_DEADLINE_EXCEEDED), Wait, "as told"),
    )
    async with served(fake), opened(fake) as known:
        for manner, outcome, words in expected:
            await until(lambda: known.slots(Task.EMBED_IMAGE, model=MODEL))
            fake.manner = manner
            with pytest.raises(outcome, match=words):
                await embed(known)
        fake.manner = inference.well
        await until(lambda: known.slots(Task.EMBED_IMAGE, model=MODEL))
        assert (await embed(known)).dim == 8


async def test_a_bad_answer_is_tried_elsewhere_before_it_is_believed() -> None:
    """One good server is enough; what all refuse fails with the reason of each."""
    liar, honest = Fake(manner=says(b"lies")), Fake()
    async with served(liar), served(honest), opened(liar, honest) as known:
        await met(known, 8)

        await asyncio.gather(*(embed(known, b"%d" % number) for number in range(20)))
        assert len(honest.asked[EMBED_IMAGE]) == 20
        assert len(liar.asked[EMBED_IMAGE]) < 20  # it is asked last once it is known

        honest.manner = fails(grpc.StatusCode.INVALID_ARGUMENT)
        with pytest.raises(Reject, match="no embedding") as rejection:
            await embed(known)
        assert liar.address in str(rejection.value)
        assert honest.address in str(rejection.value)


async def test_a_task_that_is_not_known_is_not_asked_for_again() -> None:
    """Whatever is told; another name for it is taken if there is one, until the server tells all anew."""
    fake = Fake(tasks=(EMBED_IMAGE, "clip_image_embed", EMBED_TEXT, "ocr"))

    async def manner(fake: Fake, asked: inference.Asked, context: object) -> inference.Answer:
        if asked.task in {EMBED_IMAGE, "ocr"}:
            await context.abort(grpc.StatusCode.NOT_FOUND, "what")  # type: ignore[attr-defined]
        yield asked.answer(fake.told(asked))

    fake.manner = manner
    async with served(fake), opened(fake) as known:
        await met(known)
        with pytest.raises(Wait):
            await known.ask(Task.TEXTS, A, "image/webp", bytes)
        assert known.slots(Task.TEXTS) == 0

        assert (await embed(known)).dim == 8
        assert (await known.hear(Task.EMBED_IMAGE, A, "image/webp", bytes)).name == "clip_image_embed"
        assert fake.asked == {"ocr": [A], EMBED_IMAGE: [A], "clip_image_embed": [A, A]}


async def test_a_server_that_has_enough_is_asked_less_at_once() -> None:
    """It tells of sixteen and takes two: nothing is refused for it, and it is found out how much it takes."""
    fake, refused = Fake(slots=16), []

    async def manner(fake: Fake, asked: inference.Asked, context: object) -> inference.Answer:
        if fake.at_once > 2:
            refused.append(asked)
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "enough")  # type: ignore[attr-defined]
        await asyncio.sleep(0.002)
        yield asked.answer(fake.told(asked))

    fake.manner = manner
    async with served(fake), opened(fake) as known:
        await met(known)
        await asyncio.gather(*(embed(known, b"%d" % number) for number in range(100)))
        assert len(refused) < 100, "it is not asked too much again and again"
        assert known.slots(Task.EMBED_IMAGE) == 16


async def test_one_that_hangs_holds_up_nobody_else() -> None:
    """What it was asked goes to another server in time, and no stream of it is left."""
    stuck, well = Fake(manner=inference.hangs), Fake()
    async with served(stuck), served(well), opened(stuck, well, times=HASTY) as known:
        await met(known, 8)
        await asyncio.gather(*(embed(known, b"%d" % number) for number in range(40)))
        assert len(well.asked[EMBED_IMAGE]) == 40
        assert 0 < stuck.most_at_once <= stuck.slots
        await until(lambda: stuck.at_once == 0, what="its streams ended")
        assert "no answer within" in str(known.seen()[0].complaint)


async def test_whoever_asks_no_more_leaves_nothing_behind() -> None:
    """Neither a stream nor a taken seat, and also not who waits for one."""
    fake = Fake(manner=inference.hangs)
    async with served(fake), opened(fake) as known:
        await met(known)
        asking = [asyncio.create_task(embed(known)) for _ in range(fake.slots + 2)]
        await until(lambda: fake.at_once == fake.slots)

        for one in asking:
            one.cancel()
        await asyncio.wait(asking)

        assert all(one.cancelled() for one in asking)
        assert known.seen()[0].busy == 0
        await until(lambda: fake.at_once == 0)
        with pytest.raises(Wait, match="within"):
            await known.ask(Task.EMBED_TEXT, b"red", "text/plain", answers.embedding, seconds=0.2)
        await until(lambda: fake.at_once == 0)


async def test_words_of_people_go_before_pictures() -> None:
    """There are seats more for them at a server that is full of pictures, and the next that get free are theirs."""
    fake = Fake(slots=1, manner=inference.hangs)
    async with served(fake), opened(fake) as known:
        await met(known, 1)
        pictures = [asyncio.create_task(embed(known, b"picture")) for _ in range(5)]
        await until(lambda: fake.at_once == 1)
        words = [asyncio.create_task(embed(known, b"word", task=Task.EMBED_TEXT)) for _ in range(4)]
        await until(lambda: fake.at_once == 3)
        assert known.seen()[0].busy == 3

        fake.going.set()
        await asyncio.gather(*words, *pictures)

    assert [asked.payload for asked in fake.seen] == [b"picture", *[b"word"] * 4, *[b"picture"] * 4]


async def test_one_that_dies_midway_is_waited_for_and_asked_again_when_it_is_back() -> None:
    """Nothing is counted meanwhile, and its questions go to others if there are any."""
    fake = Fake(manner=inference.hangs)
    async with served(fake):
        pass  # its address is known
    async with opened(fake) as known:
        await until(lambda: "cannot be reached" in str(known.seen()[0].complaint))
        with pytest.raises(Wait):
            await embed(known)
        async with served(fake):
            await met(known)
            asking = asyncio.create_task(embed(known))
            await until(lambda: fake.at_once == 1)
        with pytest.raises(Wait):
            await asking
        await until(lambda: not known.seen()[0].is_there)

        fake.manner = inference.well
        async with served(fake):
            await met(known)
            assert (await embed(known)).dim == 8
