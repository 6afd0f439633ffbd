"""All inference servers that are known, as one: what they can do together, and questions to whoever has most room."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from common import metrics
from common.stages import Reject, Wait
from ml_dispatcher import connection
from ml_dispatcher.answers import Bad, OtherModel
from ml_dispatcher.dialling import Dial, plain
from ml_dispatcher.failures import Away, Broken, Busy, Lacking, Late
from ml_dispatcher.filling_queries import Seen
from ml_dispatcher.seats import Kind, Seats
from ml_dispatcher.server import USUAL, Seat, Server, Times
from ml_dispatcher.tasks import NAMES, Model, Names, Task

T = TypeVar("T")
Start: TypeAlias = Callable[[Coroutine[None, None, None]], "asyncio.Task[None]"]

AWAY_SECONDS = 5.0
LONGEST_REASON = 500


class Heard(NamedTuple, Generic[T]):
    """What was read of an answer, and what the server that gave it calls the task."""

    value: T
    name: str


@dataclass
class Tried:
    """The servers that were asked one question in vain, and what came of it."""

    servers: set[Server] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    broke: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)

    def note(self, server: Server, error: Exception) -> None:
        """That one will not be asked again; whoever is only busy may be."""
        kind = {Bad: self.refused, Away: self.away, Late: self.broke, Broken: self.broke}.get(type(error))
        if kind is not None:
            self.servers.add(server)
            kind.append(f"{server.address}: {error}")

    def outcome(self) -> Exception:
        """Reject when all that are there refused, Broken to be counted and tried again later, else Wait."""
        if self.refused and not self.away and not self.broke:
            return Reject("; ".join(self.refused)[:LONGEST_REASON])
        if self.broke:
            return Broken("; ".join(self.broke + self.refused)[:LONGEST_REASON])
        return Wait("; ".join(self.away)[:LONGEST_REASON] or "no inference server is there", after=AWAY_SECONDS)


class Servers:
    """Asks servers; `changed` is set whenever one came, went, or offers something else."""

    def __init__(self, names: Names, dial: Dial, times: Times, start: Start) -> None:
        """None is known yet; `start` has something done until it is cancelled."""
        self.changed = asyncio.Event()
        self._names, self._dial, self._times, self._start = names, dial, times, start
        self._keeping: dict[Server, asyncio.Task[None]] = {}
        self._servers: list[Server] = []
        self._seats = Seats(self._servers)
        self._known: object = None

    def models(self) -> list[Model]:
        """Those that can put pictures somewhere at the moment, the one with most room first."""
        known = {model for server in self._servers for model in server.models_of(Task.EMBED_IMAGE)}
        return sorted(known, key=lambda model: (-self.slots(Task.EMBED_IMAGE, model=model), model))

    def slots(self, task: Task, *, model: Model | None = None) -> int:
        """How many such questions may be at work at once; 0 while nobody can answer them by that model."""
        seats = (server.seat(task, model) for server in self._servers)
        return sum(seat.room.slots for seat in seats if seat is not None)

    async def ask(  # whatever a question consists of
        self,
        task: Task,
        payload: bytes,
        mime: str,
        read: Callable[[bytes], T],
        *,
        model: Model | None = None,
        seconds: float | None = None,
    ) -> T:
        """What a server with that model answers and `read` takes; Wait while there is none, Reject when each is bad.

        Broken when something went wrong at a server that was there; within `seconds`, if they are given, else Wait.
        """
        return (await self.hear(task, payload, mime, read, model=model, seconds=seconds)).value

    async def hear(  # whatever a question consists of
        self,
        task: Task,
        payload: bytes,
        mime: str,
        read: Callable[[bytes], T],
        *,
        model: Model | None = None,
        seconds: float | None = None,
    ) -> Heard[T]:
        """As `ask`, with what the server calls the task."""
        tried = Tried()
        try:
            async with asyncio.timeout(seconds):
                while seat := await self._seats.take(Kind(task, model, frozenset(tried.servers))):
                    try:
                        with metrics.asking(task.value):
                            return await self._ask(seat, task, payload, mime, read)
                    except (Away, Broken, Busy, Lacking, Late, Bad) as error:
                        tried.note(seat.server, error)
                    finally:
                        self._seats.give_back(seat)
        except TimeoutError:
            raise Wait(f"no inference server answered within {seconds} s", after=AWAY_SECONDS) from None
        raise tried.outcome()

    def seen(self) -> list[Seen]:
        """How each server is found at the moment, for people."""
        return [_seen(server) for server in self._servers]

    def keep(self, address: str, *, is_sure: bool = True) -> None:
        """Be in touch with a server; for as long as it is there if its address is not sure to stay."""
        if all(server.address != address for server in self._servers):
            server = Server(address, self._names, self._notice, self._times, is_sure=is_sure)
            self._servers.append(server)
            self._keeping[server] = self._start(connection.keep(server, self._dial))

    def found(self, addresses: Collection[str]) -> None:
        """These are there as well, says the network; whoever it forgot is forgotten here as soon as it is away."""
        for server in list(self._servers):
            if not (server.is_sure or server.offers or server.address in addresses):
                self._servers.remove(server)
                self._keeping.pop(server).cancel()
        for address in addresses:
            self.keep(address, is_sure=False)
        self._notice()

    def close(self) -> None:
        """Be in touch with nobody any more."""
        for keeping in self._keeping.values():
            keeping.cancel()

    async def _ask(self, seat: Seat, task: Task, payload: bytes, mime: str, read: Callable[[bytes], T]) -> Heard[T]:
        body = await seat.server.ask(seat, task, payload, mime)
        try:
            value = read(body)
        except OtherModel:
            seat.server.forget_model(seat.offer)
            raise
        except Bad as error:
            seat.server.error = str(error)
            seat.room.answer(is_good=False)
            raise
        seat.room.answer()
        return Heard(value, seat.offer.name)

    def _notice(self) -> None:
        """Something changed at a server: who waits may be served, and whoever watches us is told if it is for them."""
        self._seats.serve()
        known = {task: self.slots(task) for task in Task}, [dict(server.models) for server in self._servers]
        if known != self._known:
            self._known = known
            self.changed.set()


def _seen(server: Server) -> Seen:
    complaint = server.error if server.state == "ready" else ": ".join(filter(None, (server.state, server.error)))
    models = server.models_of(Task.EMBED_IMAGE) or server.models_of(Task.EMBED_TEXT)
    return Seen(
        address=server.address,
        is_there=bool(server.offers),
        tasks=sorted(server.offers),
        model=", ".join(model.name for model in models) or None,
        slots=sum(room.slots for room in server.rooms.values()),
        busy=sum(room.busy for room in server.rooms.values()),
        complaint=complaint or None,
    )


@asynccontextmanager
async def opened(
    addresses: Sequence[str], names: Names = NAMES, *, dial: Dial = plain, times: Times = USUAL
) -> AsyncIterator[Servers]:
    """Servers that are kept in touch with."""
    async with asyncio.TaskGroup() as running:
        servers = Servers(names, dial, times, running.create_task)
        for address in addresses:
            servers.keep(address)
        try:
            yield servers
        finally:
            servers.close()
