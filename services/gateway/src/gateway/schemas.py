"""What every answer over the wire is put into, and answers that are about nothing in particular."""

from typing import Generic, TypeVar
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

T = TypeVar("T")


class Envelope(Struct, Generic[T], frozen=True, kw_only=True):
    """Every good answer: code 0 and the data, if there is any."""

    code: int = 0
    message: str = "success"
    data: T | UnsetType = UNSET


class Failure(Struct, frozen=True, kw_only=True):
    """Every other answer: the HTTP status, what went wrong, and the reason in words.

    `confirm` is what a request that takes much away is to be repeated with, if it is meant.
    """

    code: int
    message: str
    error: str
    confirm: str | UnsetType = UNSET


class Message(Struct, frozen=True, kw_only=True):
    """What was done, in words."""

    message: str


class ServerState(Struct, frozen=True, kw_only=True):
    """What a server goes by; `server_epoch` changes when its catalogue was restored from a backup."""

    server_epoch: UUID


class Health(Struct, frozen=True, kw_only=True):
    status: str = "ok"
