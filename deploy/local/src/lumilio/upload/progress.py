"""How far a run is, in words and numbers for people."""

import time
from collections import deque
from dataclasses import dataclass, field

from rich.filesize import decimal

from lumilio.upload.run import Run

WINDOW_SECONDS = 20.0


@dataclass
class Speed:
    """Bytes a second over the last while."""

    _samples: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, total: int, *, now: float) -> float:
        """The speed, now that so many bytes are done with in all."""
        self._samples.append((now, total))
        while now - self._samples[0][0] > WINDOW_SECONDS:
            self._samples.popleft()
        began, before = self._samples[0]
        return max(0.0, (total - before) / (now - began)) if now > began else 0.0


@dataclass
class Teller:
    """Says in one line how far a run is."""

    run: Run
    speed: Speed = field(default_factory=Speed)

    def line(self) -> str:
        """Files, bytes, speed, time left; or what is waited for."""
        run = self.run
        if run.is_sent and run.processing:
            return f"everything is sent, {len(run.processing):,} are still being processed by the server"
        files, done = run.ledger.done()
        total, speed = run.total, self.speed.note(done, now=time.monotonic())
        more = "" if total.is_final else "+"
        parts = [f"{files:,} of {total.files:,}{more} files", f"{decimal(done)} of {decimal(total.bytes)}{more}"]
        if speed:
            parts.append(f"{decimal(int(speed))}/s")
            if total.is_final:
                parts.append(f"{duration((total.bytes - done) / speed)} left")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """A time for people, by its two largest units."""
    minutes, hours = divmod(round(seconds), 60), divmod(round(seconds) // 60, 60)
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{minutes[0]} min {minutes[1]} s" if seconds < 3600 else f"{hours[0]} h {hours[1]} min"


def printable(text: str | bytes) -> str:
    """Text that may stand on a terminal: nothing in it moves the cursor, turns the line or hides."""
    text = text.decode(errors="backslashreplace") if isinstance(text, bytes) else text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode() for letter in text
    )
