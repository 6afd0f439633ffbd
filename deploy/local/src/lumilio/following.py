"""How a command that has a server do something asks for it, and shows how far that is."""

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Event
from typing import TypeVar

from lumilio.refusal import CannotStart
from lumilio.upload import show, signing
from lumilio.upload.patience import Gone, Patience, Refused
from lumilio.upload.progress import Sight, Speed, duration, printable
from lumilio.upload.server import read
from lumilio.upload.session import Session, send, words
from lumilio_client.calls import Call, Item, Listing, Page

T = TypeVar("T")
ASKING_SECONDS = 30.0
WINDOW_SECONDS = 120.0
INTERRUPTED = 130
GOOD = {HTTPStatus.OK, HTTPStatus.ACCEPTED}


@dataclass(frozen=True)
class Asking:
    """A signed-in session with a server, and the patience that it is asked with."""

    session: Session
    patience: Patience

    def ask(self, call: Call[T], *, seconds: float = ASKING_SECONDS) -> T:
        """The data of the answer; Gone when the server does not do it, in its own words."""
        http = self.session.http
        answer = self.patience.ask(lambda: self.session.ask(lambda headers: send(http, call, headers, timeout=seconds)))
        if answer.status_code not in GOOD:
            raise Gone(f"the server does not do it: {words(answer)}")
        kind: type[T] = call.answer
        return read(answer, kind)

    def pages(self, call: Listing[Page, Item]) -> Iterator[Page]:
        """All pages of a list, asked for one after the other."""
        following: Listing[Page, Item] | None = call
        while following is not None:
            page = self.ask(following)
            yield page
            following = following.following(page)


@contextmanager
def signed_in(arguments: argparse.Namespace) -> Iterator[Asking]:
    """Speak to the server that the arguments name; what goes wrong in the end is told in one line."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stop, password = Event(), signing.password(arguments.password_file)
    try:
        with signing.client(arguments.server, connections=2) as http:
            session = Session(http, arguments.user, password)
            signing.sign_in(session, stop)
            yield Asking(session, Patience(stop, tell=show.tell_waiting))
    except (Gone, Refused) as error:
        raise CannotStart(printable(str(error))) from None


@dataclass
class Watch:
    """How far something is, by what is left of it; `done` says in words what becomes of it."""

    total: int
    done: str = "done"
    speed: Speed = field(default_factory=lambda: Speed(WINDOW_SECONDS))

    def note(self, left: int, *, now: float) -> Sight:
        """A part of a whole, and a line about it, now that so many are left."""
        self.total = max(self.total, left)
        done = self.total - left
        speed = self.speed.note(done, now=now)
        rest = f", {speed:,.1f} a second, {duration(left / speed)} left" if speed else ""
        return Sight(done, self.total, f"{done:,} of {self.total:,} {self.done}{rest}")
