"""Who is asked next: whoever has most room, for whoever waited longest; people's words go before pictures."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from ml_dispatcher.server import Seat, Server
from ml_dispatcher.tasks import Model, Task

NUMBERS = count()


class Kind(NamedTuple):
    """Questions that the same servers can be asked: those that do it, by that model, and were not asked in vain."""

    task: Task
    model: Model | None
    without: frozenset[Server]

    @property
    def is_urgent(self) -> bool:
        """Whether a person waits for it."""
        return self.task is Task.EMBED_TEXT

    def seats(self, servers: Sequence[Server]) -> list[Seat]:
        """Where it could be asked, now or in a moment."""
        able = (server.seat(self.task, self.model) for server in servers if server not in self.without)
        return [seat for seat in able if seat is not None and not seat.room.is_left_alone]


@dataclass(eq=False)
class Asker:
    """A question that waits for a seat."""

    kind: Kind
    number: int = field(default_factory=lambda: next(NUMBERS))
    seat: "asyncio.Future[Seat | None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def rank(self) -> tuple[bool, int]:
        """The lower, the sooner it is served."""
        return not self.kind.is_urgent, self.number


@dataclass
class Seats:
    """The places at some servers, given to askers."""

    servers: list[Server]
    _waiting: dict[Kind, deque[Asker]] = field(default_factory=dict)

    async def take(self, kind: Kind) -> Seat | None:
        """A seat, to be given back, as soon as one is free; None when no server is there that could be asked."""
        asker = Asker(kind)
        self._waiting.setdefault(kind, deque()).append(asker)
        self.serve()
        try:
            return await asyncio.shield(asker.seat)
        except asyncio.CancelledError:
            if not asker.seat.done():
                self._leave(asker)
            elif seat := asker.seat.result():
                self.give_back(seat)
            raise

    def give_back(self, seat: Seat) -> None:
        """The question is answered, or not asked any more."""
        seat.room.busy -= 1
        self.serve()

    def serve(self) -> None:
        """Give free seats to those who wait, and let go those for whom there will be none."""
        full: set[Kind] = set()
        while heads := [queue[0] for kind, queue in self._waiting.items() if kind not in full]:
            asker = min(heads, key=lambda asker: asker.rank)
            if self._is_served(asker):
                self._leave(asker)
            else:
                full.add(asker.kind)

    def _is_served(self, asker: Asker) -> bool:
        seats = asker.kind.seats(self.servers)
        free = [seat for seat in seats if seat.room.is_free(is_urgent=asker.kind.is_urgent)]
        if seats and not free:
            return False
        best = min(free, key=lambda seat: seat.room.rank, default=None)
        if best is not None:
            best.room.busy += 1
        asker.seat.set_result(best)
        return True

    def _leave(self, asker: Asker) -> None:
        self._waiting[asker.kind].remove(asker)
        if not self._waiting[asker.kind]:
            del self._waiting[asker.kind]
