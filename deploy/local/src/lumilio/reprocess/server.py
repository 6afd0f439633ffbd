"""What the server is asked: to process again, and how much of that is left."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

import httpx
import msgspec

from lumilio.upload.patience import Gone, Patience
from lumilio.upload.server import read
from lumilio.upload.session import Session, words

T = TypeVar("T")
BULK = 1
STAGES = {"place", "render", "transcode"}


class Reprocessing(msgspec.Struct, frozen=True):
    """How many are processed again that were not to be, and where it goes on if there are more."""

    queued: int
    next: UUID | None = None


class Count(msgspec.Struct, frozen=True):
    stage: str
    lane: int
    state: str
    count: int


class Pause(msgspec.Struct, frozen=True):
    stage: str
    reason: str


class Summary(msgspec.Struct, frozen=True):
    """What is not done at a moment."""

    counts: list[Count]
    pauses: list[Pause]

    @property
    def left(self) -> int:
        """How much is to be done that nobody waits for in person."""
        return self._number("pending", "running")

    @property
    def failed(self) -> int:
        """How much of that was given up."""
        return self._number("failed")

    def _number(self, *states: str) -> int:
        ours = (one for one in self.counts if one.stage in STAGES and one.lane >= BULK)
        return sum(one.count for one in ours if one.state in states)


@dataclass(frozen=True)
class Server:
    """A server, the patience that it is asked with, and whose photos are meant: the user's, or everybody's."""

    session: Session
    patience: Patience
    everyone: bool = False

    def reprocess(self, scope: str, **filters: str) -> int:
        """Have photos processed again; how many were not to be so far."""
        queued = 0
        body: dict[str, Any] = {"scope": scope, "filter": filters}
        while True:
            told = self._ask(Reprocessing, partial(self._post, body))
            queued += told.queued
            if told.next is None:
                return queued
            body["after"] = str(told.next)

    def look(self) -> Summary:
        """What is left to do."""
        http = self.session.http
        return self._ask(Summary, lambda headers: http.get("stages/summary", params=self._whose(), headers=headers))

    def _post(self, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
        return self.session.http.post("assets/reprocess", params=self._whose(), json=body, headers=headers, timeout=60)

    def _whose(self) -> dict[str, str]:
        return {"all": "true"} if self.everyone else {}

    def _ask(self, kind: type[T], request: Callable[[dict[str, str]], httpx.Response]) -> T:
        answer = self.patience.ask(lambda: self.session.ask(request))
        if answer.status_code != HTTPStatus.OK:
            raise Gone(f"the server does not do it: {words(answer)}")
        return read(answer, kind)
