"""Shows how far something long is: in place on a terminal, line by line elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

from rich.console import Console
from rich.live import Live

from lumilio.terminal import say
from lumilio.upload import show
from lumilio.upload.progress import Sight

LOOK_SECONDS = 1.0
LINE_SECONDS = 5.0
MINUTE = 60.0
Draw: TypeAlias = Callable[[Sight, str | None], None]
"""Shows how far it is, and why nothing goes on if that is so."""
Screen: TypeAlias = Callable[[], AbstractContextManager[Draw]]
"""For as long as something takes, and gone before anything else is said."""


def unseen() -> AbstractContextManager[Draw]:
    """Nobody watches."""
    return nullcontext(lambda _, __: None)


@contextmanager
def for_hours() -> Iterator[Draw]:
    """A bar on a terminal, and a line a minute elsewhere."""
    with screen(Console(), every=MINUTE) as (draw, _):
        yield draw


@contextmanager
def screen(console: Console, *, every: float | None = None) -> Iterator[tuple[Draw, float]]:
    """A bar on a terminal, elsewhere a line every so many seconds; and how long to wait before the next look."""
    if console.is_terminal and not console.is_dumb_terminal:
        with Live(console=console, transient=True, auto_refresh=False) as live:
            yield lambda sight, trouble: live.update(show.picture(sight, trouble), refresh=True), LOOK_SECONDS
    else:
        yield Lines(every or LINE_SECONDS).draw, min(LOOK_SECONDS, LINE_SECONDS)


@dataclass
class Lines:
    """Tells how far something is, line by line, and not too often."""

    every: float
    told_at: float | None = None

    def draw(self, sight: Sight, trouble: str | None) -> None:
        """Say it, unless something was said just now."""
        now = time.monotonic()
        if self.told_at is None or now - self.told_at >= self.every:
            self.told_at = now
            say(f"{sight.line} ({trouble})" if trouble else sight.line)
