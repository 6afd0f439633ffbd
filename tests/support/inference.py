"""An inference server for tests, made of the protocol alone: it does as it is told, well or badly."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import grpc
import msgspec
from google.protobuf.empty_pb2 import Empty

from home_native.v1 import ml_service_pb2 as wire
from home_native.v1.ml_service_pb2_grpc import InferenceServicer, add_InferenceServicer_to_server
from ml_dispatcher.samples import SAMPLES

EMBED_IMAGE, EMBED_TEXT = "semantic_image_embed", "semantic_text_embed"
LARGEST_MESSAGE = 4 << 20  # as most libraries have it


class Asked(NamedTuple):
    """A question as it came."""

    task: str
    payload: bytes
    mime: str
    meta: dict[str, str]
    parts: int
    correlation: str

    def answer(self, result: bytes, **more: Any) -> wire.InferResponse:
        """All of an answer to it."""
        told: dict[str, Any] = {"correlation_id": self.correlation, "is_final": True, "result": result} | more
        return wire.InferResponse(**told)


Answer: TypeAlias = AsyncIterator[wire.InferResponse]
Manner: TypeAlias = Callable[["Fake", Asked, Any], Answer]


async def well(fake: "Fake", asked: Asked, context: Any) -> Answer:
    """Answer in one part."""
    yield asked.answer(fake.told(asked), total=1)


def split(*sizes: int, **wrong: Sequence[Any]) -> Manner:
    """Answer in parts of these sizes and the rest, with fields that are wrong in each part if they are given."""

    async def answer(fake: "Fake", asked: Asked, context: Any) -> Answer:
        result = fake.told(asked)
        ends = [sum(sizes[: count + 1]) for count in range(len(sizes))] + [len(result)]
        for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            told = {"seq": number, "total": len(ends), "offset": start, "is_final": end == len(result)}
            yield asked.answer(result[start:end], **told | {name: values[number] for name, values in wrong.items()})

    return answer


def says(result: bytes) -> Manner:
    """Answer that, whatever is asked."""

    async def answer(fake: "Fake", asked: Asked, context: Any) -> Answer:
        yield asked.answer(result)

    return answer


def fails(code: grpc.StatusCode, words: str = "as told") -> Manner:
    """End with a status, as servers of today do."""

    async def answer(fake: "Fake", asked: Asked, context: Any) -> Answer:
        await context.abort(code, words)
        yield asked.answer(b"")

    return answer


def errs(code: int, words: str = "as told") -> Manner:
    """Answer an error, as older servers do."""

    async def answer(fake: "Fake", asked: Asked, context: Any) -> Answer:
        yield asked.answer(b"", error=wire.Error(code=code, message=words))  # type: ignore[arg-type]

    return answer


async def hangs(fake: "Fake", asked: Asked, context: Any) -> Answer:
    """Answer nothing until `fake.going` is set."""
    await fake.going.wait()
    async for part in well(fake, asked, context):
        yield part


async def floods(fake: "Fake", asked: Asked, context: Any) -> Answer:
    """Answer without end."""
    while True:
        yield asked.answer(b" " * (1 << 20), is_final=False)


@dataclass(eq=False)
class Fake(InferenceServicer):
    """Answers vectors that depend on what is sent; `asked` is what was sent by task, without the samples.

    Another service has vectors of its dimension in `dimensions`.

    `manner` is how it answers all but samples, `telling` how it tells what it can do: a stream that "ends" or "stays",
    a single word ("once"), "nothing", a refusal while it is "warming", or silence in everything as long as it is
    "silent" and not `going`. `say` makes one that stays tell it again.
    """

    model: str = "fake"
    dimension: int = 8
    tasks: tuple[str, ...] = (EMBED_IMAGE, EMBED_TEXT)
    others: tuple[tuple[str, tuple[str, ...]], ...] = ()
    dimensions: dict[str, int] = field(default_factory=dict)
    slots: int = 4
    version: str = "1.0"
    address: str = ""
    manner: Manner = well
    meeting: Manner = well
    telling: str = "ends"
    answers: dict[str, bytes] = field(default_factory=dict)
    asked: dict[str, list[bytes]] = field(default_factory=dict)
    seen: list[Asked] = field(default_factory=list)
    going: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self) -> None:
        """Tell who listens what it can do now."""
        self._changed.set()
        self._changed = asyncio.Event()

    def capabilities(self) -> list[wire.Capability]:
        """What it can do, by service."""
        return [
            wire.Capability(
                service_name=name,
                model_ids=[self.model],
                max_concurrency=self.slots,
                tasks=[wire.IOTask(name=task) for task in tasks],
                protocol_version=self.version,
            )
            for name, tasks in (("fake", self.tasks), *self.others)
        ]

    async def GetCapabilities(self, request: Empty, context: Any) -> wire.Capability:  # noqa: N802
        return self.capabilities()[0]

    async def StreamCapabilities(self, request: Empty, context: Any) -> AsyncIterator[wire.Capability]:  # noqa: N802
        if self.telling == "once":
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "what is that")
        while True:
            if self.telling == "warming":
                await context.abort(grpc.StatusCode.UNAVAILABLE, "models are loading")
            if self.telling == "silent":
                await self.going.wait()
            changed = self._changed
            for capability in self.capabilities() if self.telling != "nothing" else ():
                yield capability
            if self.telling != "stays":
                return
            await changed.wait()

    async def Health(self, request: Empty, context: Any) -> Empty:  # noqa: N802
        if self.telling == "silent":
            await self.going.wait()
        return Empty()

    async def Infer(self, request_iterator: AsyncIterator[wire.InferRequest], context: Any) -> Answer:  # noqa: N802
        asked = await self._whole(request_iterator, context)
        is_sample = asked.payload in {sample for sample, _ in SAMPLES.values()}
        if not is_sample:
            self.asked.setdefault(asked.task, []).append(asked.payload)
            self.seen.append(asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            async for part in (self.meeting if is_sample else self.manner)(self, asked, context):
                yield part
        finally:
            self.at_once -= 1

    async def _whole(self, requests: AsyncIterator[wire.InferRequest], context: Any) -> Asked:
        """The question, if its parts agree and none is missing; as strict as the strictest server."""
        parts = [part async for part in requests]
        same = {(one.task, one.correlation_id, one.payload_mime, *sorted(one.meta.items())) for one in parts}
        places = [(one.seq, one.offset) for one in parts]
        starts = [sum(len(one.payload) for one in parts[:count]) for count in range(len(parts))]
        if len(same) != 1 or {one.total for one in parts} != {len(parts)} or places != list(enumerate(starts)):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "chunks disagree")
        first = parts[0]
        if first.meta.get("service") not in {name for name, _ in (("fake", ()), *self.others)}:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "whose task is that")
        payload = b"".join(one.payload for one in parts)
        return Asked(first.task, payload, first.payload_mime, dict(first.meta), len(parts), first.correlation_id)

    def told(self, asked: Asked) -> bytes:
        """What it answers: what it was given for a task, else a vector."""
        dimension = self.dimensions.get(asked.meta["service"])
        return self.answers.get(asked.task) or self.embedded(asked.payload, dimension)

    def vector(self, payload: bytes) -> list[float]:
        """Where the model puts something."""
        digest = hashlib.blake2b(payload, digest_size=self.dimension).digest()
        return [byte / 255 + 0.01 for byte in digest]

    def embedded(self, payload: bytes, dimension: int | None = None) -> bytes:
        """That as an answer, or as much of it as another model has dimensions."""
        vector = self.vector(payload)[:dimension]
        told = {"vector": vector, "dim": len(vector), "model_id": self.model}
        return msgspec.json.encode(told)


@asynccontextmanager
async def served(
    fake: Fake,
    credentials: grpc.ServerCredentials | None = None,
    also: Callable[[grpc.aio.Server], object] = lambda _: None,
) -> AsyncIterator[Fake]:
    """The server at a free port, or at the address that it had before, with whatever else it is to serve."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.so_reuseport", 0)])
    add_InferenceServicer_to_server(fake, server)  # type: ignore[no-untyped-call]
    also(server)
    address = fake.address or "127.0.0.1:0"
    port = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    if not address.startswith("unix:"):
        fake.address = f"{address.rpartition(':')[0]}:{port}"
    await server.start()
    try:
        yield fake
    finally:
        await server.stop(None)
