"""What a file is by its first bytes; names and declared types decide nothing."""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from common.messages import Kind

HEAD_BYTES = 4096

Read = Callable[[int, int], bytes]
"""The bytes from an offset on, so many or as many as there are."""


class Format(NamedTuple):
    """A family that we know: its name, its kind, its MIME type and the extension we give it."""

    name: str
    kind: Kind
    mime_type: str
    extension: str


JPEG = Format("JPEG", "photo", "image/jpeg", ".jpg")
PNG = Format("PNG", "photo", "image/png", ".png")
WEBP = Format("WebP", "photo", "image/webp", ".webp")
GIF = Format("GIF", "photo", "image/gif", ".gif")
TIFF = Format("TIFF", "photo", "image/tiff", ".tif")
AVIF = Format("AVIF", "photo", "image/avif", ".avif")
FORMATS = (JPEG, PNG, WEBP, GIF, TIFF, AVIF)

_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
)
_AV1_BRANDS, _OTHER_CODECS = {b"avif", b"avis"}, {b"heic", b"heix", b"hevc", b"hevx"}

_IFD_ENTRY = 12
_REDUCED, _OLD_REDUCED, _PHOTOMETRIC, _DNG_VERSION = 254, 255, 262, 50706
_SENSOR = {32803, 34892}  # photometric interpretations: a colour filter array, and what was read from one
_SHORT = 3


def taken_formats() -> str:
    """The formats that we take, as a sentence lists them."""
    *others, last = (known.name for known in FORMATS)
    return f"{', '.join(others)} and {last}"


def sniff(head: bytes) -> Format | None:
    """The format of a file that starts with `head`, or None when we do not know it."""
    found = next((known for signature, known in _SIGNATURES if head.startswith(signature)), None)
    if found is TIFF and is_raw(lambda start, length: head[start : start + length]):
        return None
    return found or _container(head)


def is_raw(read: Read) -> bool:
    """Whether a TIFF holds a camera's raw picture, so that what it shows first is a thumbnail or a sensor's dots."""
    start = read(0, 16)
    if start[8:10] == b"CR" or start[8:12] == b"IIII":  # Canon, Phase One
        return True
    tags = _first_tags(read)
    return (
        _DNG_VERSION in tags
        or bool(tags.get(_REDUCED, 0) & 1)
        or tags.get(_OLD_REDUCED) == 2
        or tags.get(_PHOTOMETRIC) in _SENSOR
    )


def directories(read: Read) -> Iterator[tuple[int, int]]:
    """Where the entries of a TIFF's directories start and how many each has; a hostile chain has no end."""
    order = _order(read)
    (start,) = struct.unpack(order + "I", read(4, 4).ljust(4, b"\0"))
    while start:
        (count,) = struct.unpack(order + "H", read(start, 2).ljust(2, b"\0"))
        yield start + 2, count
        (start,) = struct.unpack(order + "I", read(start + 2 + _IFD_ENTRY * count, 4).ljust(4, b"\0"))


def _container(head: bytes) -> Format | None:
    """The format of a picture in a container that other things come in as well."""
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp" and len(head) >= 16:
        end = min(int.from_bytes(head[:4], "big"), HEAD_BYTES)
        brands = {head[8:12], *(head[at : at + 4] for at in range(16, end, 4))}
        if brands & _AV1_BRANDS and not brands & _OTHER_CODECS:
            return AVIF
    return None


def _first_tags(read: Read) -> dict[int, int]:
    """The first value of every tag of a TIFF's first directory, as far as it can be read."""
    order, tags = _order(read), {}
    start, count = next(directories(read), (0, 0))
    entries = read(start, _IFD_ENTRY * count)
    for at in range(0, len(entries) - _IFD_ENTRY + 1, _IFD_ENTRY):
        tag, kind = struct.unpack_from(order + "HH", entries, at)
        (tags[tag],) = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), entries, at + 8)
    return tags


def _order(read: Read) -> str:
    return "<" if read(0, 2) == b"II" else ">"
