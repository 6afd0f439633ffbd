"""How much a service is asked at once, and how long its answers are waited for: both as it turns out, within bounds."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic

from ml_dispatcher.tasks import Task

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
FIRST_LEAVE, LONGEST_LEAVE = 2.0, 120.0
DISTRUSTED = 3
CAREFULLY = 4
SMALLEST = 2
MORE_SEATS = 2
WAITS = {
    Task.EMBED_TEXT: (2.0, 20.0, 30.0),
    Task.EMBED_IMAGE: (10.0, 60.0, 120.0),
    Task.CLASSIFY: (10.0, 60.0, 120.0),
    Task.FACES: (15.0, 90.0, 240.0),
    Task.TEXTS: (15.0, 90.0, 240.0),
}
"""Seconds that an answer may take: at least, as long as none is known, and at most."""
TIMES_LONGER = 4


def backoff(first: float, longest: float, count: int) -> float:
    """Seconds that double with each time up to the longest, spread so that not all come back at once."""
    return min(first * 2.0 ** min(count, 16), longest) * random.uniform(0.7, 1.0)  # noqa: S311  # only spreads load


@dataclass
class Pace:
    """How long the answers of a task take."""

    task: Task
    usual: float | None = None
    spread: float = 0.0

    def note(self, seconds: float) -> None:
        """One more answer took so long."""
        if self.usual is None:
            self.usual, self.spread = seconds, seconds / 2
        else:
            self.spread += (abs(seconds - self.usual) - self.spread) / 4
            self.usual += (seconds - self.usual) / 8

    def miss(self) -> None:
        """No answer came in time: the next may take longer."""
        if self.usual is not None:
            self.usual *= 2

    def patience(self, busy: int) -> float:
        """Seconds after which no answer is expected any more, of a server that may do so many one after the other."""
        least, unknown, most = WAITS[self.task]
        if self.usual is None:
            return unknown
        return min(max(TIMES_LONGER * (self.usual + TIMES_LONGER * self.spread) * busy, least), most)


@dataclass(eq=False)
class Room:
    """What a service can be asked at once: all that it says, less while it refuses; `reopened` is called after a rest.

    A refusal halves the room and each answer lets it grow a little, as connections find out how much a network takes;
    up to what is known to go well it grows faster.
    """

    most: int
    reopened: Callable[[float], None]
    first_leave: float = FIRST_LEAVE
    busy: int = 0
    distrust: int = 0
    answered_at: float = 0.0
    is_closed: bool = False
    _limit: float = 0.0
    _known: float = 0.0
    _shrunk_at: float = 0.0
    _until: float = 0.0
    _refusals: int = 0
    _leaves: int = 0

    def __post_init__(self) -> None:
        self._limit = self._known = self.most

    @property
    def slots(self) -> int:
        """How many questions it may be asked at once; 0 while it is left alone."""
        return 0 if self.is_left_alone else self.most

    @property
    def is_left_alone(self) -> bool:
        """Whether it was not there the last time, and that is not long ago."""
        return self.is_closed and monotonic() < self._until

    def is_free(self, *, is_urgent: bool = False) -> bool:
        """Whether one more question may be asked; for an urgent one there are some seats more."""
        return self.busy < int(self._limit) + is_urgent * MORE_SEATS and monotonic() >= self._until

    @property
    def rank(self) -> tuple[bool, float]:
        """The lower, the sooner it is asked: whoever has least to do, but nobody who only talked nonsense lately."""
        return self.distrust >= DISTRUSTED, (self.busy + 1) / max(self._limit, 1)

    @contextmanager
    def place(self) -> Iterator[None]:
        """One question is being asked."""
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1

    def answer(self, *, is_good: bool = True) -> None:
        """It answered, well or badly."""
        self.answered_at = monotonic()
        self.distrust = 0 if is_good else self.distrust + 1
        self.is_closed, self._refusals, self._leaves = False, 0, 0
        step = 1 if self._limit < self._known else 1 / (CAREFULLY * self._limit)
        self._limit = min(self._limit + step, self.most)

    def resize(self, most: int) -> None:
        """It says anew how much it can be asked at once."""
        grown = most / self.most
        self.most, self._limit, self._known = most, max(self._limit * grown, 1), self._known * grown

    def refuse(self, since: float) -> None:
        """It has enough to do, as it says to what was asked then: half as much is asked, or nothing for a bit."""
        if since < self._shrunk_at:
            return
        if self._limit < SMALLEST:
            self._rest(backoff(FIRST_PAUSE, LONGEST_PAUSE, self._refusals))
            self._refusals += 1
        self._shrink(max(self._limit / 2, 1))
        self._known = self._limit

    def leave(self, since: float) -> None:
        """It is not there, as what was asked then says: it is left alone for a while, and then asked one thing."""
        if since >= self._shrunk_at:
            self._shrink(1)
            self.is_closed = True
            self._rest(backoff(self.first_leave, LONGEST_LEAVE, self._leaves))
            self._leaves += 1

    def _shrink(self, limit: float) -> None:
        self._limit, self._shrunk_at = limit, monotonic()

    def _rest(self, seconds: float) -> None:
        self._until = monotonic() + seconds
        self.reopened(seconds)
