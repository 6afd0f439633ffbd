"""What the server is asked: what it has, to take a file, and how far it is with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import httpx
import msgspec

from lumilio.upload import walk
from lumilio.upload.form import Changed, Form
from lumilio.upload.patience import Gone, Patience, Refused
from lumilio.upload.session import GARBAGE, Session, send, words
from lumilio.upload.walk import File
from lumilio_client import Call, api
from lumilio_client.api import UploadResponse, UploadState
from lumilio_client.client import Envelope
from lumilio_client.sending import PATH

T = TypeVar("T")

# Longer than a server takes to sync a large file on a slow disk.
TAKING = httpx.Timeout(120, connect=10, pool=None)

MOST_HASHES = 500
PAGE = 100
OK, UNPROCESSABLE = 200, 422
MISSING = {404, 405}
NOT_FOR_US = {401, 403, *MISSING}


@dataclass(frozen=True)
class Server:
    """A server, and the patience that it is asked with."""

    session: Session
    asking: Patience
    sending: Patience
    repository: UUID | None = None

    @property
    def trouble(self) -> str | None:
        """Why the server keeps us waiting, if it does."""
        return self.sending.trouble or self.asking.trouble

    def list_known(self, hashes: Sequence[str]) -> set[str]:
        """Which of these contents the server has; none, where it is too old to tell."""
        found = self._ask(api.precheck(api.PrecheckRequest(hashes=list(hashes))))
        return {one.hash for one in found.known} if found else set()

    def list_uploads(self, *, up_to: int) -> list[UploadState] | None:
        """A page of uploads, newest first, from a task on; None where the server is too old to tell."""
        found = self._ask(api.list_uploads(limit=PAGE, after=up_to + 1))
        return found.uploads if found else None

    def send(self, file: File, moved: Callable[[int], None]) -> UploadResponse:
        """Send a file until it is taken; Refused when it never will be, Changed when it is not what was hashed."""
        answer = self.sending.ask(lambda: self.session.ask(lambda headers: self._post(file, headers, moved)))
        self.asking.trouble = None  # a server that takes files is not away, whoever still waits to ask again
        if answer.status_code in NOT_FOR_US:
            raise Gone(f"the server takes nothing: {words(answer)}")
        if answer.status_code == UNPROCESSABLE:
            raise Changed(words(answer))
        if answer.status_code != OK:
            raise Refused(words(answer))
        taken = read(answer, UploadResponse)
        if taken.content_hash != file.content_hash:
            raise Refused("the server has got other bytes than were sent")
        return taken

    def _post(self, file: File, headers: dict[str, str], moved: Callable[[int], None]) -> httpx.Response:
        form = Form(file, self.repository)
        with walk.opened(file.path) as opened:
            body = form.read(opened, moved, self.sending.stop.is_set)
            headers = headers | form.headers()
            return self.session.http.post(f"{PATH}?lane=bulk", content=body, headers=headers, timeout=TAKING)

    def _ask(self, call: Call[T]) -> T | None:
        http = self.session.http
        try:
            answer = self.asking.ask(lambda: self.session.ask(lambda headers: send(http, call, headers)))
        except Refused as error:
            raise Gone(f"the server does not say what it has: {error}") from None
        if answer.status_code in MISSING:
            return None
        if answer.status_code != OK:
            raise Gone(f"the server does not say what it has: {words(answer)}")
        kind: type[T] = call.answer
        return read(answer, kind)


def read(answer: httpx.Response, kind: type[T]) -> T:
    """The data of a good answer; Gone when it is not what this version knows."""
    try:
        return msgspec.json.decode(answer.content, type=Envelope[kind]).data  # type: ignore[valid-type]
    except GARBAGE as error:
        raise Gone(f"the server speaks in a way that this version does not understand: {error}") from None
