"""What an ISO container says of a track that the library keeps to itself: how it is turned, whether it is Dolby's."""

import struct
from typing import NamedTuple

from common.boxes import Part, Read, boxes, inside, whole

MATRIX = struct.Struct(">9i")
UPRIGHT = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
"""The EXIF orientation that a display matrix stands for."""
NUMBER_AT, MATRIX_AT = (12, 20), (40, 52)  # in the two versions of a track's header
ENTRIES_AT, PICTURES_AT = 8, 78
DOLBY = {b"dvcC", b"dvvC", b"dvwC"}
LONGEST_RECORD = 1 << 16
NOWHERE = Part(b"", 0, 0)


class Atoms(NamedTuple):
    """How a track is turned, as EXIF counts it, and the profile of its Dolby Vision if it has any."""

    orientation: int = 1
    dolby_vision: int | None = None


def of_track(read: Read, size: int, number: int) -> Atoms:
    """What is said of the track with this number; nothing where it cannot be found."""
    index = inside(read, whole(size), b"moov") or NOWHERE
    for track in boxes(read, index.start, index.end):
        header = (inside(read, track, b"tkhd") if track.kind == b"trak" else None) or NOWHERE
        version = read(header.start, 1) == b"\1"
        if header != NOWHERE and read(header.start + NUMBER_AT[version], 4) == struct.pack(">I", number & 0xFFFFFFFF):
            matrix = read(header.start + MATRIX_AT[version], MATRIX.size)
            turned = orientation(MATRIX.unpack(matrix)) if len(matrix) == MATRIX.size else 1
            return Atoms(turned, _dolby_vision(read, track))
    return Atoms()


def record(read: Read, size: int) -> bytes:
    """What a camera wrote in a language of its own outside of its tracks, as far as it is of decent length."""
    found = inside(read, whole(size), b"meta") or NOWHERE
    return read(found.start, min(found.end - found.start, LONGEST_RECORD))


def orientation(matrix: tuple[int, ...]) -> int:
    """How a picture is to be turned and flipped, as EXIF counts it; other angles than right ones are not heeded."""
    a, b, _, c, d, *_ = (_sign(value) for value in matrix)
    return UPRIGHT.get((a, b, c, d), 1)


def _dolby_vision(read: Read, track: Part) -> int | None:
    described = inside(read, track, b"mdia", b"minf", b"stbl", b"stsd") or NOWHERE
    for entry in boxes(read, described.start + ENTRIES_AT, described.end):
        for box in boxes(read, entry.start + PICTURES_AT, entry.end):
            if box.kind in DOLBY:
                return int.from_bytes(read(box.start + 2, 1)) >> 1
    return None


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
