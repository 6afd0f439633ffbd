"""Makes the photos that tests need: upright or turned, in any colour space, with any EXIF, whole, cut or monstrous."""

import struct
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pillow_jxl  # noqa: F401 - so that Pillow can write JPEG XL
import pyvips
from numpy.typing import NDArray
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from processor.images import Photo
from processor.unreadable import Unreadable
from tests.support import heic, psd

Pixels = NDArray[np.uint8]

RED, GREEN, BLUE, GREY = (200, 30, 30), (30, 200, 30), (30, 30, 200), (128, 128, 128)

UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""What a camera held this way does to the upright picture before it stores it."""


def quadrants(width: int = 480, height: int = 320) -> Image.Image:
    """Red and green above, blue and grey below."""
    pixels: Pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2], pixels[: height // 2, width // 2 :] = RED, GREEN
    pixels[height // 2 :, : width // 2], pixels[height // 2 :, width // 2 :] = BLUE, GREY
    return Image.fromarray(pixels)


def noise(width: int, height: int, seed: int = 0, *, grain: int = 20) -> Image.Image:
    """A picture that does not compress, of soft shapes under grain."""
    random = np.random.default_rng(seed)
    shapes = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8)).resize((width, height))
    dots = random.integers(-grain, grain, (height, width, 3))
    return Image.fromarray((np.asarray(shapes) + dots).clip(0, 255).astype(np.uint8))


def exif(
    main: Mapping[int, Any] | None = None, camera: Mapping[int, Any] | None = None, gps: Mapping[int, Any] | None = None
) -> bytes:
    """An EXIF block with these tags."""
    block = Image.Exif()
    block.update(main or {})
    block.get_ifd(IFD.Exif).update(camera or {})
    block.get_ifd(IFD.GPSInfo).update(gps or {})
    return block.tobytes()


def somewhere(*, latitude: Any = (48.0, 51.0, 30.0), longitude: Any = (2.0, 17.0, 40.0)) -> dict[int, Any]:
    """The GPS tags of a place, Paris unless said otherwise."""
    return {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: latitude, GPS.GPSLongitudeRef: "E", GPS.GPSLongitude: longitude}


def everything() -> bytes:
    """An EXIF block in which every kind of tag that we read occurs."""
    moment = "2024:05:17 12:00:00"
    return exif(
        {Base.Make: "Maker", Base.Model: "Model", Base.Orientation: 3, Base.XPComment: "schön".encode("utf-16-le")},
        {
            Base.DateTimeOriginal: moment,
            Base.SubsecTimeOriginal: "25",
            Base.ExposureTime: IFDRational(1, 60),
            Base.UserComment: b"UNICODE\0" + "schön".encode("utf-16"),
        },
        somewhere() | {GPS.GPSDateStamp: "2024:05:17", GPS.GPSTimeStamp: (10, 0, 0), GPS.GPSAltitude: 12.0},
    )


def turned(path: Path, orientation: int, *, picture: Image.Image | None = None) -> Path:
    """The quadrants as a camera in this orientation stores them, in the format of the path's suffix."""
    stored = picture or quadrants()
    if orientation in UNDO:
        stored = stored.transpose(UNDO[orientation])
    stored.save(path, quality=95, exif=exif({Base.Orientation: orientation}))
    return path


def wide_gamut(path: Path, depth: int = 8) -> Path:
    """The quadrants in Display P3, with its profile."""
    vips(quadrants()).icc_transform("p3", input_profile="srgb", depth=depth).write_to_file(path)
    return path


def profile_of(space: str) -> bytes:
    """The colour profile of a space that libvips knows."""
    return bytes(vips(quadrants(2, 2)).icc_transform(space, input_profile="srgb").get("icc-profile-data"))


def inks(path: Path) -> Path:
    """The quadrants in CMYK with a profile."""
    vips(quadrants()).icc_transform("cmyk", input_profile="srgb").write_to_file(path)
    return path


def deep(path: Path) -> Path:
    """The quadrants with as many bits a channel as the format of the path's suffix has."""
    (vips(quadrants()).cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16").write_to_file(path)
    return path


def half_transparent(path: Path, mode: str = "RGBA") -> Path:
    """The quadrants, the right half of them invisible."""
    picture = quadrants().convert(mode)
    alpha: Pixels = np.full((picture.height, picture.width), 255, np.uint8)
    alpha[:, picture.width // 2 :] = 0
    picture.putalpha(Image.fromarray(alpha))
    picture.save(path)
    return path


RAW_MARKS = {"thumbnail": {254: 1}, "old thumbnail": {255: 2}, "sensor": {262: 32803}, "negative": {50706: 0x104}}
"""The tags by which the first directory of a camera's raw file differs from a photo's."""


def tiff(path: Path, marks: Mapping[int, int], *, gap: int = 0) -> Path:
    """A grey TIFF of 32 x 32 pixels with these tags, its directory so many bytes behind the start."""
    start = 8 + 32 * 32 + gap
    tags = {256: 32, 257: 32, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 32, 279: 32 * 32} | dict(marks)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    path.write_bytes(struct.pack("<4sI", b"II*\0", start) + bytes([128]) * (start - 8) + directory)
    return path


MADE_HERE: dict[str, Callable[[Image.Image], bytes]] = {".heic": heic.heic, ".psd": psd.psd}


def encoded(suffix: str) -> bytes:
    """The quadrants as a file of this kind."""
    return saved(quadrants(), suffix)


def saved(picture: Image.Image, suffix: str) -> bytes:
    """The picture as a file of this kind."""
    if suffix in MADE_HERE:
        return MADE_HERE[suffix](picture)
    buffer = BytesIO()
    picture.save(buffer, Image.registered_extensions()[suffix])
    return buffer.getvalue()


def cut(path: Path, share: float) -> Path:
    """The same file, ending too early."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def shown(photo: Photo) -> Photo:
    """The photo, if there is anything to see; the verdict on its pixels raised if not."""
    if photo.trouble:
        raise Unreadable(photo.trouble)
    return photo


def beheaded(suffix: str, exif: bytes) -> bytes:
    """The quadrants in a file whose header is whole, with this EXIF block, and whose pixels are not."""
    if suffix == ".heic":
        content = heic.heic(quadrants(), heic.Heic(exif=exif))
        at = content.index(b"mdat") + 4
        return content[:at] + b"\xff" * 200 + content[at + 200 :]
    if suffix == ".psd":
        content = psd.psd(quadrants(), beside={1058: exif.removeprefix(b"Exif\0\0")})
        return content[: len(content) // 2]
    buffer = BytesIO()
    noise(480, 320).save(buffer, Image.registered_extensions()[suffix], exif=exif)
    return buffer.getvalue()[: buffer.tell() * 4 // 5]


def bomb(path: Path, side: int = 30_000) -> Path:
    """A PNG of side x side black pixels that takes next to no space, nor any to make."""
    press = zlib.compressobj(9)
    row = bytes(1 + side // 8)
    data = b"".join(press.compress(row) for _ in range(side)) + press.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def vips(picture: Image.Image) -> pyvips.Image:
    return pyvips.Image.new_from_array(np.asarray(picture), interpretation="srgb")
