"""Opens a picture with the one decoder of its format; every other decoder of libvips is shut."""

from itertools import islice
from typing import BinaryIO

import pyvips

from common import sniff
from processor import containers, heif, pictures, tones
from processor.metadata import Blobs
from processor.pictures import Picture, blob
from processor.unreadable import Unreadable

LOADERS: dict[str, tuple[str, str]] = {
    "image/jpeg": ("jpegload_source", "VipsForeignLoadJpegSource"),
    "image/png": ("pngload_source", "VipsForeignLoadPngSource"),
    "image/webp": ("webpload_source", "VipsForeignLoadWebpSource"),
    "image/gif": ("gifload_source", "VipsForeignLoadNsgifSource"),
    "image/tiff": ("tiffload_source", "VipsForeignLoadTiffSource"),
    "image/avif": ("heifload_source", "VipsForeignLoadHeifSource"),
}
"""The decoder of each format that libvips reads, and its class, which alone is let in."""

# Work at import time, the one exception: nobody may reach libvips before its doors are shut.
pyvips.block_untrusted_set(True)
pyvips.operation_block_set("VipsForeignLoad", True)
for _, door in LOADERS.values():
    pyvips.operation_block_set(door, False)
pyvips.cache_set_max(0)
pyvips.concurrency_set(1)

NEVER_LOADED = ("csvload_source", "matrixload_source", "svgload_source", "uhdrload_source", "vipsload_source")
NEVER_BUILT = ("magickload", "matload", "openslideload", "pdfload")
BYTES = {"uchar": 1, "ushort": 2}
LINES_UNLESS: dict[str, str] = {"image/jpeg": "jpeg-multiscan", "image/png": "interlaced", "image/tiff": "never"}
COPIES: dict[str, float] = {"image/jpeg": 2, "image/png": 1, "image/webp": 2.1, "image/gif": 2, "image/avif": 2.7}
"""How many times the picture's bytes a decoder takes when it holds all of it."""
ANIMATED = ("image/gif", "image/webp")
MOST_PAGES = 500
ABSURD = ("Security limit exceeded", "Out of memory reading", "to read TIFF directory")


def open_picture(file: BinaryIO, mime: str, _edge: int) -> Picture:
    """The picture in a file of a type that libvips reads, its size checked; pixels are read when they are asked for."""
    header = load(file, mime)
    check(header, mime)
    return Picture(
        pixels=_meant(header, file, mime),
        width=header.width,
        height=header.height,
        decoder="libvips",
        blobs=blobs(header, file if mime == "image/tiff" else None),
        jpeg=file if mime == "image/jpeg" else None,
        frames=_frames(header, file, mime),
    )


def load(file: BinaryIO | bytes, mime: str, *, shrink: int = 1) -> pyvips.Image:
    """The first picture in the file, to be read once from top to bottom; only its header is read now."""
    if mime == "image/tiff" and not isinstance(file, bytes):
        check_directories(file)
    name, _ = LOADERS[mime]
    options = {"shrink": shrink} if mime == "image/jpeg" else {}
    source = (
        pyvips.Source.new_from_memory(file)
        if isinstance(file, bytes)
        else pyvips.Source.new_from_descriptor(file.fileno())
    )
    image: pyvips.Image = getattr(pyvips.Image, name)(source, access="sequential", fail_on="error", **options)
    return image


def check(header: pyvips.Image, mime: str) -> None:
    """Refuse pictures too large to be worth their memory."""
    pictures.check_size(header.width, header.height)
    pictures.check_held(held_at_once(header, mime), header.width, header.height, mime)


def check_directories(file: BinaryIO) -> None:
    """Refuse a TIFF that has no end of pages, or whose pages go round in a circle."""
    if len(list(islice(sniff.directories(containers.reader(file)), MOST_PAGES + 1))) > MOST_PAGES:
        raise Unreadable(f"it has more than {MOST_PAGES} pages")


def held_at_once(header: pyvips.Image, mime: str) -> float:
    """The bytes that a decoder needs at one time because it cannot go line by line."""
    goes_line_by_line = mime in LINES_UNLESS and not is_set(header, LINES_UNLESS[mime])
    decoded: int = header.width * header.height * header.bands * BYTES.get(header.format, 4)
    return 0 if goes_line_by_line else COPIES[mime] * decoded


def is_set(header: pyvips.Image, flag: str) -> bool:
    return bool(header.get_typeof(flag) and header.get(flag))


def blobs(header: pyvips.Image, tiff: BinaryIO | None = None) -> Blobs:
    """What the file says beside its pixels; a TIFF is an EXIF block itself."""
    return Blobs(exif=tiff or blob(header, "exif-data"), xmp=blob(header, "xmp-data"), iptc=blob(header, "iptc-data"))


def _meant(header: pyvips.Image, file: BinaryIO, mime: str) -> pyvips.Image:
    """The pixels with what their numbers stand for, where the file says so and the decoder does not."""
    coding = None
    if mime == "image/avif":
        coding = heif.coding(file)
    elif mime == "image/png":
        coding = tones.Coding(*containers.chunk(file, b"cICP", 4)[:2] or (1, 13))
    return tones.coded(header, coding) if coding else header


def _frames(header: pyvips.Image, file: BinaryIO, mime: str) -> int:
    """How many frames an animation has; the pages of a TIFF are none."""
    if mime == "image/png":
        return containers.frames_of_png(file)
    if mime == "image/avif":
        return containers.frames_of_sequence(file)
    return int(header.get("n-pages")) if mime in ANIMATED and header.get_typeof("n-pages") else 1


def reason_of(error: pyvips.Error) -> str:
    """The decoder's first remark that says more than where it looked, without the decoder's name."""
    remarks = [line for line in error.detail.strip().splitlines() if not line.startswith("source: bad seek")]
    remark = remarks[0] if remarks else ""
    return remark.partition(": ")[2] or remark or "it has no readable header"


def wants_memory(error: pyvips.Error) -> bool:
    """Whether memory is what the decoder lacked; a damaged file that claims absurd sizes is only damaged."""
    return "memory" in error.detail.lower() and not any(claim in error.detail for claim in ABSURD)


def self_test() -> None:
    """Raise if libvips would decode a format that nobody has tested against attacks."""
    for name in NEVER_LOADED:
        try:
            getattr(pyvips.Image, name)(pyvips.Source.new_from_memory(b"1 1\n1\n"))
        except pyvips.Error as error:
            if "blocked" in error.detail:
                continue
        raise RuntimeError(f"libvips would run {name}")
    for name in NEVER_BUILT:
        if pyvips.type_find("VipsOperation", name):
            raise RuntimeError(f"libvips was built with {name}")
