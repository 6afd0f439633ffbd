"""Opens BMP and JPEG 2000, by the one decoder of each, which Pillow has."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyvips
from PIL.BmpImagePlugin import BmpImageFile
from PIL.Image import Image
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from common.boxes import Read, boxes, inside, whole
from processor import containers, pictures
from processor.metadata import Blobs
from processor.pictures import Picture
from processor.unreadable import Unreadable

OPENED = {"image/bmp": BmpImageFile, "image/jp2": Jpeg2KImageFile}
COPIES = {"image/bmp": 3.3, "image/jp2": 6.5}
"""How many times the picture's bytes a decoder takes."""
KINDS = {
    "L": (1, "uchar", "b-w"),
    "LA": (2, "uchar", "b-w"),
    "RGB": (3, "uchar", "srgb"),
    "RGBA": (4, "uchar", "srgb"),
    "CMYK": (4, "uchar", "cmyk"),
    "I;16": (1, "ushort", "grey16"),
}
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
EXIF = b"JpgTiffExif->JP2"
IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
MOST_BESIDE = 16 << 20
CODING_STYLE = b"\xff\x52"
PROFILED = (b"\2", b"\3")


def open_picture(file: BinaryIO, mime: str, edge: int) -> Picture:
    """The picture in the file, its size checked; a JPEG 2000 is decoded as small as still suits the edge."""
    try:
        with damage():
            opened = OPENED[mime](file)
    except MemoryError as error:  # a header says how long it is, and is believed
        raise Unreadable("the file is damaged: its header is longer than any") from error
    width, height = opened.size
    pictures.check_size(width, height)
    halved = halvings(file, max(width, height), edge) if isinstance(opened, Jpeg2KImageFile) else 0
    if halved:
        opened.reduce = halved  # type: ignore[method-assign, assignment]
    held = COPIES[mime] * (width >> halved) * (height >> halved) * len(opened.getbands())
    pictures.check_held(held, width, height, mime)
    profile, blobs = beside(file) if mime == "image/jp2" else (b"", Blobs())
    with pictures.headed(width=width, height=height, decoder="Pillow", blobs=blobs), damage():
        opened.load()
        pixels = from_pillow(opened)
    return Picture(
        pixels=pictures.described(pixels, orientation=1, profile=profile),
        width=width,
        height=height,
        decoder="Pillow",
        blobs=blobs,
    )


def from_pillow(opened: Image) -> pyvips.Image:
    """Pillow's pixels in memory."""
    if opened.mode not in KINDS:
        opened = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    bands, kind, interpretation = KINDS[opened.mode]
    image = pyvips.Image.new_from_memory(opened.tobytes(), opened.width, opened.height, bands, kind)
    return image.copy(interpretation=interpretation)


def halvings(file: BinaryIO, longest: int, edge: int) -> int:
    """How many times the decoder may halve the picture and still has enough of it; only what leaves no half pixel."""
    read, end = containers.reader(file), containers.size(file)
    found = inside(read, whole(end), b"jp2c") if read(0, 1) == b"\0" else None
    start = (found.start if found else 0) + 2
    image = read(start, 38).ljust(38, b"\0")
    sides = struct.unpack(">8I", image[6:38])  # of the picture and of its tiles, and where both start
    style = read(start + 2 + int.from_bytes(image[2:4], "big"), 12)
    if style[:2] != CODING_STYLE:
        return 0
    levels = style[9]
    fits = (
        count
        for count in range(min(levels, 5) + 1)
        if longest >> count >= edge and not any(side % (1 << count) for side in sides)
    )
    return max(fits, default=0)


def beside(file: BinaryIO) -> tuple[bytes, Blobs]:
    """The colour profile and the blocks of metadata of a JPEG 2000."""
    read, end = containers.reader(file), containers.size(file)
    blocks: dict[bytes, bytes] = {}
    for box in boxes(read, 0, end) if read(0, 1) == b"\0" else ():
        if box.kind == b"uuid" and box.end - box.start <= MOST_BESIDE:
            blocks.setdefault(read(box.start, 16), read(box.start + 16, box.end - box.start - 16))
        elif box.kind == b"xml " and box.end - box.start <= MOST_BESIDE:
            blocks.setdefault(XMP, read(box.start, box.end - box.start))
    said = Blobs(exif=blocks.get(EXIF, b""), xmp=blocks.get(XMP, b""), iptc=blocks.get(IPTC, b""))
    return profile_of(read, end), said


def profile_of(read: Read, end: int) -> bytes:
    """The colour profile of a JPEG 2000, nothing where a number stands for one."""
    colours = inside(read, whole(end), b"jp2h", b"colr")
    if colours is None or colours.end - colours.start > MOST_BESIDE:
        return b""
    content = read(colours.start, colours.end - colours.start)
    return content[3:] if content[:1] in PROFILED else b""


@contextmanager
def damage() -> Iterator[None]:
    """What the decoder says against a file, as a verdict on it."""
    try:
        yield
    except (SyntaxError, ValueError, OSError, EOFError, LookupError, TypeError, AssertionError, struct.error) as error:
        raise Unreadable(f"the file is damaged: {error or 'it has no readable header'}") from error
