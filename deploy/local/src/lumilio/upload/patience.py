"""Waits for a server that is away, and tells an outage from trouble with one request."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat
from threading import Event
from typing import TypeVar

from lumilio.upload.walk import Interrupted

T = TypeVar("T")

PAUSES = (0.2, 1.0, 2.0)
LONGEST_PAUSE = 5.0
LONGEST_WISH = 120.0
STRIKES = 20


class Away(Exception):
    """The server cannot answer now; the text says why."""

    def __init__(self, reason: str, *, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = min(after, LONGEST_WISH)


class Gone(Exception):
    """There is no use in going on; the text says why."""


class Refused(Exception):
    """The server's last word about one file."""


@dataclass
class Patience:
    """Repeats requests of one kind until they are answered.

    While nobody is answered it is an outage, which ends everything after `seconds`. A request that fails again and
    again while others are answered is refused alone. `tell` hears of the first trouble of an outage.
    """

    stop: Event
    seconds: float = 600.0
    trouble: str | None = None
    tell: Callable[[str], None] | None = None
    _answered_at: float = field(default_factory=time.monotonic)

    def ask(self, request: Callable[[], T]) -> T:
        """The answer, however long that takes."""
        began, failed_at, strikes = time.monotonic(), float("inf"), 0
        for pause in _pauses():
            try:
                answer = request()
            except Away as away:
                strikes += self._answered_at > failed_at
                failed_at = time.monotonic()
                self._bear(away, since=max(began, self._answered_at), strikes=strikes)
                self._sleep(max(pause, away.after))
            else:
                self._answered_at, self.trouble = time.monotonic(), None
                return answer
        raise AssertionError

    def _bear(self, away: Away, *, since: float, strikes: int) -> None:
        if strikes >= STRIKES:
            raise Refused(f"it failed {strikes} times while others went well, at last: {away}")
        if time.monotonic() - since > self.seconds:
            raise Gone(f"waited in vain for {self.seconds:.0f} seconds: {away}")
        if self.tell and self.trouble is None:
            self.tell(str(away))
        self.trouble = str(away)

    def _sleep(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise Interrupted


def _pauses() -> Iterator[float]:
    """Longer and longer, and never the same for two who failed together."""
    return (pause * random.uniform(0.7, 1.3) for pause in chain(PAUSES, repeat(LONGEST_PAUSE)))  # noqa: S311
