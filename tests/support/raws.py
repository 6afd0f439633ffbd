"""Makes camera raw files: a DNG with a sensor's dots in it, and the shapes of other makers' files around a preview."""

import struct
from fractions import Fraction
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from tests.support import media
from tests.support.boxes import box
from tests.support.tiffs import Far, Short, Tags, tiff

NEUTRAL = (0.5, 1.0, 0.625)
"""What a grey wall looks like to our camera."""
XYZ_TO_SRGB = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)
XYZ_TO_ADOBE_RGB = (2.0414, -0.5649, -0.3447, -0.9693, 1.8760, 0.0416, 0.0134, -0.1184, 1.0154)
TAKEN = "2023:04:05 06:07:08"
PREVIEW, OLD_JPEG, NEW_JPEG, CFA, LINEAR = 1, 6, 7, 32803, 34892
CANON_BOXES = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
PREVIEW_BOX = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def stored(orientation: int, width: int, height: int) -> Image.Image:
    """The quadrants of this upright size as a camera in this orientation stores them."""
    upright = media.quadrants(width, height)
    return upright.transpose(media.UNDO[orientation]) if orientation in media.UNDO else upright


def jpeg(picture: Image.Image, **options: Any) -> bytes:
    """A preview."""
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def adobe_rgb(picture: Image.Image) -> Image.Image:
    """The same colours as numbers of Adobe RGB (1998)."""
    xyz = linear(picture) @ np.linalg.inv(np.reshape(XYZ_TO_SRGB, (3, 3))).T
    values = (xyz @ np.reshape(XYZ_TO_ADOBE_RGB, (3, 3)).T).clip(0, 1) ** (256 / 563)
    return Image.fromarray((values * 255).round().astype(np.uint8))


def linear(picture: Image.Image) -> NDArray[np.float64]:
    """The light that a picture stands for, from 0 to 1."""
    values = np.asarray(picture, float) / 255
    light: NDArray[np.float64] = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return light


def mosaic(picture: Image.Image) -> bytes:
    """What a sensor behind a red, green and blue filter sees of a picture: 16 bits a dot."""
    light = linear(picture) * NEUTRAL * 60_000
    dots = np.empty(light.shape[:2], "<u2")
    for row, column, colour in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        dots[row::2, column::2] = light[row::2, column::2, colour]
    return dots.tobytes()


def camera(make: str, model: str = "Model 1", *, orientation: int = 1) -> dict[int, Any]:
    """The tags of a camera, of a moment and of a place."""
    return {
        Base.Make: make,
        Base.Model: model,
        Base.Orientation: Short((orientation,)),
        IFD.Exif: moment(),
        IFD.GPSInfo: place(),
    }


def moment() -> dict[int, Any]:
    """The tags of a moment, and of how the camera was set."""
    return {
        Base.DateTimeOriginal: TAKEN,
        Base.ExposureTime: (Fraction(1, 250),),
        Base.FNumber: (Fraction(28, 10),),
        Base.ISOSpeedRatings: Short((400,)),
        Base.FocalLength: (Fraction(35),),
    }


def place() -> dict[int, Any]:
    """The tags of Paris."""
    return {
        GPS.GPSLatitudeRef: "N",
        GPS.GPSLatitude: (Fraction(48), Fraction(51), Fraction(30)),
        GPS.GPSLongitudeRef: "E",
        GPS.GPSLongitude: (Fraction(2), Fraction(17), Fraction(40)),
    }


def sensor(picture: Image.Image) -> dict[int, Any]:
    """The tags of a picture as the sensor saw it."""
    dots = mosaic(picture)
    return {
        254: 0,
        256: picture.width,
        257: picture.height,
        258: Short((16,)),
        259: Short((1,)),
        262: Short((CFA,)),
        273: Far(dots),
        277: Short((1,)),
        278: picture.height,
        279: len(dots),
        33421: Short((2, 2)),
        33422: b"\0\1\1\2",
    }


def reduced(content: bytes, width: int, height: int) -> dict[int, Any]:
    """The tags of a JPEG as a DNG keeps it."""
    return {
        254: PREVIEW,
        256: width,
        257: height,
        258: Short((8, 8, 8)),
        259: Short((NEW_JPEG,)),
        262: Short((6,)),
        273: Far(content),
        277: Short((3,)),
        278: height,
        279: len(content),
    }


def linked(content: bytes) -> dict[int, Any]:
    """The tags of a JPEG as most makers keep it."""
    return {254: PREVIEW, 259: Short((OLD_JPEG,)), 513: Far(content), 514: len(content)}


def thumbnail() -> dict[int, Any]:
    """A black picture for the camera's own screen."""
    return {
        254: PREVIEW,
        256: 160,
        257: 120,
        258: Short((8, 8, 8)),
        259: Short((1,)),
        262: Short((2,)),
        273: Far(bytes(160 * 120 * 3)),
        277: Short((3,)),
        278: 120,
        279: 160 * 120 * 3,
    }


def dng(
    width: int = 480,
    height: int = 320,
    *,
    orientation: int = 1,
    preview: bytes = b"",
    claimed: tuple[int, int] | None = None,
    more: Tags | None = None,
) -> bytes:
    """The quadrants of this upright size, with this JPEG beside them if there is one."""
    picture = stored(orientation, width, height)
    shown = [reduced(preview, *(claimed or Image.open(BytesIO(preview)).size))] if preview else []
    matrix = tuple(Fraction(value).limit_denominator(10_000) for value in XYZ_TO_SRGB)
    return tiff(
        {
            **thumbnail(),
            **camera("Maker", orientation=orientation),
            330: [*shown, sensor(picture)],
            50706: b"\1\4\0\0",
            50708: "Maker Model 1",
            50721: matrix,
            50728: tuple(Fraction(value) for value in NEUTRAL),
            50778: Short((21,)),
            **(more or {}),
        }
    )


def shape(
    make: str, preview: bytes, *, orientation: int = 1, signature: bytes = b"II*\0", dots: Image.Image | None = None
) -> bytes:
    """A maker's file that is a TIFF: a thumbnail, a preview, tags, and what the sensor saw if that is given."""
    inner = [linked(preview), *([sensor(dots)] if dots else [])]
    return tiff({**thumbnail(), **camera(make, orientation=orientation), 330: inner}, signature)


def demosaiced(samples: int, width: int = 480, height: int = 320) -> bytes:
    """A DNG of the quadrants without a filter before its sensor: in three colours, or the green alone."""
    light = (linear(media.quadrants(width, height)) * 60_000).astype("<u2")
    dots = (light if samples == 3 else light[..., 1]).tobytes()
    seen = {
        **sensor(media.quadrants(2, 2)),
        256: width,
        257: height,
        262: Short((LINEAR,)),
        258: Short((16,) * samples),
    }
    seen |= {273: Far(dots), 277: Short((samples,)), 278: height, 279: len(dots)}
    kept = {tag: value for tag, value in seen.items() if tag not in {33421, 33422}}
    return tiff({**thumbnail(), **camera("Maker"), 330: [kept], 50706: b"\1\4\0\0", 50708: "Maker Model 1"})


def black(width: int, height: int, preview: bytes) -> bytes:
    """A DNG whose sensor saw nothing, quickly made however large it is."""
    dots = bytes(2 * width * height)
    unseen = {**sensor(media.quadrants(2, 2)), 256: width, 257: height, 273: Far(dots), 278: height, 279: len(dots)}
    shown = reduced(preview, width, height)
    return tiff({**thumbnail(), **camera("Maker"), 330: [shown, unseen], 50706: b"\1\4\0\0"})


def rw2(preview: bytes, *, orientation: int = 1) -> bytes:
    """Panasonic's kind of TIFF."""
    return tiff({46: preview, **camera("Panasonic", orientation=orientation)}, b"IIU\0")


def raf(preview: bytes) -> bytes:
    """Fujifilm's container, whose tags are the preview's."""
    head = b"FUJIFILMCCD-RAW 0201FF383501X-T1".ljust(84, b"\0")
    return head + struct.pack(">6I", 148, len(preview), 148 + len(preview), 0, 0, 0).ljust(64, b"\0") + preview


def x3f(preview: bytes) -> bytes:
    """Sigma's container around a preview."""
    return struct.pack("<4sI16s", b"FOVb", 0x00020003, b"").ljust(264, b"\0") + preview


def mrw(preview: bytes) -> bytes:
    """Minolta's container, with a TIFF in one of its blocks."""
    block = tiff(camera("Minolta Co., Ltd."), b"MM\0*")
    blocks = struct.pack(">4sI", b"\0PRD", 24) + bytes(24) + struct.pack(">4sI", b"\0TTW", len(block)) + block
    return struct.pack(">4sI", b"\0MRM", len(blocks)) + blocks + preview


def cr3(preview: bytes, *, orientation: int = 1, xmp: bytes = b"") -> bytes:
    """Canon's container, with three TIFFs in its boxes."""
    main = {tag: value for tag, value in camera("Canon", orientation=orientation).items() if tag not in set(IFD)}
    parts = (b"CMT1", main), (b"CMT2", moment()), (b"CMT4", place())
    blocks = b"".join(box(name, tiff(tags)) for name, tags in parts)
    inner = box(b"uuid", CANON_BOXES + box(b"CNCV", b"CanonCR3_001/00.09.00/00.00.00") + blocks)
    shown = struct.pack(">IHHHHI", 0, 1, 1620, 1080, 1, len(preview)) + preview
    return (
        box(b"ftyp", b"crx \0\0\0\1crx isom")
        + box(b"moov", inner)
        + (box(b"uuid", XMP_BOX + xmp) if xmp else b"")
        + box(b"uuid", PREVIEW_BOX + bytes(8) + box(b"PRVW", shown))
        + box(b"mdat", bytes(64))
    )
