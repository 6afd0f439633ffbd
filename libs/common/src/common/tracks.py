"""Whether a container holds moving pictures or only sound: the second look at a file that is all there."""

from collections.abc import Iterator
from itertools import islice
from typing import Literal, NamedTuple

from common import formats, moving
from common.boxes import Part, Read, boxes
from common.formats import Format

MOST_READS = 2000
"""However a file is made, no more is read of it: a few pieces of a few bytes are enough for every honest one."""
LAST_OFFSET = 1 << 62
SOUND = {
    **dict.fromkeys((formats.MP4, formats.MOV, formats.THREE_GP), formats.M4A),
    formats.WEBM: formats.WEBA,
    formats.MKV: formats.MKA,
    formats.WMV: formats.WMA,
}
"""What a container of each of these is in which there is nothing but sound."""
TAG_HEAD, BEHIND_TAG = 10, 1 << 14

Track = Literal["pictures", "sound", "other"]

_HANDLERS: dict[bytes, Track] = {b"vide": "pictures", b"soun": "sound"}
_HANDLER_AT = 8
_SEGMENT, _TRACKS, _ENTRY, _TYPE, _CLUSTER = 0x18538067, 0x1654AE6B, 0xAE, 0x83, 0x1F43B675
_TYPES: dict[bytes, Track] = {b"\1": "pictures", b"\2": "sound"}
_ASF_HEAD, _ASF_OBJECT, _MOST_OBJECTS = 30, 24, 256
_STREAM = bytes.fromhex("9107dcb7b7a9cf118ee600c00c205365")
_ASF_TYPES: dict[bytes, Track] = {
    bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b"): "pictures",
    bytes.fromhex("409e69f84d5bcf11a8fd00805f5c442b"): "sound",
}


class Element(NamedTuple):
    """A part of a Matroska: what it is, and where its content starts and ends."""

    kind: int
    start: int
    end: int


def settled(found: Format, read: Read, size: int) -> Format | None:
    """What a file of `size` bytes is that starts like `found`; None where it turns out to be nothing that we know."""
    sparing = _sparing(read)
    if found in {formats.MP4, formats.MOV, formats.THREE_GP}:
        return _iso(found, sparing, size)
    if found in {formats.WEBM, formats.MKV}:
        return _sound_or(found, list(_of_matroska(sparing, size)))
    if found is formats.WMV:
        return _sound_or(found, list(_of_asf(sparing)))
    return _behind_tag(sparing) if found is formats.MP3 else found


def _sparing(read: Read) -> Read:
    """Reads a file that many times, and never where no file reaches."""
    left = iter(range(MOST_READS))

    def reading(start: int, length: int) -> bytes:
        is_there = 0 <= start < LAST_OFFSET and next(left, None) is not None
        return read(start, length) if is_there else b""

    return reading


def _sound_or(found: Format, held: list[Track]) -> Format:
    return SOUND[found] if "sound" in held and "pictures" not in held else found


def _iso(found: Format, read: Read, size: int) -> Format | None:
    """By the handlers of its tracks; one without a word of what it is must have an index at least."""
    index = next((box for box in islice(boxes(read, 0, size), 256) if box.kind == b"moov"), None)
    if index is None:
        return found if read(4, 4) == b"ftyp" else None
    return _sound_or(found, list(_of_iso(read, index)))


def _of_iso(read: Read, index: Part) -> Iterator[Track]:
    for track in _children(read, index, b"trak"):
        for media in _children(read, track, b"mdia"):
            for handler in _children(read, media, b"hdlr"):
                yield _HANDLERS.get(read(handler.start + _HANDLER_AT, 4), "other")


def _children(read: Read, parent: Part, kind: bytes) -> Iterator[Part]:
    return (box for box in islice(boxes(read, parent.start, parent.end), 128) if box.kind == kind)


def _of_matroska(read: Read, size: int) -> Iterator[Track]:
    segment = next((one for one in islice(_elements(read, 0, size), 4) if one.kind == _SEGMENT), None)
    if segment is None:
        return
    for part in islice(_elements(read, segment.start, segment.end), 64):
        if part.kind == _TRACKS:
            for entry in islice(_elements(read, part.start, part.end), 64):
                for said in islice(_elements(read, entry.start, entry.end), 64) if entry.kind == _ENTRY else ():
                    if said.kind == _TYPE:
                        yield _TYPES.get(read(said.start, 1), "other")
        if part.kind in {_TRACKS, _CLUSTER}:
            return


def _elements(read: Read, start: int, end: int) -> Iterator[Element]:
    """The elements between two offsets; one that does not know its length goes to the end."""
    while start < end:
        head = read(start, 12)
        mark = 9 - head[0].bit_length() if head else 9  # of how many bytes the name is
        if mark > 4 or len(head) <= mark or head[mark] == 0:
            return
        width = 9 - head[mark].bit_length()
        content = start + mark + width
        unknown = (1 << 7 * width) - 1
        length = int.from_bytes(head[mark : mark + width], "big") & unknown
        start = end if length == unknown else min(content + length, end)
        yield Element(int.from_bytes(head[:mark], "big"), content, start)


def _of_asf(read: Read) -> Iterator[Track]:
    end, start = int.from_bytes(read(16, 8), "little"), _ASF_HEAD
    for _ in range(_MOST_OBJECTS):
        head = read(start, _ASF_OBJECT + 16)
        length = int.from_bytes(head[16:24], "little")
        if head[:16] == _STREAM:
            yield _ASF_TYPES.get(head[24:40], "other")
        start += length
        if length < _ASF_OBJECT or start >= end:
            return


def _behind_tag(read: Read) -> Format | None:
    """What follows the tag that a recording starts with; some programs leave zeros between the two."""
    length = moving.tag_length(read(0, TAG_HEAD))
    if length == 0:
        return formats.MP3
    behind = read(length, BEHIND_TAG)
    return formats.FLAC if behind.startswith(b"fLaC") else moving.sounds(behind.lstrip(b"\0"))
