"""What a route says of itself beyond its signature: `opt=EDIT | may(Conflict)`, `opt=READ | gives("image/webp")`."""

from http import HTTPStatus
from typing import Any

from msgspec import Struct, field

from gateway.policies import Opt


class Bytes(Struct, frozen=True):
    """An answer that is no JSON: its content types, and whether parts of it can be asked for."""

    types: tuple[str, ...]
    by_ranges: bool


class Form(Struct, frozen=True):
    """A multipart body: the JSON schema of each part by its name, and of those that have any other name."""

    parts: dict[str, dict[str, Any]]
    required: tuple[str, ...] = ()
    others: dict[str, Any] | None = None


class Header(Struct, frozen=True):
    """A header that a route reads by itself."""

    name: str
    description: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})


def may(*kinds: type[Exception]) -> Opt:
    """These errors can be the answer, besides those that policy, parameters and body bring with them."""
    return {"may": kinds}


def gives(*types: str, by_ranges: bool = True) -> Opt:
    """The answer is a file of one of these types; conditions and, unless it is made on the way, ranges are honoured."""
    return {"gives": Bytes(types, by_ranges)}


def takes(form: Form | None = None, *headers: Header) -> Opt:
    """The body is read by the route itself, and so are these headers."""
    return {"form": form, "headers": headers}


def also(status: HTTPStatus, says: str) -> Opt:
    """Another status that comes with the same data."""
    return {"also": {int(status): says}}
