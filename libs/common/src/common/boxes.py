"""The boxes that ISO containers (MP4, QuickTime, HEIC, JPEG XL and others) are made of."""

import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

MOST_PARTS = 4096

Read = Callable[[int, int], bytes]
"""The bytes from an offset on, so many or as many as there are."""


class Part(NamedTuple):
    """A box or a chunk: what it is, and where its content starts and ends."""

    kind: bytes
    start: int
    end: int


def boxes(read: Read, start: int, end: int) -> Iterator[Part]:
    """The boxes of an ISO container between two offsets, as far as they make sense."""
    return islice(_boxes(read, start, end), MOST_PARTS)


def inside(read: Read, parent: Part, *path: bytes) -> Part | None:
    """The first box at the end of a path of boxes."""
    found: Part | None = parent
    for kind in path:
        found = found and next((box for box in boxes(read, found.start, found.end) if box.kind == kind), None)
    return found


def whole(size: int) -> Part:
    """A file of so many bytes, as a part that holds all of its boxes."""
    return Part(b"", 0, size)


def _boxes(read: Read, start: int, end: int) -> Iterator[Part]:
    while start + 8 <= end:
        length, kind = struct.unpack(">I4s", read(start, 8).ljust(8, b"\0"))
        content = start + 8
        if length == 1:
            (length,) = struct.unpack(">Q", read(content, 8).ljust(8, b"\0"))
            content += 8
        following = start + length if length else end
        if not content <= following <= end or not kind.isascii() or not kind.strip(b" \0"):
            return
        yield Part(kind, content, following)
        start = following
