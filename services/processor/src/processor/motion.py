"""Finds the video that a motion photo carries inside; it is not decoded, only its boxes are walked."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from common import sniff
from common.boxes import Read, boxes
from processor import containers

CONTAINERS = {"image/heic", "image/avif"}
CARRIERS = {"image/jpeg", *CONTAINERS}
MOST_ENTRIES = 64
SEF_VIDEO = 0x0A30
SEF_NAME = b"MotionPhoto_Data"
SEF_ENTRY, SEF_BLOCK = struct.Struct("<HHII"), struct.Struct("<HHI")


class Motion(Struct, frozen=True, kw_only=True):
    """Where in a file its video lies, and what it is."""

    start: int
    length: int
    mime: str


def find(file: BinaryIO, mime: str, told: int | None) -> Motion | None:
    """The video inside a picture, `told` bytes from its end if it says so itself; None unless it is one to its end."""
    if mime not in CARRIERS:
        return None
    read, size = containers.reader(file), containers.size(file)
    for start, end in _candidates(read, size, mime, told):
        if 0 < start < end <= size and (kind := video_type(read, start, end)) is not None:
            return Motion(start=start, length=end - start, mime=kind)
    return None


def _candidates(read: Read, size: int, mime: str, told: int | None) -> Iterator[tuple[int, int]]:
    """Where a video may start and end, the exact word first."""
    if mime in CONTAINERS:
        yield from ((box.start, box.end) for box in boxes(read, 0, size) if box.kind == b"mpvd")
    yield from _samsung(read, size)
    if told is not None:
        yield size - told, size


def _samsung(read: Read, size: int) -> Iterator[tuple[int, int]]:
    """By the directory that Samsung's cameras write at the end of a JPEG: `SEFH`, entries, its length, `SEFT`."""
    length, mark = struct.unpack("<I4s", read(size - 8, 8).ljust(8, b"\0"))
    start = size - 8 - length
    if mark != b"SEFT" or start < 0:
        return
    directory = read(start, 12 + SEF_ENTRY.size * MOST_ENTRIES)
    if directory[:4] != b"SEFH" or len(directory) < 12:
        return
    (count,) = struct.unpack_from("<I", directory, 8)
    for at in range(12, min(12 + SEF_ENTRY.size * count, len(directory) - SEF_ENTRY.size + 1), SEF_ENTRY.size):
        _, kind, back, extent = SEF_ENTRY.unpack_from(directory, at)
        head = SEF_BLOCK.pack(0, SEF_VIDEO, len(SEF_NAME)) + SEF_NAME
        if kind == SEF_VIDEO and read(start - back, len(head)) == head:
            yield start - back + len(head), start - back + extent


def video_type(read: Read, start: int, end: int) -> str | None:
    """The MIME type of a video that fills the bytes from start to end, box by box; None for anything else."""
    found = sniff.sniff(read(start, min(sniff.HEAD_BYTES, end - start)))
    if found is None or found.kind != "video":
        return None
    walked = list(boxes(read, start, end))
    is_whole = bool(walked) and walked[-1].end == end
    return found.mime_type if is_whole and b"moov" in {box.kind for box in walked} else None
