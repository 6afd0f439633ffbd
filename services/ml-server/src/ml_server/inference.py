"""The protocol of inference servers, spoken for the models of this machine."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty
from msgspec import Struct

from common import log, metrics
from home_native.v1.ml_service_pb2 import Capability, InferRequest, InferResponse
from home_native.v1.ml_service_pb2_grpc import InferenceServicer
from ml_server import chunks
from ml_server.answers import Refused
from ml_server.batching import Full
from ml_server.chunks import Broken, Parts, Request, TooMuch
from ml_server.pictures import Unreadable
from ml_server.service import LARGEST_PAYLOAD, Service, Task
from ml_server.towers import BadVector

Context = grpc.aio.ServicerContext[Any, Any]
Infers = AsyncIterator[InferRequest]


class Unknown(Exception):
    """Nobody here does that."""


class NotReady(Exception):
    """The models are being loaded, or the server is about to end."""


STATUS: dict[type[Exception], grpc.StatusCode] = {
    Broken: grpc.StatusCode.INVALID_ARGUMENT,
    TooMuch: grpc.StatusCode.INVALID_ARGUMENT,
    Refused: grpc.StatusCode.INVALID_ARGUMENT,
    Unreadable: grpc.StatusCode.INVALID_ARGUMENT,
    Unknown: grpc.StatusCode.NOT_FOUND,
    Full: grpc.StatusCode.RESOURCE_EXHAUSTED,
    NotReady: grpc.StatusCode.UNAVAILABLE,
    TimeoutError: grpc.StatusCode.DEADLINE_EXCEEDED,
    BadVector: grpc.StatusCode.INTERNAL,
}


@dataclass
class Inference(InferenceServicer):
    """Answers for all services; `patience` is how many seconds a request may take, from its first part on."""

    patience: float
    services: dict[str, Service] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False

    @property
    def ready(self) -> bool:
        return bool(self.services) and not self._ended

    def open(self, services: Sequence[Service]) -> None:
        """From now on these can be asked."""
        self.services = {service.name: service for service in services}
        self.tell()

    def tell(self) -> None:
        """Whoever listens hears what can be asked now."""
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        """Take nothing more, and let no listener keep the server from its end."""
        self._ended = True
        self.tell()

    async def Infer(self, requests: Infers, context: Context) -> AsyncIterator[InferResponse]:  # noqa: N802
        began = perf_counter()
        try:
            async with asyncio.timeout(self.patience):
                task, request, result = await self._answered(requests)
        except Exception as error:  # noqa: BLE001  # told by its status, and written down if it is nobody's fault
            await _refuse(context, error)
        for part in chunks.answer(request, result, schema=task.schema):
            yield part
        metrics.ANSWERED.labels(task.name).observe(perf_counter() - began)
        log.get().info("answered", task=task.name, bytes=len(request.payload), seconds=round(perf_counter() - began, 4))

    async def GetCapabilities(self, request: Empty, context: Context) -> Capability:  # noqa: N802, ARG002
        if not self.ready:
            await _refuse(context, self._why_not())
        return next(iter(self.services.values())).capability()

    async def StreamCapabilities(self, request: Empty, context: Context) -> AsyncIterator[Capability]:  # noqa: N802, ARG002
        if not self.ready:
            await _refuse(context, self._why_not())
        while not self._ended:
            changed = self._changed
            for service in list(self.services.values()):
                yield service.capability()
            await changed.wait()

    async def Health(self, request: Empty, context: Context) -> Empty:  # noqa: N802, ARG002
        return Empty()

    async def _answered(self, requests: Infers) -> tuple[Task, Request, Struct]:
        """The place is taken with the first part, so that nobody sends for nothing what nobody has time for."""
        first = await anext(aiter(requests), None)
        if first is None:
            raise Broken("the stream ended before it asked for anything")
        task = self._asked(first)
        with task.room.place():
            request = await _whole(first, requests)
            return task, request, await task.work(request)

    def _asked(self, first: InferRequest) -> Task:
        if not self.ready:
            raise self._why_not()
        named = first.meta.get("service")
        if named is not None and named not in self.services:
            raise Unknown(f"there is no service {named!r} here, only {', '.join(self.services)}")
        offered = [self.services[named]] if named is not None else self.services.values()
        tasks = [service.tasks[first.task] for service in offered if first.task in service.tasks]
        if not tasks:
            raise Unknown(f"nobody here does {first.task!r}")
        if first.payload_mime.partition(";")[0].strip().lower() not in tasks[0].mimes:
            raise Refused(f"{first.task} takes {', '.join(tasks[0].mimes)}, not {first.payload_mime!r}")
        return tasks[0]

    def _why_not(self) -> NotReady:
        return NotReady("the server is about to end" if self._ended else "no model is loaded yet")


async def _whole(first: InferRequest, requests: Infers) -> Request:
    parts = Parts(LARGEST_PAYLOAD)
    parts.add(first)
    async for part in requests:
        parts.add(part)
    return parts.whole()


async def _refuse(context: Context, error: Exception) -> NoReturn:
    """End the call with the error's status; one that is in no table is a bug of ours, and written down as one."""
    code = STATUS.get(type(error), grpc.StatusCode.INTERNAL)
    reason = str(error) or code.name.lower().replace("_", " ")
    if type(error) in STATUS:
        log.get().info("refused", code=code.name, reason=reason)
    else:
        log.get().error("not answered", reason=reason, exc_info=error)
    await context.abort(code, reason)
    raise AssertionError("abort raises")
