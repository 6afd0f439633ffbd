"""What `lumilio reprocess` does, from the sign-in to the exit status."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

from rich.console import Console
from rich.live import Live

from lumilio.refusal import CannotStart
from lumilio.reprocess.server import Server, Summary
from lumilio.terminal import say
from lumilio.upload import show, signing
from lumilio.upload.patience import Gone, Patience, Refused
from lumilio.upload.progress import Sight, Speed, duration, printable
from lumilio.upload.session import Session

LOOK_SECONDS = 2.0
LINE_SECONDS = 5.0
WINDOW_SECONDS = 120.0
INTERRUPTED = 130


def reprocess(arguments: argparse.Namespace) -> None:
    """Ask for what the arguments say, and end with a status that says how it went."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stop, password = Event(), signing.password(arguments.password_file)
    filters = {"repository_id": str(arguments.repository or ""), "type": (arguments.type or "").upper()}
    with _in_words(), signing.client(arguments.server, connections=2) as http:
        session = Session(http, arguments.user, password)
        signing.sign_in(session, stop)
        server = Server(session, Patience(stop, tell=show.tell_waiting), arguments.everyone)
        queued = server.reprocess(arguments.scope, **{name: value for name, value in filters.items() if value})
        say(f"{queued:,} are processed again, after everything that people wait for")
        if arguments.wait:
            sys.exit(_wait(server, queued))


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except (Gone, Refused) as error:
        raise CannotStart(printable(str(error))) from None


def _wait(server: Server, queued: int) -> int:
    try:
        return follow(server, queued, Console())
    except KeyboardInterrupt:
        say("the server goes on with it; the same command with --missing and --wait shows how far it is")
        return INTERRUPTED


def follow(server: Server, queued: int, console: Console) -> int:
    """Show how far it is until nothing is left; the exit status, which is 1 when more could not be done than before."""
    first = summary = server.look()
    watch = Watch(queued)
    with _screen(console) as (draw, pause):
        while summary.left:
            draw(watch.note(summary.left, now=time.monotonic()), _trouble(summary))
            time.sleep(pause)
            summary = server.look()
    failed = summary.failed - first.failed
    say("all is done" if failed <= 0 else f"{failed:,} could not be processed: `lumilio failed` says why")
    return int(failed > 0)


@dataclass
class Watch:
    """How far it is, by what is left of it."""

    total: int
    speed: Speed = field(default_factory=lambda: Speed(WINDOW_SECONDS))

    def note(self, left: int, *, now: float) -> Sight:
        """A part of a whole, and a line about it, now that so many are left."""
        self.total = max(self.total, left)
        done = self.total - left
        speed = self.speed.note(done, now=now)
        rest = f", {duration(left / speed)} left" if speed else ""
        return Sight(done, self.total, f"{done:,} of {self.total:,} done{rest}")


@contextmanager
def _screen(console: Console) -> Iterator[tuple[Callable[[Sight, str | None], None], float]]:
    """A bar on a terminal, lines elsewhere; and how long to look at it before the next."""
    if console.is_terminal and not console.is_dumb_terminal:
        with Live(console=console, transient=True, auto_refresh=False) as live:
            yield lambda sight, trouble: live.update(show.picture(sight, trouble), refresh=True), LOOK_SECONDS
    else:
        yield lambda sight, trouble: say(f"{sight.line} ({trouble})" if trouble else sight.line), LINE_SECONDS


def _trouble(summary: Summary) -> str | None:
    """Why nothing goes on, if that is so."""
    return "; ".join(f"{one.stage} is paused: {printable(one.reason)}" for one in summary.pauses) or None
