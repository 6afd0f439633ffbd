"""The pictures that a camera puts into its raw file for whoever cannot develop it."""

import mmap
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import pyvips
import rawpy

from processor import decoders
from processor.hashes import Pixels
from processor.metadata import Blobs
from processor.pictures import blob
from processor.unreadable import Unreadable

REFUSALS = (rawpy.LibRawError, OSError, ValueError, NotImplementedError, AssertionError)
"""How LibRaw refuses a file or a part of it."""
START, END = b"\xff\xd8\xff", b"\xff\xd9"
FRAMES = range(0xFFC0, 0xFFC3)  # what every decoder reads; the sensor's own dots come in the lossless kind
MOST_STARTS, MOST_SEGMENTS, MOST_TRIED = 4096, 100, 3


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A picture inside a raw file, its pixels read when they are asked for."""

    pixels: pyvips.Image
    jpeg: bytes | None = None

    @property
    def edge(self) -> int:
        """Its longer side."""
        return int(max(self.pixels.width, self.pixels.height))

    @property
    def blobs(self) -> Blobs:
        """What it says beside its pixels."""
        exif, xmp, iptc = (blob(self.pixels, f"{name}-data") for name in ("exif", "xmp", "iptc"))
        return Blobs(exif=exif, xmp=xmp, iptc=iptc)


def of_libraw(raw: rawpy.RawPy) -> Preview | None:
    """The largest that LibRaw knows of, if it can be read."""
    with suppress(*REFUSALS):
        found = raw.extract_thumb()
        return _jpeg(found.data) if isinstance(found.data, bytes) else Preview(pixels=image(found.data))
    return None


def hidden(file: BinaryIO, *, larger_than: int) -> Preview | None:
    """The largest JPEG anywhere in the file, if it is larger than that and can be read."""
    with suppress(*REFUSALS), mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
        found = sorted((frame for frame in _frames(content) if frame[0] > larger_than), reverse=True)
        for _, start, end in found[:MOST_TRIED]:
            if (preview := _jpeg(content[start:end])) is not None:
                return preview
    return None


def image(pixels: Pixels) -> pyvips.Image:
    """The pixels that LibRaw decoded, of 8 or 16 bits, grey or in colour."""
    eight = pixels if pixels.dtype.itemsize == 1 else (pixels >> 8).astype("uint8")
    return pyvips.Image.new_from_array(eight, interpretation="srgb" if pixels.shape[2] == 3 else "b-w")


def _jpeg(content: bytes) -> Preview | None:
    """The picture in a JPEG, if its head is well and its size decent."""
    try:
        header = decoders.load(content, "image/jpeg")
        decoders.check(header, "image/jpeg")
    except (pyvips.Error, Unreadable, UnicodeDecodeError):
        pyvips.vips_lib.vips_error_clear()  # or the next picture would fail by the same remark
        return None
    return Preview(pixels=header, jpeg=content)


def _frames(content: mmap.mmap) -> Iterator[tuple[int, int, int]]:
    """The longer side of each JPEG in the file, and where it starts and ends."""
    for start in islice(_starts(content), MOST_STARTS):
        with suppress(struct.error):  # the file ends here
            if (found := _frame(content, start)) is not None:
                edge, at = found
                if (end := content.find(END, at)) >= 0:
                    yield edge, start, end + len(END)


def _starts(content: mmap.mmap) -> Iterator[int]:
    at = content.find(START)
    while at >= 0:
        yield at
        at = content.find(START, at + len(START))


def _frame(content: mmap.mmap, start: int) -> tuple[int, int] | None:
    """The longer side of the JPEG that starts here, and where it says so; None if it is none that can be shown."""
    at = start + 2
    for _ in range(MOST_SEGMENTS):
        marker, length = struct.unpack_from(">HH", content, at)
        if marker in FRAMES:
            bits, height, width, bands = struct.unpack_from(">BHHB", content, at + 4)
            return (max(width, height), at) if bits == 8 and bands in {1, 3} else None
        if marker >> 8 != 0xFF or length < 2:
            return None
        at += 2 + length
    return None
