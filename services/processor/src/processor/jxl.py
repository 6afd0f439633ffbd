"""Opens JPEG XL; its header is read here first, because the decoder knows no question but `decode it all`."""

from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import pyvips
from pillow_jxl import Decoder

from common.boxes import Read, boxes
from processor import containers, decoders, pictures
from processor.metadata import Blobs
from processor.pictures import Picture
from processor.unreadable import Unreadable

COPIES = 2.7
"""How many times the bytes of 8-bit pixels the decoder takes; where a file has 16, of which it gives 8, up to 4.3."""
NAKED = b"\xff\x0a"
HEADER_BYTES = 64
RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
SIDES = (9, 13, 18, 30)
PREVIEW_EIGHTHS, PREVIEW_SIDES = ((0, 16), (0, 32), (5, 1), (9, 33)), ((6, 1), (8, 65), (10, 321), (12, 1345))
KINDS = {
    "L": (1, "uchar", "b-w"),
    "LA": (2, "uchar", "b-w"),
    "RGB": (3, "uchar", "srgb"),
    "RGBA": (4, "uchar", "srgb"),
    "I;16": (1, "ushort", "grey16"),
    "F": (1, "float", "b-w"),
}


class Header(NamedTuple):
    """The picture's size as stored, and whether it moves."""

    width: int
    height: int
    is_animated: bool


@dataclass
class Bits:
    """The bits of a header from the least of each byte on; behind its end they are 0."""

    data: bytes
    at: int = 0

    def take(self, count: int) -> int:
        """The number that the next bits are."""
        value = int.from_bytes(self.data, "little") >> self.at & (1 << count) - 1
        self.at += count
        return value

    def pick(self, choices: tuple[tuple[int, int], ...]) -> int:
        """A number of one of four lengths, each with what is to be added."""
        length, more = choices[self.take(2)]
        return self.take(length) + more


def open_picture(file: BinaryIO, mime: str, _edge: int) -> Picture:
    """The picture in the file, its size checked, upright already; of an animation it is the last frame, not the first.

    A JPEG that was packed as JPEG XL is unpacked and opened as the JPEG that it is.
    """
    head = header(containers.reader(file), containers.size(file))
    pictures.check_size(head.width, head.height)
    pictures.check_held(COPIES * 3 * head.width * head.height, head.width, head.height, mime)
    is_jpeg, info, data, profile, parts = decoded(file)
    if is_jpeg:
        return jpeg(data)
    blocks = {part.box_type: part.data for part in reversed(parts)}
    return Picture(
        pixels=pictures.described(pixels(info, data), orientation=1, profile=profile),
        width=info.width,
        height=info.height,
        decoder="libjxl",
        blobs=Blobs(exif=exif(blocks.get(b"Exif", b"")), xmp=blocks.get(b"xml ", b"")),
        frames=2 if head.is_animated else 1,
    )


def header(read: Read, end: int) -> Header:
    """What the first bytes of the codestream say."""
    bits = Bits(codestream(read, end))
    if bits.take(16) != int.from_bytes(NAKED, "little"):
        raise Unreadable("the file is damaged: it has no readable header")
    width, height = size(bits)
    if bits.take(1) or not bits.take(1):  # everything is as usual, or nothing that we ask for is not
        return Header(width, height, is_animated=False)
    bits.take(3)  # the orientation, which the decoder heeds
    if bits.take(1):
        size(bits)
    if bits.take(1):
        preview(bits)
    return Header(width, height, is_animated=bool(bits.take(1)))


def codestream(read: Read, end: int) -> bytes:
    """The first bytes of the picture itself, which a container may hold in pieces."""
    if read(0, 2) == NAKED:
        return read(0, HEADER_BYTES)
    found = b""
    for box in boxes(read, 0, end):
        start = box.start + 4 * (box.kind == b"jxlp")
        if box.kind in (b"jxlc", b"jxlp") and len(found) < HEADER_BYTES:
            found += read(start, max(0, min(HEADER_BYTES, box.end - start)))
    return found


def size(bits: Bits) -> tuple[int, int]:
    """Width and height; common shapes give one of them only."""
    is_small = bits.take(1)
    height = side(bits, is_small)
    ratio = bits.take(3)
    if ratio == 0:
        return side(bits, is_small), height
    across, down = RATIOS[ratio]
    return height * across // down, height


def side(bits: Bits, is_small: int) -> int:
    return (bits.take(5) + 1) * 8 if is_small else bits.take(SIDES[bits.take(2)]) + 1


def preview(bits: Bits) -> None:
    """Skip the size of a preview."""
    choices = PREVIEW_EIGHTHS if bits.take(1) else PREVIEW_SIDES
    bits.pick(choices)
    if bits.take(3) == 0:
        bits.pick(choices)


def decoded(file: BinaryIO) -> tuple[bool, Any, bytes, bytes, list[Any]]:
    """Whether it is a JPEG, what it looks like, its bytes, its colour profile, and the boxes beside it."""
    file.seek(0)
    try:
        return Decoder(num_threads=0)(file.read())  # type: ignore[no-any-return]
    except (ValueError, RuntimeError, OSError) as error:
        raise Unreadable("the file is damaged: its decoder makes no picture of it") from error


def pixels(info: Any, data: bytes) -> pyvips.Image:
    """The decoded bytes as pixels."""
    if info.mode not in KINDS:
        raise Unreadable(f"its pixels are of a kind, {info.mode}, that this version does not show")
    bands, kind, interpretation = KINDS[info.mode]
    image = pyvips.Image.new_from_memory(data, info.width, info.height, bands, kind)
    return image.copy(interpretation=interpretation)


def jpeg(data: bytes) -> Picture:
    """The JPEG that was packed; where its bytes are in memory already, the quick way may read them once more."""
    found = decoders.load(data, "image/jpeg")
    decoders.check(found, "image/jpeg")
    return Picture(
        pixels=found,
        width=found.width,
        height=found.height,
        decoder="libjxl",
        blobs=decoders.blobs(found),
        jpeg=data,
    )


def exif(block: bytes) -> bytes:
    """The EXIF behind the number that says how far behind it is."""
    return block[4 + int.from_bytes(block[:4], "big") :]
