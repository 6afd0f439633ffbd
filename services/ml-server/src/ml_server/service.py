"""One model at work: the tasks that it does for whoever asks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from msgspec import Struct

from home_native.v1.ml_service_pb2 import Capability, IOTask
from ml_server import answers, labels, pictures
from ml_server.answers import Embedding, Labels
from ml_server.batching import Batches, Room
from ml_server.chunks import Request
from ml_server.labels import List
from ml_server.memory import Memory
from ml_server.models import Model
from ml_server.towers import Prepared, Vector

Sent = TypeVar("Sent")

PROTOCOL = "1.0"
LARGEST_PAYLOAD = 16 << 20
TEXTS = ("text/plain",)
IMAGE_EMBED, TEXT_EMBED, CLASSIFY = "semantic_image_embed", "semantic_text_embed", "smart_classify"
REMEMBERED = 4096
SENTENCES = 8
"""How many sentences are at most learnt at once, so that what people ask for comes between."""


@dataclass(frozen=True)
class Task:
    """Something that can be asked for: of what, answered as what, and how many may ask at once."""

    name: str
    mimes: Sequence[str]
    schema: str
    room: Room
    work: Callable[[Request], Awaitable[Struct]]


@dataclass(frozen=True)
class Half(Generic[Sent]):
    """One half of a model at work: each request is prepared in a thread, and what is prepared runs together."""

    prepare: Callable[[Sent], Prepared]
    batches: "Batches[Prepared, Vector]"
    threads: Executor

    async def embed(self, sent: Sent) -> Vector:
        """The vector of what was sent."""
        prepared = await asyncio.get_running_loop().run_in_executor(self.threads, self.prepare, sent)
        return await self.batches.ask(prepared)


@dataclass(frozen=True)
class Limits:
    """How many pictures run together, in how many runs at once, how many requests make it busy, how many may wait."""

    batch: int
    runs: int
    concurrency: int
    waiting: int


@dataclass
class Service:
    """A model, and the tasks that it can do by now."""

    model: Model
    limits: Limits
    threads: Executor
    tasks: dict[str, Task] = field(default_factory=dict)

    def __post_init__(self) -> None:
        eyes, reader, batch = self.model.eyes, self.model.reader, self.limits.batch
        self._memory = Memory(REMEMBERED)
        self._pictures, self._texts = Room(self.limits.waiting), Room(self.limits.waiting)
        if eyes:
            self._seeing = Half(eyes.prepare, Batches(eyes.tower.embed, batch, self.limits.runs), self.threads)
            self._offer(IMAGE_EMBED, pictures.MIMES, answers.EMBEDDING, self._pictures, self._embed_picture)
        if reader:
            self._reading = Half(reader.prepare, Batches(reader.tower.embed, batch), self.threads)
            self._offer(TEXT_EMBED, TEXTS, answers.EMBEDDING, self._texts, self._embed_text)

    @property
    def name(self) -> str:
        """What requests call it by, in `meta["service"]`."""
        return self.model.folder.name

    async def work(self) -> None:
        """Answer until cancelled."""
        async with asyncio.TaskGroup() as running:
            if self.model.eyes:
                running.create_task(self._seeing.batches.work())
            if self.model.reader:
                running.create_task(self._reading.batches.work())

    async def learn(self, listed: List) -> Vector:
        """The vectors of labels, for `classify`."""
        sentences, vectors = listed.sentences(), list[Vector]()
        for start in range(0, len(sentences), SENTENCES):
            some = sentences[start : start + SENTENCES]
            vectors += await asyncio.gather(*(self._reading.embed(sentence) for sentence in some))
        return labels.merged(listed, vectors)

    def classify(self, listed: List, vectors: Vector) -> None:
        """From now on, tell which labels a picture fits as well; with another list it is another model that tells."""
        model_id = f"{self.model.model_id} {listed.digest[:8]}"

        async def work(request: Request) -> Labels:
            top = answers.top(request.meta)
            picture = await self._see(request.payload)
            return Labels(labels.best(listed, vectors, picture, top=top), model_id)

        self._offer(CLASSIFY, pictures.MIMES, answers.LABELS, self._pictures, work)

    def capability(self) -> Capability:
        """What it says of itself."""
        return Capability(
            service_name=self.name,
            model_ids=[self.model.model_id],
            runtime=f"onnxruntime-{self.model.runtime}",
            max_concurrency=self.limits.concurrency,
            precisions=[self.model.precision],
            tasks=[self._described(task) for task in self.tasks.values()],
            protocol_version=PROTOCOL,
        )

    def _offer(
        self, name: str, mimes: Sequence[str], schema: str, room: Room, work: Callable[[Request], Awaitable[Struct]]
    ) -> None:
        self.tasks[name] = Task(name, mimes, schema, room, work)

    async def _embed_picture(self, request: Request) -> Embedding:
        return answers.embedding(await self._see(request.payload), self.model.model_id)

    async def _see(self, payload: bytes) -> Vector:
        return await self._memory.find(payload, self._seeing.embed)

    async def _embed_text(self, request: Request) -> Embedding:
        return answers.embedding(await self._reading.embed(answers.text(request)), self.model.model_id)

    def _described(self, task: Task) -> IOTask:
        limits = {"max_payload_bytes": str(LARGEST_PAYLOAD), "embedding_dim": str(self.model.dimension)}
        output = f"application/json;schema={task.schema}"
        return IOTask(name=task.name, input_mimes=task.mimes, output_mimes=[output], limits=limits)
