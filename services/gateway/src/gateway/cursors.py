"""Where a page of a list ended, in a form that says nothing to clients."""

import base64
from typing import TypeVar

import msgspec

from gateway.errors import Invalid

Place = TypeVar("Place", bound=msgspec.Struct)


def write(place: msgspec.Struct | None) -> str | msgspec.UnsetType:
    """The `next` of a page; nothing when no page follows."""
    return msgspec.UNSET if place is None else base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def read(text: str, kind: type[Place]) -> Place:
    """A `next` that came back; Invalid for anything else."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text), type=kind)
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise Invalid("`after` is not the `next` of a page") from None
