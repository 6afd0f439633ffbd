"""What a file is by its first bytes; names and declared types decide nothing."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from common import formats, moving
from common.boxes import Read
from common.formats import Format

HEAD_BYTES = 4096

_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", formats.JPEG),
    (b"\x89PNG\r\n\x1a\n", formats.PNG),
    (b"GIF87a", formats.GIF),
    (b"GIF89a", formats.GIF),
    (b"II*\0", formats.TIFF),
    (b"MM\0*", formats.TIFF),
    (b"II+\0\x08\0\0\0", formats.TIFF),  # the kind that may be longer than 4 GB
    (b"MM\0+\0\x08\0\0", formats.TIFF),
    (b"\0\0\0\x0cJXL \r\n\x87\n", formats.JXL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", formats.JP2),
    (b"\xff\x4f\xff\x51\0", formats.JP2),
    (b"8BPS\0\1", formats.PSD),
    (b"FUJIFILMCCD-RAW", formats.RAF),
    (b"IIRO", formats.ORF),
    (b"IIRS", formats.ORF),
    (b"MMOR", formats.ORF),
    (b"IIU\0", formats.RW2),
    (b"\0MRM", formats.MRW),
    (b"FOVb", formats.X3F),
)
_NAKED_JXL, _LEAST_JXL = b"\xff\x0a", 16
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}

_AV1_BRANDS = {b"avif", b"avis"}
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_HEIF_BRANDS = {b"mif1", b"mif2", b"msf1"}


class _Layout(NamedTuple):
    """How a TIFF writes its directories: where the first's start is told, and how long and of which kind things are."""

    first: int
    offset_kind: str
    count_kind: str
    entry: int
    value: int


_CLASSIC, _BIG = _Layout(4, "I", "H", 12, 8), _Layout(8, "Q", "Q", 20, 12)
_MOST_ENTRIES, _LAST_OFFSET = 0xFFFF, 1 << 62
_REDUCED, _OLD_REDUCED, _PHOTOMETRIC, _MAKE, _DNG_VERSION = 254, 255, 262, 271, 50706
_SENSOR = {32803, 34892}  # photometric interpretations: a colour filter array, and what was read from one
_SHORT = 3
_MAKE_BYTES = 32
_MAKERS = (
    (b"nikon", formats.NEF),
    (b"sony", formats.ARW),
    (b"pentax", formats.PEF),
    (b"ricoh", formats.PEF),
    (b"samsung", formats.SRW),
)


def sniff(head: bytes) -> Format | None:
    """The format of a file that starts with `head`, or None when we do not know it."""
    found = next((known for signature, known in _SIGNATURES if head.startswith(signature)), None)
    if found is formats.TIFF:
        return raw_in_tiff(lambda start, length: head[start : start + length]) or found
    return found or _short_signature(head) or _container(head) or moving.sniff(head)


def raw_in_tiff(read: Read) -> Format | None:
    """The raw format that a TIFF holds, if what it shows first is a thumbnail or a sensor's dots; else None."""
    start = read(0, 16)
    if start[8:10] == b"CR":
        return formats.CR2
    if start[8:12] == b"IIII":  # Phase One
        return formats.RAW
    tags = _first_tags(read)
    if _DNG_VERSION in tags:
        return formats.DNG
    is_raw = tags.get(_REDUCED, 0) & 1 or tags.get(_OLD_REDUCED) == 2 or tags.get(_PHOTOMETRIC) in _SENSOR
    return _of_maker(read(tags.get(_MAKE, 0), _MAKE_BYTES)) if is_raw else None


def directories(read: Read) -> Iterator[tuple[int, int]]:
    """Where the entries of a TIFF's directories start and how many each has; a hostile chain has no end."""
    layout = _layout(read)
    start = _number(read, layout.first, layout.offset_kind)
    while 0 < start < _LAST_OFFSET:
        entries, count = start + struct.calcsize(layout.count_kind), _number(read, start, layout.count_kind)
        if count > _MOST_ENTRIES:
            return
        yield entries, count
        start = _number(read, entries + layout.entry * count, layout.offset_kind)


def _short_signature(head: bytes) -> Format | None:
    """The format of a file whose signature is so short that more of it has to make sense."""
    if head.startswith(_NAKED_JXL) and len(head) >= _LEAST_JXL:
        return formats.JXL
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return formats.BMP
    return None


def _container(head: bytes) -> Format | None:
    """The format of what is in a container that many things come in."""
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return formats.WEBP
    if head[4:8] == b"ftyp" and len(head) >= 16:
        end = min(int.from_bytes(head[:4], "big"), HEAD_BYTES)
        return _branded(head[8:12], {head[at : at + 4] for at in range(16, end, 4)})
    return None


def _branded(major: bytes, others: set[bytes]) -> Format | None:
    """The format of an ISO container by its own brand; where that says only `some picture`, by the others."""
    if major == b"crx ":
        return formats.CR3
    if major in _HEIF_BRANDS:
        return formats.AVIF if others & _AV1_BRANDS and not others & _HEVC_BRANDS else formats.HEIC
    if major in _HEVC_BRANDS:
        return formats.HEIC
    return formats.AVIF if major in _AV1_BRANDS else moving.branded(major, others)


def _first_tags(read: Read) -> dict[int, int]:
    """The first value of every tag of a TIFF's first directory, as far as it can be read."""
    order, layout, tags = _order(read), _layout(read), {}
    start, count = next(directories(read), (0, 0))
    entries = read(start, layout.entry * count)
    for at in range(0, len(entries) - layout.entry + 1, layout.entry):
        tag, kind = struct.unpack_from(order + "HH", entries, at)
        (tags[tag],) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), entries, at + layout.value)
    return tags


def _layout(read: Read) -> _Layout:
    return _BIG if b"+" in read(2, 2) else _CLASSIC


def _number(read: Read, start: int, kind: str) -> int:
    """The number at an offset, 0 behind the end."""
    size = struct.calcsize(kind)
    value: int = struct.unpack(_order(read) + kind, read(start, size).ljust(size, b"\0"))[0]
    return value


def _of_maker(make: bytes) -> Format:
    written = make.lower()
    return next((known for name, known in _MAKERS if written.startswith(name)), formats.RAW)


def _order(read: Read) -> str:
    return "<" if read(0, 2) == b"II" else ">"
