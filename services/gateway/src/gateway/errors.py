"""What can go wrong with a request, and the one table that says how it is answered."""

from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
import psycopg
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from msgspec import UNSET

from common import db, formats, log
from common.files import FULL_DISK, STARVED, Offline
from common.passwords import Unfit
from common.roots import Refused
from common.trash import Going, NoAsset
from gateway import wording
from gateway.schemas import Failure

SOON = {"Retry-After": "2"}
LATER = {"Retry-After": "5"}


class Invalid(Exception):
    """The request is not well formed."""


class NotSignedIn(Exception):
    """The request lacks a valid token, or the sign-in failed."""


class Forbidden(Exception):
    """The caller may not do this; an administrator may."""


class TooManyTries(Exception):
    """Somebody guesses, or looks as if they did: they are to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many tries: wait for {-(-seconds // 60)} minutes; who is signed in is not kept out")
        self.headers = {"Retry-After": str(seconds)}


class Busy(Exception):
    """The caller does as much at once as one person may."""


class Crowded(Exception):
    """More is asked at once than is done at once."""


class NotFound(Exception):
    """There is no such thing, or it belongs to somebody else: the answer does not tell which."""


class Expired(Exception):
    """The thing was there for a time, and that is over."""


class NotReady(NotFound):
    """The thing is being made: the same question has an answer later."""


class Unknown(Exception):
    """The content is of no family that we know."""


class Unusable(Exception):
    """The request is well formed and cannot be done."""


class TooLarge(Exception):
    """More was sent than is taken."""


class OverQuota(TooLarge):
    """The caller may not store so much."""


class Conflict(Exception):
    """The request contradicts an earlier one, or the state of what it is about."""


class Unconfirmed(Conflict):
    """Much would go for good: the same request is done with the token that the answer gives."""

    def __init__(self, question: str, confirm: str) -> None:
        super().__init__(question)
        self.confirm = confirm


class NoRoom(Exception):
    """The disk has no room to spare for what is sent."""


class Stalled(Exception):
    """The client stopped sending in the middle of a request."""


class NoSuchRange(Exception):
    """The wanted range lies outside the content."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the content has {size} bytes")
        self.headers = {"Content-Range": f"bytes */{size}"}


class Answer(NamedTuple):
    status: HTTPStatus
    message: str
    headers: dict[str, str] = {}  # noqa: RUF012  # never changed


AWAY = Answer(HTTPStatus.SERVICE_UNAVAILABLE, "the database does not answer", LATER)
BUSY = Answer(HTTPStatus.SERVICE_UNAVAILABLE, "the server is at its limits", LATER)
FULL = Answer(HTTPStatus.INSUFFICIENT_STORAGE, "the disk is full")
BROKEN = Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong on the server")

# The first class of an error's ancestry that stands here decides.
ANSWERS: dict[type[BaseException], Answer] = {
    Invalid: Answer(HTTPStatus.BAD_REQUEST, "the request is not well formed"),
    Unfit: Answer(HTTPStatus.BAD_REQUEST, "that cannot be a name, an address or a password"),
    RecursionError: Answer(HTTPStatus.BAD_REQUEST, "the body is nested too deeply"),
    UnicodeDecodeError: Answer(HTTPStatus.BAD_REQUEST, "the body is not UTF-8"),
    psycopg.DataError: Answer(HTTPStatus.BAD_REQUEST, "a value is outside what can be stored"),
    Stalled: Answer(HTTPStatus.REQUEST_TIMEOUT, "the request took too long", {"Connection": "close"}),
    NotSignedIn: Answer(HTTPStatus.UNAUTHORIZED, "not signed in", {"WWW-Authenticate": "Bearer"}),
    Forbidden: Answer(HTTPStatus.FORBIDDEN, "not allowed"),
    TooManyTries: Answer(HTTPStatus.TOO_MANY_REQUESTS, "wait before you try again"),
    Busy: Answer(HTTPStatus.TOO_MANY_REQUESTS, "one thing after the other", SOON),
    Crowded: Answer(HTTPStatus.SERVICE_UNAVAILABLE, "too much is asked at once", SOON),
    NotReady: Answer(HTTPStatus.NOT_FOUND, "not ready yet, try again", SOON),
    NotFound: Answer(HTTPStatus.NOT_FOUND, "not found"),
    Expired: Answer(HTTPStatus.GONE, "its time is over"),
    NoAsset: Answer(HTTPStatus.NOT_FOUND, "not found"),
    Unknown: Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"this version takes {formats.taken_formats()}"),
    Unusable: Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "the request cannot be done"),
    Refused: Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "the repository cannot be used like this"),
    OverQuota: Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "your quota is full"),
    TooLarge: Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "more was sent than is taken"),
    Unconfirmed: Answer(HTTPStatus.CONFLICT, "confirm it first"),
    Going: Answer(HTTPStatus.CONFLICT, "it is being purged"),
    Conflict: Answer(HTTPStatus.CONFLICT, "the request contradicts what is there"),
    NoRoom: Answer(HTTPStatus.INSUFFICIENT_STORAGE, "the disk is nearly full"),
    NoSuchRange: Answer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "no such range"),
    Offline: Answer(HTTPStatus.SERVICE_UNAVAILABLE, "the repository is offline", LATER),
    MemoryError: BUSY,
    psycopg.errors.DiskFull: FULL,
    **dict.fromkeys(db.OUTAGES, AWAY),
}

# What the outside calls what has another name in Python.
NAMES = {"data": "body", "only": "state", "everyone": "all", "shape": "format"}
NO_BODY = {"key": "data", "message": "'data'"}

# What the framework leaves open: what to do.
UNROUTED: dict[type[HTTPException], str] = {
    NotFoundException: "nothing is at this address: /api/docs lists what there is, and how it is written",
    MethodNotAllowedException: "the address does not take this method: /api/docs says which it takes",
}

# Errors of these kinds say something about us, so the client hears only the message of the table.
SILENT = (AWAY, BUSY, FULL, BROKEN)


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Failure]:
    """The envelope for whatever went wrong; internals go to the log, never to the client."""
    status, message, headers = _find(error)
    told = explain(error, path=request.scope.get("path_template"))
    failure = Failure(code=status, message=message, error=told, confirm=getattr(error, "confirm", UNSET))
    headers = {**headers, **(getattr(error, "headers", None) or {})}
    return Response(failure, status_code=status, headers=headers, media_type="application/json")


def explain(error: Exception, *, path: str | None = None) -> str:
    """What went wrong, in words for the client; what says something about us goes to the log."""
    found = _find(error)
    if found not in SILENT:
        return _reason(error)
    log.get().error("request failed", path=path, exc_info=error)
    return found.message


def status_of(kind: type[BaseException]) -> HTTPStatus:
    """How errors of a kind are answered."""
    return _entry(kind).status


def _entry(kind: type[BaseException]) -> Answer:
    return next((ANSWERS[one] for one in kind.__mro__ if one in ANSWERS), BROKEN)


def _find(error: Exception) -> Answer:
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        status = HTTPStatus(error.status_code)
        return Answer(status, status.phrase.lower())
    if _is_misread(error):
        return ANSWERS[Invalid]
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return FULL
    if isinstance(error, OSError) and error.errno in STARVED:
        return BUSY
    return _entry(type(error))


def _is_misread(error: Exception) -> bool:
    """Whether the framework takes a wrong field of a body for a fault of ours: one that is called as we call a part."""
    return isinstance(error, InternalServerException) and isinstance(error.__cause__, msgspec.ValidationError)


def _reason(error: Exception) -> str:
    """A sentence for people; values of the request are not repeated to the sender."""
    if _is_misread(error):
        said, _, place = str(error.__cause__).rstrip("`").partition(" - at `$.")
        return f"{place.removeprefix('data.') or 'body'}: {wording.sentence(said)}"
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        return "; ".join(map(_told, error.extra))
    if isinstance(error, HTTPException):
        return UNROUTED.get(type(error), error.detail)
    if isinstance(error, psycopg.Error | RecursionError | UnicodeDecodeError):
        return "a value of the request is too large, too deep, or no text that can be stored"
    return str(error)


def _told(found: dict[str, str]) -> str:
    if NO_BODY.items() <= found.items():
        return "the request has no body: send JSON"
    key = found.get("key", "body")
    return f"{NAMES.get(key, key)}: {wording.sentence(found['message'])}"
