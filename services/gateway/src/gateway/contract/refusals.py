"""Which errors an operation can answer with, and how each looks: by its policy, its input and what it declares."""

import inspect
from http import HTTPStatus
from typing import Any

from common.files import Offline
from gateway import errors
from gateway.contract.operations import Operation
from gateway.errors import (
    ANSWERS,
    Forbidden,
    Invalid,
    NoRoom,
    NoSuchRange,
    NotFound,
    NotSignedIn,
    Stalled,
    TooLarge,
    Unknown,
    Unusable,
)

JSON = "application/json"
FAILURE = {"$ref": "#/components/schemas/Failure"}
HEADERS = {
    "Retry-After": "After how many seconds asking again may help.",
    "WWW-Authenticate": "How to sign in.",
    "Content-Range": "How many bytes there are.",
    "Connection": "The server ends the connection.",
}


def of(operation: Operation) -> list[HTTPStatus]:
    """The statuses of the errors that an operation can answer with, by their numbers."""
    return sorted({errors.status_of(kind) for kind in _kinds(operation)} - set(operation.also))


def name(status: HTTPStatus) -> str:
    """What an error is called among the parts of the document."""
    return "".join(word.capitalize() for word in status.phrase.replace("-", " ").split())


def describe(status: HTTPStatus) -> dict[str, Any]:
    """An error as the document shows it: when it comes, and an example."""
    found = [(kind, answer) for kind, answer in ANSWERS.items() if answer.status == status]
    message = next(answer.message for kind, answer in found)
    example = {"code": int(status), "message": message, "error": _told(found[0][0])}
    shown = {"description": " ".join(dict.fromkeys(_told(kind) for kind, _ in found))}
    headers = {header for _, answer in found for header in answer.headers} | _extra(status)
    if headers:
        shown["headers"] = {one: _header(one) for one in sorted(headers)}  # type: ignore[assignment]
    return shown | {"content": {JSON: {"schema": FAILURE, "example": example}}}


def _kinds(operation: Operation) -> list[type[BaseException]]:
    kinds: list[type[BaseException]] = [*operation.kinds]
    if not operation.policy.is_open:
        kinds += [NotSignedIn, Forbidden]
    if operation.parameters or operation.body or operation.form:
        kinds += [Invalid]
    if any(parameter.place == "path" for parameter in operation.parameters):
        kinds += [NotFound]
    if operation.body or operation.form:
        kinds += [TooLarge]
    if operation.form:
        kinds += [Stalled, Unknown, Unusable, NoRoom]
    if operation.gives and operation.gives.by_ranges:
        kinds += [NoSuchRange]
    return kinds + ([Offline] if operation.asks_anything else [])


def _told(kind: type[BaseException]) -> str:
    """What an error of ours says of itself; foreign ones are told by the table."""
    if kind.__module__.startswith(("gateway.", "common.")) and kind.__doc__:
        return inspect.cleandoc(kind.__doc__).partition("\n")[0]
    return ANSWERS[kind].message.capitalize() + "."


def _extra(status: HTTPStatus) -> set[str]:
    return {"Content-Range"} if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE else set()


def _header(called: str) -> dict[str, Any]:
    return {"description": HEADERS.get(called, called), "schema": {"type": "string"}}
