"""What is noted on the bytes of an upload themselves: whose they are and what they are called, should rows be lost."""

import os
from contextlib import suppress
from typing import Annotated

import msgspec
from msgspec import Meta

ATTRIBUTE = "user.lumilio.upload"


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """An upload, by its owner, its name, and its content (BLAKE3), which says whether it is whole."""

    owner: Annotated[int, Meta(gt=0, lt=1 << 31)]
    name: Annotated[str, Meta(max_length=300)]
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


def note(descriptor: int, received: Received) -> None:
    """Note it on an open file, where the file system takes such notes."""
    with suppress(OSError):
        os.setxattr(descriptor, ATTRIBUTE, msgspec.json.encode(received))


def read(descriptor: int) -> Received | None:
    """What was noted on an open file, if anything was."""
    try:
        return msgspec.json.decode(os.getxattr(descriptor, ATTRIBUTE), type=Received)
    except (OSError, msgspec.DecodeError):
        return None
