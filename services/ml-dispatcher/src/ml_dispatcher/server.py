"""One inference server: what it offers as long as it is there, and questions to it."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple
from uuid import uuid4

import grpc

from common import log
from home_native.v1.ml_service_pb2 import InferRequest, InferResponse
from home_native.v1.ml_service_pb2_grpc import InferenceStub
from ml_dispatcher import capabilities, exchange, failures
from ml_dispatcher.answers import Bad
from ml_dispatcher.capabilities import Offer, Service
from ml_dispatcher.failures import Away, Broken, Busy, Lacking, Late
from ml_dispatcher.rooms import FIRST_LEAVE, Pace, Room
from ml_dispatcher.tasks import Model, Names, Task

FAILURES = (Away, Broken, Busy, Lacking, Late, Bad)


@dataclass(frozen=True)
class Times:
    """Seconds to connect, to answer, between looks and tellings, to leave it alone; `patience` is a factor."""

    connect: float = 5.0
    answer: float = 20.0
    beat: float = 15.0
    listen: float = 30.0
    leave: float = FIRST_LEAVE
    patience: float = 1.0


USUAL = Times()


class Seat(NamedTuple):
    """A place at a server for one question."""

    server: "Server"
    offer: Offer
    room: Room


@dataclass(eq=False)
class Server:
    """A server by its address; `offers` is empty while it is away, and `changed` is called when that changes."""

    address: str
    names: Names
    changed: Callable[[], None]
    times: Times = USUAL
    is_sure: bool = True
    state: str = "connecting"
    error: str = ""
    offers: dict[Task, tuple[Offer, ...]] = field(default_factory=dict)
    models: dict[Offer, Model] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    stub: InferenceStub | None = None
    unmet: asyncio.Event = field(default_factory=asyncio.Event)
    losses: int = 0
    _lacking: set[str] = field(default_factory=set)
    _paces: dict[Task, Pace] = field(default_factory=lambda: {task: Pace(task) for task in Task})

    def seat(self, task: Task, model: Model | None = None) -> Seat | None:
        """Where that is asked, by a model if it matters; None when the server does not do it now."""
        fitting = (offer for offer in self.offers.get(task, ()) if model in {None, self.models.get(offer)})
        offer = next(fitting, None)
        return None if offer is None else self.seat_of(offer)

    def seat_of(self, offer: Offer) -> Seat:
        """A place at the service that offers this."""
        return Seat(self, offer, self.rooms[offer.service.name])

    def models_of(self, task: Task) -> list[Model]:
        """The models that are known to do it."""
        return [self.models[offer] for offer in self.offers.get(task, ()) if offer in self.models]

    def learn(self, services: Iterable[Service]) -> None:
        """It offers these from now on, and nothing else; Bad when nobody would offer so much."""
        self.services = {service.name: service for service in services}
        offers = capabilities.offers(self.services.values(), self.names, without=self._lacking)
        self.unmet.set()
        if offers == self.offers:
            return
        offered = {one for task in offers.values() for one in task}
        log.get().info("inference server", address=self.address, offers=sorted(one.name for one in offered))
        self.models = {offer: model for offer, model in self.models.items() if offer in offered}
        self.offers, self.state = offers, "ready" if offers else "offers nothing of use"
        self._make_rooms()
        self.changed()

    def lose(self, reason: str) -> None:
        """It is away, and whatever it offered is forgotten."""
        log.get().info("inference server is away", address=self.address, reason=reason)
        self.state, self.error = "away", reason
        self.offers, self.models, self.rooms, self.services, self._lacking = {}, {}, {}, {}, set()
        self.changed()

    def forget_model(self, offer: Offer) -> None:
        """It answers by another model than it did before: which one is asked anew."""
        self.models.pop(offer, None)
        self.unmet.set()
        self.changed()

    async def ask(self, seat: Seat, task: Task, payload: bytes, mime: str) -> bytes:
        """What the server answers; Away, Broken, Busy, Lacking, Late or Bad when that is nothing of use."""
        began = monotonic()
        try:
            told = await self._infer(seat, task, payload, mime)
        except FAILURES as error:
            self.error = str(error)
            raise self._lesson(error, task, seat, began) from None
        self._paces[task].note(monotonic() - began)
        self.losses, self.error = 0, ""
        return told

    def answered_since(self, moment: float) -> bool:
        """Whether it answered anything after that."""
        return any(room.answered_at > moment for room in self.rooms.values())

    def _make_rooms(self) -> None:
        for offer in (one for task in self.offers.values() for one in task):
            room = self.rooms.setdefault(
                offer.service.name, Room(offer.service.at_once, self._reopen, self.times.leave)
            )
            room.resize(offer.service.at_once)

    def _reopen(self, seconds: float) -> None:
        self.changed()
        asyncio.get_running_loop().call_later(seconds, self.changed)

    def _lesson(self, error: Exception, task: Task, seat: Seat, began: float) -> Exception:
        """What a failure says of the server: who answered others meanwhile is not away, but the question is odd."""
        if isinstance(error, Late) and seat.room.answered_at > began:
            self._paces[task].miss()
        elif isinstance(error, Away | Late):
            seat.room.leave(began)
            return Away(str(error))
        elif isinstance(error, Busy):
            seat.room.refuse(began)
        elif isinstance(error, Lacking):
            self._lacking.add(seat.offer.name)
            self.learn(self.services.values())
        else:
            seat.room.answer(is_good=False)
        return error

    async def _infer(self, seat: Seat, task: Task, payload: bytes, mime: str) -> bytes:
        """One stream for one question; it ends with whoever asks."""
        if self.stub is None:
            raise Away("it is not connected")
        correlation = uuid4().hex
        patience = self._paces[task].patience(seat.room.busy) * self.times.patience
        parts = exchange.question(seat.offer, task, payload, mime, correlation=correlation)
        call = self.stub.Infer(parts, timeout=patience)
        try:
            return await _collected(call, exchange.Answer(correlation))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise Late(f"no answer within {patience:.0f} s") from None
            raise failures.by_status(error) from None
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise Away("the connection was given up") from None
        finally:
            call.cancel()


async def _collected(call: "grpc.aio.StreamStreamCall[InferRequest, InferResponse]", answer: exchange.Answer) -> bytes:
    async for part in call:
        if part.HasField("error"):
            raise failures.by_error(part.error)
        answer.take(part)
    return answer.whole()


def _is_cancelled() -> bool:
    """Whether it is we who shall end, and not only the call."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
