"""The life of an ml-server: its start, its models, too many requests, its end, and being killed."""

import asyncio
from pathlib import Path

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from common import fetch
from ml_dispatcher import failures
from ml_dispatcher.failures import Away
from tests.support.ml_servers import Asker, MlServer, asking, coloured, parts, running_ml_server
from tests.support.towers import COLOURS, NAME, write_model
from tests.support.waiting import until

RED = coloured(COLOURS["red"])
ASKED = parts("semantic_image_embed", RED, "image/webp")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with the tiny model, which looks for three labels."""
    write_model(tmp_path / "models" / NAME)
    (tmp_path / "models" / "labels.txt").write_text("red\nblue\nrain")
    return tmp_path / "models"


async def refusal(asker: Asker) -> grpc.StatusCode | None:
    """How a request for a vector is refused; None if it is answered."""
    try:
        await asker.send(ASKED)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None


async def failure(asker: Asker) -> type[Exception] | None:
    """What whoever asks for photos makes of the refusal; gRPC itself cancels what it has not handed to the server."""
    try:
        await asker.send(ASKED)
    except grpc.aio.AioRpcError as error:
        return type(failures.by_status(error))
    return None


async def serving(server: MlServer) -> int:
    """What gRPC's own health check says."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        answer = await HealthStub(channel).Check(HealthCheckRequest(service="home_native.v1.Inference"))
    return int(answer.status)


async def test_where_no_model_can_be_used_nothing_is_served(models: Path) -> None:
    """Whoever asks is told to come again, the protocol's own health check goes on, and a stop is a stop."""
    (models / NAME / "textual" / "tokenizer.json").unlink()
    server = MlServer(models)
    server.launch()
    await until(lambda: "model not served" in server.log, seconds=60)

    async with asking(server.address) as asker:
        assert await refusal(asker) == grpc.StatusCode.UNAVAILABLE
        assert await asker.stub.Health(Empty()) == Empty()
        with pytest.raises(grpc.aio.AioRpcError, match="no model is loaded yet"):
            await asker.capabilities()
    assert await serving(server) == HealthCheckResponse.NOT_SERVING
    with pytest.raises(OSError, match="503"):
        await fetch.get("127.0.0.1", server.health_port, "/ready")
    assert "tokenizer.json is missing" in server.log
    assert server.stop() == 0


async def test_several_models_are_several_services(models: Path) -> None:
    """Each is asked by its name, has a space of its own, and tells when it has learnt its labels."""
    write_model(models / "clip" / "turned", turned=1)
    write_model(models / "other" / "turned", turned=2)
    async with running_ml_server(models) as server, asking(server.address) as asker:
        told: dict[str, set[str]] = {}
        async for capability in asker.stub.StreamCapabilities(Empty()):
            told[capability.service_name] = {task.name for task in capability.tasks}
            if len(told) == 2 and all("smart_classify" in names for names in told.values()):
                break
        one, other, unnamed = [
            await asker.ask("semantic_image_embed", RED, "image/webp", **meta)
            for meta in ({"service": NAME}, {"service": "turned"}, {})
        ]
        assert await serving(server) == HealthCheckResponse.SERVING

    assert set(told) == {NAME, "turned"}
    assert "other/turned has the name of" in server.log
    assert one == unnamed
    assert one["model_id"] != other["model_id"]
    assert one["vector"] != other["vector"]


async def test_one_too_many_is_sent_away_before_it_costs_anything(models: Path) -> None:
    """Who holds a place and sends nothing loses it in time; words have places of their own."""
    async with (
        running_ml_server(models, LUMILIO_ML_WAITING="2", LUMILIO_ML_REQUEST_SECONDS="2") as server,
        asking(server.address) as asker,
    ):
        idle = [asker.stub.Infer() for _ in range(2)]
        for stream in idle:
            await stream.write(ASKED[0])
        await until(lambda: _is_full(asker))

        assert await asker.embed_text("red")
        for stream in idle:
            assert await stream.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: _is_answered(asker))


async def _is_full(asker: Asker) -> bool:
    return await refusal(asker) == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_stop_answers_what_is_in_hand(models: Path) -> None:
    """Every request is answered, or told to come again; listeners do not keep the server."""
    async with running_ml_server(models) as server, asking(server.address) as asker:
        listening = asker.stub.StreamCapabilities(Empty())
        await listening.read()
        asked = [asyncio.create_task(failure(asker)) for _ in range(60)]
        await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)

        assert await asyncio.to_thread(server.stop) == 0
        assert {await one for one in asked} <= {None, Away}
        assert '"level":"error"' not in server.log


async def test_a_killed_server_comes_back_as_the_same(models: Path, tmp_path: Path) -> None:
    """Model and vectors are what they were; labels are not learnt again, unless what was kept of them is damaged."""
    async with running_ml_server(models, LUMILIO_ML_CACHE=str(tmp_path / "kept")) as server:
        first = await _answers(server, starts=1)
        async with asking(server.address) as asker:
            asked = [asyncio.create_task(failure(asker)) for _ in range(20)]
            server.kill()
            assert {await one for one in asked} <= {None, Away}

        await server.start()
        assert await _answers(server, starts=2) == first
        server.kill()
        (kept,) = (tmp_path / "kept").iterdir()
        kept.write_bytes(kept.read_bytes()[:-30])

        await server.start()
        assert await _answers(server, starts=3) == first


async def _answers(server: MlServer, *, starts: int) -> list[object]:
    """A vector and labels, as soon as those are learnt that often."""
    await until(lambda: server.log.count("labels learnt") == starts)
    async with asking(server.address) as asker:
        return [await asker.ask(task, RED, "image/webp") for task in ("semantic_image_embed", "smart_classify")]


async def test_who_leaves_in_the_middle_hurts_nobody(models: Path) -> None:
    """Hundreds of requests that are given up leave no place taken and no error."""
    async with running_ml_server(models, LUMILIO_ML_WAITING="8") as server, asking(server.address) as asker:
        for _ in range(20):
            asked = [asyncio.create_task(refusal(asker)) for _ in range(20)]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

        await until(lambda: _is_answered(asker))
        assert '"level":"error"' not in server.log


async def _is_answered(asker: Asker) -> bool:
    return await refusal(asker) is None
