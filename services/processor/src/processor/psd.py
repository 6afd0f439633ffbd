"""Opens Photoshop files: the picture that all layers make together, which Photoshop writes behind them."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

import numpy as np
import pyvips
from PIL import Image

from processor import pictures
from processor.metadata import Blobs
from processor.pictures import Picture
from processor.unreadable import Unreadable

COPIES = 2.0
"""How many times the picture's bytes it takes to open it."""
BITMAP, GREY, INDEXED, RGB, CMYK, DUOTONE, LAB = 0, 1, 2, 3, 4, 8, 9
COLOURS = {BITMAP: 1, GREY: 1, INDEXED: 1, RGB: 3, CMYK: 4, DUOTONE: 1, LAB: 3}
DEPTHS = {1: "uchar", 8: "uchar", 16: "ushort"}
PLAIN, PACKED = 0, 1
PROFILE, VERSION, EXIF, IPTC, XMP = 1039, 1057, 1058, 1028, 1060
MOST_RESOURCES, MOST_CHANNELS, MOST_BESIDE = 1000, 56, 64 << 20


class Header(NamedTuple):
    """What the file says of its picture."""

    channels: int
    height: int
    width: int
    depth: int
    mode: int


def open_picture(file: BinaryIO, mime: str, _edge: int) -> Picture:
    """The flattened picture, its size checked."""
    with damage():
        return _opened(file, mime)


@contextmanager
def damage() -> Iterator[None]:
    """What makes no sense in the file, as a verdict on it."""
    try:
        yield
    except (struct.error, ValueError, EOFError, OSError) as error:
        raise Unreadable(f"the file is damaged: {error or 'it ends too early'}") from error


def _opened(file: BinaryIO, mime: str) -> Picture:
    file.seek(0)
    head = header(file)
    palette = section(file)
    resources = dict(reversed(list(parts(section(file)))))
    blobs = Blobs(exif=resources.get(EXIF, b""), xmp=resources.get(XMP, b""), iptc=resources.get(IPTC, b""))
    with pictures.headed(width=head.width, height=head.height, decoder="psd", blobs=blobs), damage():
        pixels = _flattened(file, mime, head, palette, resources)
    return Picture(
        pixels=pictures.described(pixels, orientation=1, profile=resources.get(PROFILE, b"")),
        width=head.width,
        height=head.height,
        decoder="psd",
        blobs=blobs,
    )


def _flattened(file: BinaryIO, mime: str, head: Header, palette: bytes, resources: dict[int, bytes]) -> pyvips.Image:
    has_alpha = transparent(file) and head.mode in (GREY, RGB) and head.channels > COLOURS[head.mode]
    if resources.get(VERSION, b"\0\0\0\0\1")[4:5] == b"\0":
        raise Unreadable("it was saved without the picture that its layers make together")
    wanted = COLOURS[head.mode] + has_alpha
    pictures.check_held(COPIES * head.width * head.height * wanted * head.depth / 8, head.width, head.height, mime)
    return joined(read_planes(file, head, wanted), head, palette)


def header(file: BinaryIO) -> Header:
    """What the file says first, if it is of a kind that can be shown."""
    signature, version, channels, height, width, depth, mode = struct.unpack(">4sH6xHIIHH", file.read(26))
    if (signature, version) != (b"8BPS", 1):
        raise Unreadable("the file is damaged: it has no readable header")
    pictures.check_size(width, height)
    if mode not in COLOURS or depth not in DEPTHS or (depth == 1) != (mode == BITMAP):
        raise Unreadable(f"this version does not show Photoshop's mode {mode} with {depth} bits a channel")
    if not COLOURS[mode] <= channels <= MOST_CHANNELS:
        raise Unreadable(f"the file is damaged: {channels} channels are no picture")
    return Header(channels, height, width, depth, mode)


def section(file: BinaryIO) -> bytes:
    """The next part of the file, which says how long it is."""
    (length,) = struct.unpack(">I", file.read(4))
    if length > MOST_BESIDE:
        raise Unreadable("the file is damaged: there is too much beside its picture")
    return file.read(length)


def parts(resources: bytes) -> Iterator[tuple[int, bytes]]:
    """The blocks beside the picture by their number, as far as they make sense."""
    at = 0
    for _ in range(MOST_RESOURCES):
        if resources[at : at + 4] != b"8BIM" or at + 12 > len(resources):
            return
        (number,) = struct.unpack_from(">H", resources, at + 4)
        at += 6 + (resources[at + 6] + 2) // 2 * 2  # behind a name that says how long it is
        (length,) = struct.unpack(">I", resources[at : at + 4].ljust(4, b"\0"))
        yield number, resources[at + 4 : at + 4 + length]
        at += 4 + (length + 1) // 2 * 2


def transparent(file: BinaryIO) -> bool:
    """Whether the layers leave holes, for which the picture has a channel; the file is at the picture afterwards."""
    (length,) = struct.unpack(">I", file.read(4))
    start = file.tell()
    count = file.read(6)[4:]
    file.seek(start + length)
    return length >= 6 and int.from_bytes(count, "big", signed=True) < 0


def read_planes(file: BinaryIO, head: Header, wanted: int) -> list[bytes]:
    """The first channels, one after the other, unpacked."""
    (packing,) = struct.unpack(">H", file.read(2))
    row = (head.width * head.depth + 7) // 8
    if packing == PLAIN:
        return [enough(file.read(row * head.height), row * head.height) for _ in range(wanted)]
    if packing != PACKED:
        raise Unreadable("its picture is packed in a way that this version does not know")
    lengths = np.frombuffer(enough(file.read(2 * head.height * head.channels), 2 * head.height * head.channels), ">u2")
    packed = lengths.reshape(head.channels, head.height).sum(1, dtype=np.int64)[:wanted]
    return [unpacked(enough(file.read(int(length)), int(length)), row, head.height) for length in packed]


def unpacked(data: bytes, row: int, rows: int) -> bytes:
    """The bytes of one channel whose rows were packed each for itself."""
    return Image.frombytes("L", (row, rows), data, "packbits", "L").tobytes()


def enough(data: bytes, length: int) -> bytes:
    """The data if it is as long as it has to be."""
    if len(data) < length:
        raise EOFError("it ends too early")
    return data


def joined(planes: list[bytes], head: Header, palette: bytes) -> pyvips.Image:
    """The channels as pixels."""
    if head.mode == BITMAP:
        return bitmap(planes[0], head)
    first, *others = [
        pyvips.Image.new_from_memory(plane, head.width, head.height, 1, DEPTHS[head.depth]).byteswap()
        for plane in planes
    ]
    image = first.bandjoin(others) if others else first
    if head.mode == INDEXED:
        return indexed(image, palette)
    if head.mode == LAB:
        return lab(image, head)
    if head.mode == CMYK:
        return image.invert().copy(interpretation="cmyk")  # Photoshop counts paper, others count ink
    colour, grey = ("srgb", "b-w") if head.depth == 8 else ("rgb16", "grey16")
    return image.copy(interpretation=colour if head.mode == RGB else grey)


def bitmap(plane: bytes, head: Header) -> pyvips.Image:
    """Black dots on white."""
    rows = np.frombuffer(plane, np.uint8).reshape(head.height, -1)
    dots = 255 * (1 - np.unpackbits(rows, axis=1, count=head.width))
    return pyvips.Image.new_from_array(dots.astype(np.uint8)).copy(interpretation="b-w")


def indexed(image: pyvips.Image, palette: bytes) -> pyvips.Image:
    """The colours that the numbers stand for."""
    table = np.frombuffer(enough(palette, 768)[:768], np.uint8).reshape(3, 256)
    return image.maplut(pyvips.Image.new_from_array(table.T[np.newaxis].copy())).copy(interpretation="srgb")


def lab(image: pyvips.Image, head: Header) -> pyvips.Image:
    """Lightness from 0 to 100 and two colours around 0."""
    unit = 255 if head.depth == 8 else 255 * 257
    return image.linear([100 / unit, 255 / unit, 255 / unit], [0, -128, -128]).copy(interpretation="lab")
