"""What makers keep in a block of their own: what a Live Photo and a burst have in common, and the lens."""

import io

import exifread
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from processor.metadata.text import line

APPLE = b"Apple iOS\0\0\1MM"
APPLE_TAGS = {"burst_identifier": 0x000B, "content_identifier": 0x0011}
TALKATIVE = ("canon", "nikon")
"""Makers whose blocks name the lens where the standard's tag does not."""
LARGEST_BLOCK = 256 << 10
MOST_READS, BYTES_PER_READ = 20_000, 64
"""Ten times what an ordinary block takes."""


class Meter(io.BytesIO):
    """A block that can be read from so often, for it may say that it has four billion values."""

    left = MOST_READS

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.left -= 1 + len(found) // BYTES_PER_READ
        if self.left < 0:
            raise OverrunError("there is no end to the maker's block")
        return found


class OverrunError(Exception):
    """More was read of a block than an honest one takes."""


def apple(note: bytes) -> dict[str, str | None]:
    """The identifiers in the block of an iPhone, as far as there are any."""
    if not note.startswith(APPLE):
        return {}
    directory = ImageFileDirectory_v2(b"MM\0*\0\0\0\x0e")
    block = io.BytesIO(note)
    block.seek(len(APPLE))
    directory.load(block)
    return {name: line(directory[tag]) for name, tag in APPLE_TAGS.items() if tag in directory}


def lens(exif: bytes, maker: str) -> str | list[float] | None:
    """The lens by its name, or by its focal lengths and f-numbers, in the block of a maker that tells it."""
    if not maker.lower().startswith(TALKATIVE) or len(exif) > LARGEST_BLOCK:
        return None
    tags = exifread.process_file(Meter(exif.removeprefix(b"Exif\0\0")), details=True, strict=False)
    if (named := tags.get("MakerNote LensModel")) is not None:
        return str(named)
    measured = tags.get("MakerNote LensMinMaxFocalMaxAperture")
    return None if measured is None else [float(value) for value in measured.values]
