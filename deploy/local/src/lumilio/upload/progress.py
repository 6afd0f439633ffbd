"""How far a run is, in words and numbers for people."""

import time
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from rich.filesize import decimal

from common.names import shown
from lumilio.upload.run import Run

WINDOW_SECONDS = 20.0


@dataclass
class Speed:
    """Bytes, or whatever is counted, a second over the last while."""

    window: float = WINDOW_SECONDS
    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, total: int, *, now: float) -> float:
        """The speed, now that so much is done with in all."""
        self._samples.append((now, total))
        while now - self._samples[0][0] > self.window:
            self._samples.popleft()
        began, before = self._samples[0]
        return max(0.0, (total - before) / (now - began)) if now > began else 0.0


class Sight(NamedTuple):
    """How far a run is: a part of a whole, and a line about it."""

    done: int
    total: int
    line: str


@dataclass
class Watcher:
    """Looks at a run again and again."""

    run: Run
    speed: Speed = field(default_factory=Speed)

    def look(self) -> Sight:
        """First the bytes on their way to the server count, then the files that it has processed."""
        return self._processing() if self.run.is_sent and self.run.processing else self._sending()

    def _processing(self) -> Sight:
        left, total = len(self.run.processing), self.run.processing.added
        line = f"everything is sent, the server has processed {total - left:,} of {total:,}"
        return Sight(total - left, total, line)

    def _sending(self) -> Sight:
        files, done = self.run.ledger.done()
        total, speed = self.run.total, self.speed.note(done, now=time.monotonic())
        more = "" if total.is_final else "+"
        parts = [f"{files:,} of {total.files:,}{more} files", f"{decimal(done)} of {decimal(total.bytes)}{more}"]
        if speed and not self.run.server.trouble:
            parts.append(f"{decimal(int(speed))}/s")
            if total.is_final:
                parts.append(f"{duration(max(0, total.bytes - done) / speed)} left")
        return Sight(min(done, total.bytes), total.bytes, ", ".join(parts))


def duration(seconds: float) -> str:
    """A time for people, by its two largest units."""
    minutes, hours = divmod(round(seconds), 60), divmod(round(seconds) // 60, 60)
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{minutes[0]} min {minutes[1]} s" if seconds < 3600 else f"{hours[0]} h {hours[1]} min"


def printable(text: str | bytes) -> str:
    """Text that may stand on a terminal: nothing in it moves the cursor, turns the line or hides."""
    return shown(text)
