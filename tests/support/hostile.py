"""Files that mean harm, made small and quickly."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base
from PIL.TiffImagePlugin import IFDRational

from common import formats
from tests.support import heic, media
from tests.support.boxes import box
from tests.support.heic import Heic

TAILS = {
    "page": b"<html><script>alert(document.cookie)</script></html>",
    "drawing": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "archive": b"PK\x03\x04" + bytes(26) + b"PK\x05\x06" + bytes(18),
    "document": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF",
    "program": b"\x7fELF\x02\x01\x01" + bytes(57),
    "playlist": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "djvu": b'AT&TFORM\0\0\0\x40DJVMANTa\0\0\0\x20(metadata "\\c${system(id)};")',
}
"""What stands behind a picture in a file that is two things at once."""

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&b;</x:xmpmeta>'
NOWHERE = IFDRational(0, 0)


def polyglots() -> dict[str, bytes]:
    """Every format that we take with everything behind it, by the extension of the format and the kind of tail."""
    tails = TAILS | {"picture": media.encoded(".png"), "photo": media.encoded(".jpg")}
    return {
        f"{tail} behind {suffix}": media.encoded(suffix) + content
        for suffix in (known.extension for known in formats.STILLS)
        for tail, content in tails.items()
    }


def png(side: int, *, interlaced: bool = False, depth: int = 8) -> bytes:
    """The head of a grey PNG that never comes."""
    header = struct.pack(">IIBBBBB", side, side, depth, 0, 0, 0, interlaced)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + media.chunk(b"IHDR", header) + media.chunk(b"IDAT", data) + media.chunk(b"IEND", b"")


def jpeg(side: int, *, progressive: bool) -> bytes:
    """A small JPEG that says that it is large."""
    buffer = BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "JPEG", progressive=progressive, subsampling=0)
    content = bytearray(buffer.getvalue())
    frame = content.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    content[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    return bytes(content)


def gif(frames: int) -> bytes:
    """An animation of so many frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 32, 32, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b";"


def tiff(pages: int, *, circular: bool = False) -> bytes:
    """Pages that all show the same pixels; a circle of them has no end."""
    tags = {256: 32, 257: 32, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 32, 279: 1024}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    directory = struct.pack("<H", len(tags)) + entries
    starts = [8 + 1024 + (len(directory) + 4) * page for page in range(pages)]
    following = [*starts[1:], starts[0] if circular else 0]
    chain = b"".join(directory + struct.pack("<I", following_start) for following_start in following)
    return struct.pack("<4sI", b"II*\0", starts[0]) + bytes(1024) + chain


def big_tiff(pages: int, *, circular: bool = False) -> bytes:
    """The same pages as the kind of TIFF that may be longer than 4 GB has them."""
    tags = {256: 32, 257: 32, 258: 8, 259: 1, 262: 1, 273: 16, 277: 1, 278: 32, 279: 1024}
    directory = struct.pack("<Q", len(tags)) + b"".join(struct.pack("<HHQQ", tag, 4, 1, tags[tag]) for tag in tags)
    starts = [16 + 1024 + (len(directory) + 8) * page for page in range(pages)]
    following = [*starts[1:], starts[0] if circular else 0]
    chain = b"".join(directory + struct.pack("<Q", following_start) for following_start in following)
    return struct.pack("<4sHHQ", b"II+\0", 8, 0, starts[0]) + bytes(1024) + chain


def heic_grid(side: int) -> bytes:
    """A small HEIC that says that its tiles make a large picture."""
    return heic.heic(Image.new("RGB", (64, 64)), Heic(grid=(2, 2), claims=(side, side)))


def endless_heic(pictures: int) -> bytes:
    """A HEIC with a video track of four billion pictures, so many to a chunk."""
    track = heic.full(b"stsd", bytes(4)) + heic.full(b"stsc", struct.pack(">IIII", 1, 1, pictures, 1))
    track += heic.full(b"stsz", struct.pack(">II", 0, 0xFFFFFFFF)) + heic.full(b"stco", struct.pack(">I", 0xFFFFFFFF))
    for name in (b"stbl", b"minf", b"mdia", b"trak"):
        track = box(name, track)
    return heic.heic(media.quadrants(), Heic(said={b"moov": track}))


def jxl(side: int) -> bytes:
    """The head of a JPEG XL that never comes."""
    size = 3 << 1 | side - 1 << 3 | 1 << 33  # a length of 30 bits, and as wide as high
    return b"\xff\x0a" + size.to_bytes(8, "little") + bytes(50)


def psd_head(side: int, depth: int = 8) -> bytes:
    """The head of a Photoshop file whose picture never comes."""
    return struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, side, side, depth, 3) + bytes(12) + b"\0\1" + bytes(100)


def bmp(side: int) -> bytes:
    """The head of a BMP that never comes."""
    return b"BM" + struct.pack("<IIIIiiHHIIIIII", 200, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(100)


def jp2(side: int) -> bytes:
    """A small JPEG 2000 that says that it is large."""
    sizes = struct.pack(">8I", side, side, 0, 0, side, side, 0, 0)
    components = b"\0\3" + b"\7\1\1" * 3
    style = b"\xff\x52\0\x0c\0\0\0\1\1\0\4\4\0\1"  # no halvings
    return b"\xff\x4f\xff\x51" + struct.pack(">HH", 47, 0) + sizes + components + style + b"\xff\x90" + bytes(100)


TOO_LARGE = "more than the 250 megapixels allowed"
BOMBS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "900 megapixels": ("image/png", lambda: png(30_000, depth=1), TOO_LARGE),
    "400 megapixels, interlaced": ("image/png", lambda: png(20_000, interlaced=True), TOO_LARGE),
    "interlaced": ("image/png", lambda: png(15_800, interlaced=True, depth=16), "too many for a PNG"),
    "progressive, 60,000 a side": ("image/jpeg", lambda: jpeg(60_000, progressive=True), TOO_LARGE),
    "progressive": ("image/jpeg", lambda: jpeg(15_500, progressive=True), "too many for a JPEG"),
    "200,000 frames": ("image/gif", lambda: gif(200_000), "32 x 32"),
    "circle of pages": ("image/tiff", lambda: tiff(3, circular=True), "more than 500 pages"),
    "65,535 pages": ("image/tiff", lambda: tiff(65_535), "more than 500 pages"),
    "circle of big pages": ("image/tiff", lambda: big_tiff(3, circular=True), "more than 500 pages"),
    "3 big pages": ("image/tiff", lambda: big_tiff(3), "32 x 32"),
    "grid of 30,000 a side": ("image/heic", lambda: heic_grid(30_000), TOO_LARGE),
    "grid of 15,000 a side": ("image/heic", lambda: heic_grid(15_000), "too many for a HEIC"),
    "endless track": ("image/heic", lambda: endless_heic(0), "damaged"),
    "nearly endless track": ("image/heic", lambda: endless_heic(1), "damaged"),
    "JPEG XL of 30,000 a side": ("image/jxl", lambda: jxl(30_000), TOO_LARGE),
    "JPEG XL of 15,000 a side": ("image/jxl", lambda: jxl(15_000), "too many for a JPEG XL"),
    "PSD of 30,000 a side": ("image/vnd.adobe.photoshop", lambda: psd_head(30_000), TOO_LARGE),
    "PSD of 15,000 a side": ("image/vnd.adobe.photoshop", lambda: psd_head(15_000, 16), "too many for a PSD"),
    "BMP of 30,000 a side": ("image/bmp", lambda: bmp(30_000), TOO_LARGE),
    "BMP of 15,000 a side": ("image/bmp", lambda: bmp(15_000), "too many for a BMP"),
    "JPEG 2000 of 30,000 a side": ("image/jp2", lambda: jp2(30_000), TOO_LARGE),
    "JPEG 2000 of 15,000 a side": ("image/jp2", lambda: jp2(15_000), "too many for a JPEG 2000"),
    "3 pages": ("image/tiff", lambda: tiff(3), "32 x 32"),
}
"""What would cost a careless reader its memory or its evening, and what we say to it."""


def photo(*, suffix: str = ".jpg", **options: Any) -> bytes:
    """The quadrants with whatever else the format can hold."""
    buffer = BytesIO()
    media.quadrants().save(buffer, Image.registered_extensions()[suffix], **options)
    return buffer.getvalue()


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(data)) + data


def with_segments(*segments: bytes) -> bytes:
    """A JPEG with these segments at its start."""
    whole = photo()
    return whole[:2] + b"".join(segments) + whole[2:]


def huge_profile() -> bytes:
    """A JPEG with a colour profile of 16 MB of nonsense."""
    return with_segments(
        *(segment(0xE2, b"ICC_PROFILE\0" + bytes([part, 255]) + b"\xa5" * 65_000) for part in range(1, 256))
    )


def long_comment() -> bytes:
    """A PNG whose photographer wrote 10 MB."""
    words = media.exif(camera={Base.UserComment: b"UNICODE\0" + ("é" * 5_000_000).encode("utf-16-le")})
    whole = media.encoded(".png")
    return whole[:33] + media.chunk(b"eXIf", words.removeprefix(b"Exif\0\0")) + whole[33:]


def circular_tags() -> bytes:
    """A JPEG whose EXIF leads back to its own start."""
    entry = struct.pack("<HHII", IFD.Exif, 4, 1, 8) + struct.pack("<HHII", IFD.GPSInfo, 4, 1, 8)
    return photo(exif=b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + entry + struct.pack("<I", 8))


def text_tags() -> bytes:
    """Words that no database takes and no reader should see."""
    return media.exif(
        {Base.ImageDescription: "a\0b", Base.Make: "\u202egpj.exe\u2066", Base.Model: "<script>alert(1)</script>"},
        {Base.UserComment: b"UNICODE\0" + b"\x00\xd8a\x00\xff\xdf", Base.LensModel: b"\xed\xa0\x80\xed\xbf\xbf"},
    )


def times_and_places(date: str, zone: str, latitude: Any) -> bytes:
    """A moment and a place that cannot be."""
    return media.exif(
        camera={Base.DateTimeOriginal: date, Base.OffsetTimeOriginal: zone, Base.FNumber: NOWHERE},
        gps=media.somewhere(latitude=latitude) | {GPS.GPSAltitude: NOWHERE},
    )


LIARS: dict[str, Callable[[], bytes]] = {
    "words": lambda: photo(exif=text_tags()),
    "10 MB of words": long_comment,
    "year 0": lambda: photo(exif=times_and_places("0000:00:00 00:00:00", "+99:00", (91.0, 0.0, 0.0))),
    "year 9999": lambda: photo(exif=times_and_places("9999:12:31 23:59:59", "-1", (IFDRational(1, 0), 0.0, 0.0))),
    "no number": lambda: photo(exif=times_and_places("-1", "\0", (NOWHERE, NOWHERE, NOWHERE))),
    "no number in a TIFF": lambda: photo(suffix=".tif", exif=times_and_places("-1", "Z", (NOWHERE, 0.0, 0.0))),
    "circle of tags": circular_tags,
    "16 MB of colours": huge_profile,
    "broken colours": lambda: photo(icc_profile=b"nonsense" * 4096),
    "broken colours in a WebP": lambda: photo(suffix=".webp", icc_profile=b"nonsense" * 400),
    "laughter": lambda: with_segments(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + LAUGHS)),
    "virus": lambda: photo(comment=EICAR),
    "djvu in a tag": lambda: photo(exif=media.exif({0xC51B: TAILS["djvu"]})),
}
"""Photos that are well, with something beside the picture that is not."""
