"""Writes TIFFs of any shape: directories in directories, and data wherever a tag says."""

import struct
from collections.abc import Mapping
from typing import Any

Tags = Mapping[int, Any]


class Far(bytes):
    """Bytes that lie elsewhere in the file; the tag says where."""


class Short(tuple[int, ...]):
    """Numbers of 16 bits."""

    __slots__ = ()


def tiff(tags: Tags, signature: bytes = b"II*\0") -> bytes:
    """A TIFF with this signature and these tags: numbers, text, bytes, fractions, directories and data far away."""
    out = bytearray(signature.ljust(8, b"\0"))
    order = "<" if signature.startswith(b"II") else ">"
    out[4:8] = struct.pack(order + "I", _written(out, tags, order))
    return bytes(out)


def _written(out: bytearray, tags: Tags, order: str) -> int:
    """Append a directory and behind it all that belongs to it; returns where it is."""
    start = _appended(out, struct.pack(order + "H", len(tags)) + bytes(12 * len(tags) + 4))
    for at, (tag, value) in zip(range(start + 2, len(out), 12), sorted(tags.items()), strict=False):
        kind, count, data = _value(out, value, order)
        if len(data) > 4:
            data = struct.pack(order + "I", _appended(out, data))
        out[at : at + 12] = struct.pack(order + "HHI", tag, kind, count) + data.ljust(4, b"\0")
    return start


def _value(out: bytearray, value: Any, order: str) -> tuple[int, int, bytes]:
    """The type, the count and the bytes of a tag's value."""
    match value:
        case Far():
            return 4, 1, struct.pack(order + "I", _appended(out, value))
        case dict():
            return 4, 1, struct.pack(order + "I", _written(out, value, order))
        case list():
            places = [_written(out, tags, order) for tags in value]
            return 4, len(places), struct.pack(f"{order}{len(places)}I", *places)
        case str():
            return 2, len(value) + 1, value.encode() + b"\0"
        case bytes():
            return 1, len(value), value
        case Short():
            return 3, len(value), struct.pack(f"{order}{len(value)}H", *value)
        case tuple():
            parts = [part for fraction in value for part in (fraction.numerator, fraction.denominator)]
            return 10, len(value), struct.pack(f"{order}{len(parts)}i", *parts)
        case _:
            return 4, 1, struct.pack(order + "I", value)


def _appended(out: bytearray, data: bytes) -> int:
    out += bytes(len(out) % 2)
    at = len(out)
    out += data
    return at
