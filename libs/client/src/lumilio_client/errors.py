"""Why a request was not done, in the server's own words."""

from contextlib import suppress
from http import HTTPStatus
from typing import TypeVar

import httpx
import msgspec

T = TypeVar("T")


class Trouble(Exception):
    """A request that was not answered with what it asked for."""


class Unreachable(Trouble):
    """There is no answer: the server is away, or the way to it is."""


class NotUnderstood(Trouble):
    """An answer that is not of this product, or of a version that this client does not know."""


class Failure(Trouble):
    """The server says no: `code` is the HTTP status, the text says what went wrong."""

    def __init__(self, code: int, words: str, *, confirm: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(words)
        self.code = code
        self.words = words
        self.confirm = confirm
        self.retry_after = retry_after


class Invalid(Failure):
    """The request is not well formed."""


class NotSignedIn(Failure):
    """The token or the key is not valid, or the password is wrong."""


class Forbidden(Failure):
    """The caller may not do this."""


class NotFound(Failure):
    """There is no such thing, or it belongs to somebody else."""


class NotReady(NotFound):
    """The thing is being made: ask again after `retry_after` seconds."""


class Conflict(Failure):
    """The request contradicts what is there."""


class Unconfirmed(Conflict):
    """Much would go for good: repeat the request with `confirm`, if it is meant."""


class TooLarge(Failure):
    """More was sent than is taken."""


class UnknownFormat(Failure):
    """The server takes no files of this format."""


class NoSuchRange(Failure):
    """The wanted range lies outside the content."""


class Unusable(Failure):
    """The request is well formed and cannot be done."""


class TooMany(Failure):
    """Too much at once: ask again after `retry_after` seconds."""


class Unavailable(Failure):
    """The server, or something that it needs, is away for the moment."""


class NoRoom(Failure):
    """The server's disk is full."""


KINDS: dict[int, type[Failure]] = {
    HTTPStatus.BAD_REQUEST: Invalid,
    HTTPStatus.UNAUTHORIZED: NotSignedIn,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLarge,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: UnknownFormat,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: NoSuchRange,
    HTTPStatus.UNPROCESSABLE_ENTITY: Unusable,
    HTTPStatus.TOO_MANY_REQUESTS: TooMany,
    HTTPStatus.BAD_GATEWAY: Unavailable,
    HTTPStatus.SERVICE_UNAVAILABLE: Unavailable,
    HTTPStatus.GATEWAY_TIMEOUT: Unavailable,
    HTTPStatus.INSUFFICIENT_STORAGE: NoRoom,
}


class _Told(msgspec.Struct, frozen=True):
    """What the server says of a failure; whoever stands between us and it may say nothing of the kind."""

    error: str = ""
    confirm: str | None = None


def of(answer: httpx.Response) -> Failure:
    """The failure that an answer is; its body is read already."""
    told = _Told()
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        told = msgspec.json.decode(answer.content, type=_Told)
    wait, kind = retry_after(answer), KINDS.get(answer.status_code, Failure)
    if kind is NotFound and wait is not None:
        kind = NotReady
    if kind is Conflict and told.confirm is not None:
        kind = Unconfirmed
    words = told.error or f"the answer is {answer.status_code} {answer.reason_phrase}".rstrip()
    return kind(answer.status_code, words, confirm=told.confirm, retry_after=wait)


def retry_after(answer: httpx.Response) -> float | None:
    """After how many seconds asking again may help, if the server says so."""
    wish = answer.headers.get("Retry-After", "")
    return float(wish) if wish.isdecimal() else None


def read(answer: httpx.Response, kind: type[T]) -> T:
    """What a good answer says; NotUnderstood where that is nothing that we know."""
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotUnderstood(f"{answer.request.method} {answer.request.url.path}: {error}") from None
