"""ml-server over its own protocol: what it sees and reads, what it refuses, and how it ends."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator

import grpc
import numpy as np
import pytest

from home_native.v1.ml_service_pb2 import InferRequest
from tests.support.ml_servers import Asker, MlServer, asking, coloured, parts
from tests.support.towers import COLOURS, DIMENSION, NAME, write_model
from tests.support.waiting import until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlServer]:
    """A server of the tiny model, with labels that the model knows; no test changes it."""
    models = tmp_path_factory.mktemp("ml") / "models"
    write_model(models / NAME)
    (models / "labels.txt").write_text("\n".join(COLOURS))
    server = MlServer(models)
    asyncio.run(server.start())
    yield server
    server.kill()


@pytest.fixture
async def asker(server: MlServer) -> AsyncIterator[Asker]:
    async with asking(server.address) as asker:
        yield asker


async def test_words_find_the_pictures_that_they_mean(asker: Asker) -> None:
    """Pictures and words have vectors of length 1 in one space, whatever the picture's format."""
    words = np.array([await asker.embed_text(f"a {name} car") for name in COLOURS])

    for number, colour in enumerate(COLOURS.values()):
        for file_format in ("WEBP", "PNG", "JPEG"):
            picture = np.array(await asker.embed(coloured(colour, file_format=file_format), f"image/{file_format}"))
            assert picture.shape == (DIMENSION,)
            assert np.linalg.norm(picture) == pytest.approx(1)
            assert np.argmax(words @ picture) == number


async def test_labels_are_told_best_first(server: MlServer, asker: Asker) -> None:
    """A list of labels is all it takes, by which the model has its name; how many are wanted is the asker's to say."""
    await until(lambda: "labels learnt" in server.log)

    answer = await asker.ask("smart_classify", coloured((250, 5, 5)), "image/webp", top_k="2")
    capability = (await asker.capabilities())[0]

    assert answer["labels"][0]["label"] == "red"
    assert 0.9 < answer["labels"][0]["score"] <= 1
    assert len(answer["labels"]) <= 2
    assert re.fullmatch(re.escape(capability.model_ids[0]) + " [0-9a-f]{8}", answer["model_id"])
    assert [task.name for task in capability.tasks] == ["semantic_image_embed", "semantic_text_embed", "smart_classify"]


async def test_a_request_may_come_in_parts_and_in_any_order(asker: Asker) -> None:
    """What belongs together by its offsets is one picture."""
    picture = coloured(COLOURS["blue"], file_format="PNG")
    cut = parts("semantic_image_embed", picture, "image/png", size=100, meta={"service": NAME})

    answers = await asker.send(cut[::-1])

    assert len(cut) > 3
    assert [(answer.is_final, answer.correlation_id) for answer in answers] == [(True, "asked")]
    assert answers[0].result_schema == "embedding_v1"
    assert answers[0].result_mime == "application/json;schema=embedding_v1"


def refusals() -> list[tuple[str, list[InferRequest], grpc.StatusCode]]:
    """Requests that cannot be answered, with what is said to them."""
    picture = coloured(COLOURS["red"])
    whole = ("semantic_image_embed", picture, "image/webp")
    cut = parts(*whole, size=100)
    other = InferRequest()
    other.CopyFrom(cut[1])
    other.task = "smart_classify"
    wrong, missing = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
    return [
        ("nothing", [], wrong),
        ("no picture", parts("semantic_image_embed", b"not a picture", "image/webp"), wrong),
        ("half a picture", parts("semantic_image_embed", picture[:200], "image/webp"), wrong),
        ("another type", parts("semantic_image_embed", picture, "text/plain"), wrong),
        ("an empty text", parts("semantic_text_embed", b" ", "text/plain"), wrong),
        ("no text", parts("semantic_text_embed", b"\xff\xfe", "text/plain"), wrong),
        ("a text that never ends", parts("semantic_text_embed", b"red " * 10_000, "text/plain"), wrong),
        ("no number", parts("smart_classify", picture, "image/webp", meta={"top_k": "many"}), wrong),
        ("a part too few", cut[:-1], wrong),
        ("parts of two", [cut[0], other], wrong),
        ("a hole", [*cut[:1], *cut[2:], cut[2]], wrong),
        ("too many bytes", parts("semantic_image_embed", bytes(17 << 20), "image/webp"), wrong),
        ("an older task", parts("clip_image_embed", picture, "image/webp"), missing),
        ("another service", parts(*whole, meta={"service": "siglip"}), missing),
    ]


async def test_what_makes_no_sense_is_refused_in_words(server: MlServer, asker: Asker) -> None:
    """Each refusal has its status and a reason, and hurts nobody else."""
    await until(lambda: "labels learnt" in server.log)

    for name, requests, code in refusals():
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await asker.send(requests)
        assert (name, refused.value.code()) == (name, code)
        assert refused.value.details()

    assert await asker.embed_text("red")
    assert '"level":"error"' not in server.log
