"""What picture files say outside of their pixels, found without decoding any: boxes, chunks, and how many frames."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from common.boxes import MOST_PARTS, Part, Read, boxes, inside, whole

MOST_PIECES = 1 << 16
LONGEST_LIST = 1 << 20


def reader(file: BinaryIO) -> Read:
    """Reads a file at any offset; nothing lies before its start."""
    return lambda start, length: os.pread(file.fileno(), length, start) if start >= 0 and length > 0 else b""


def size(file: BinaryIO) -> int:
    """How long the file is."""
    return os.fstat(file.fileno()).st_size


def chunks(read: Read) -> Iterator[Part]:
    """The chunks of a PNG before its pixels."""
    return islice(_chunks(read), MOST_PARTS)


def _chunks(read: Read) -> Iterator[Part]:
    start = 8
    while len(head := read(start, 8)) == 8 and head[4:] != b"IDAT":
        (length,) = struct.unpack(">I", head[:4])
        yield Part(head[4:], start + 8, start + 8 + length)
        start += 12 + length


def chunk(file: BinaryIO, kind: bytes, length: int) -> bytes:
    """The content of a PNG's first chunk of this kind if it is as long as it has to be, else nothing."""
    read = reader(file)
    found = next((part for part in chunks(read) if part.kind == kind), None)
    return read(found.start, length) if found and found.end - found.start == length else b""


def frames_of_png(file: BinaryIO) -> int:
    """How many frames an animated PNG says that it has, 1 for every other."""
    control = chunk(file, b"acTL", 8)
    return max(int.from_bytes(control[:4], "big"), 1)


def frames_of_sequence(file: BinaryIO) -> int:
    """How many frames the first track of an ISO container has, 1 where there is none."""
    read = reader(file)
    sizes = inside(read, whole(size(file)), b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsz")
    return max(int.from_bytes(read(sizes.start + 8, 4), "big"), 1) if sizes else 1


def end_of_items(file: BinaryIO) -> int:
    """Where the last byte lies, plus one, that the items of a picture's container are made of."""
    read = reader(file)
    meta = inside(read, whole(size(file)), b"meta")
    places = next((box for box in boxes(read, meta.start + 4, meta.end) if box.kind == b"iloc"), None) if meta else None
    if places is None or places.end - places.start > LONGEST_LIST:
        return 0
    ends = _ends(Numbers(read(places.start, places.end - places.start)))
    return max(islice(ends, MOST_PIECES), default=0)


@dataclass
class Numbers:
    """Big-endian numbers one after the other; behind the end they are 0."""

    data: bytes
    at: int = 0

    def take(self, length: int) -> int:
        """The number that the next bytes are."""
        self.at += length
        return int.from_bytes(self.data[self.at - length : self.at].ljust(length, b"\0"), "big")


def _ends(places: Numbers) -> Iterator[int]:
    """Where each piece of each item in the file itself ends, as an `iloc` box tells it."""
    version = places.take(4) >> 24
    sizes = places.take(2)
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    wide = 4 if version > 1 else 2
    for _ in range(min(places.take(wide), MOST_PARTS)):
        places.take(wide)
        is_elsewhere = bool(version and places.take(2) & 15)
        places.take(2)
        start = places.take(base)
        for _ in range(min(places.take(2), MOST_PARTS)):
            places.take(index if version else 0)
            end = start + places.take(offset) + places.take(length)
            if places.at > len(places.data):
                return
            yield 0 if is_elsewhere else end
