"""How many uploads of one person run at once: everybody else has a turn, too."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway.errors import Busy

MOST = 4


@dataclass(frozen=True)
class Turns:
    """Counts the uploads that run."""

    most: int = MOST
    _running: Counter[int] = field(default_factory=Counter)

    @contextmanager
    def of(self, user_id: int) -> Iterator[None]:
        """An upload of a person's runs; Busy when as many run as may."""
        if self._running[user_id] >= self.most:
            raise Busy(f"{self.most} uploads of yours are running: send this one when one of them is done")
        self._running[user_id] += 1
        try:
            yield
        finally:
            self._running[user_id] -= 1
            if not self._running[user_id]:
                del self._running[user_id]
