"""Parts of ISO containers, written and read."""

import struct
from collections.abc import Iterator


def box(kind: bytes, content: bytes) -> bytes:
    """A part of an ISO container."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and content of each box, one behind the other."""
    at = 0
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        yield kind, content[at + 8 : at + length]
        at += length
