"""What a thumbnail must not tell to whom it is shown."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from common import sniff
from processor import images
from tests.support import heic, hostile, media, psd, raws, words
from tests.support.boxes import box
from tests.support.heic import Heic

EXIF = media.exif({0x010E: "Elsewhere"}, gps=media.somewhere())
XMP = words.packet(exif__GPSLatitude="48,51.5N", exif__GPSLongitude="2,17.66667E", photoshop__City="Elsewhere")
TOLD = (b"Exif", b"GPS", b"Elsewhere", b"xmpmeta", b"8BIM", b"ICC_PROFILE")


def jp2() -> bytes:
    boxes = box(b"uuid", b"JpgTiffExif->JP2" + EXIF.removeprefix(b"Exif\0\0"))
    return media.encoded(".jp2") + boxes + box(b"xml ", XMP)


def jpeg() -> bytes:
    return hostile.with_segments(
        hostile.segment(0xE1, EXIF), hostile.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)
    )


def raw(make: str) -> bytes:
    return raws.shape(make, raws.jpeg(media.quadrants(600, 400), exif=EXIF))


PLACED: dict[str, Callable[[], bytes]] = {
    "JPEG": jpeg,
    "JPEG by its XMP": lambda: hostile.with_segments(hostile.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)),
    "PNG": lambda: hostile.photo(suffix=".png", exif=EXIF),
    "WebP": lambda: hostile.photo(suffix=".webp", exif=EXIF, xmp=XMP),
    "TIFF": lambda: hostile.photo(suffix=".tif", exif=EXIF),
    "AVIF": lambda: hostile.photo(suffix=".avif", exif=EXIF, xmp=XMP),
    "HEIC": lambda: heic.heic(media.quadrants(), Heic(exif=EXIF, xmp=XMP)),
    "JPEG XL": lambda: hostile.photo(suffix=".jxl", exif=EXIF, xmp=XMP),
    "JPEG 2000": jp2,
    "PSD": lambda: psd.psd(media.quadrants(), beside={1058: EXIF.removeprefix(b"Exif\0\0"), 1060: XMP}),
    "NEF by its preview": lambda: raw("NIKON CORPORATION"),
    "CR3": lambda: raws.cr3(raws.jpeg(media.quadrants(600, 400), exif=EXIF)),
    "RAF": lambda: raws.raf(raws.jpeg(media.quadrants(600, 400), exif=EXIF)),
    "DNG that is developed": raws.dng,
}


@pytest.mark.parametrize("name", PLACED)
@pytest.mark.parametrize("kind", ["webp", "jpeg"])
def test_no_thumbnail_tells_the_place(tmp_path: Path, name: str, kind: str) -> None:
    """Whatever format a place comes in, it is read, and no thumbnail of the photo holds it or any other words."""
    (tmp_path / "photo").write_bytes(content := PLACED[name]())
    known = sniff.sniff(content[: sniff.HEAD_BYTES])
    assert known is not None

    with (tmp_path / "photo").open("rb") as file:
        photo = images.render(file, known.mime_type, {}, {"format": kind})

    assert photo.metadata.gps_latitude == pytest.approx(48.858333)
    for thumbnail in photo.thumbnails.values():
        assert not [told for told in TOLD if told in thumbnail.data]
        assert not Image.open(io.BytesIO(thumbnail.data)).getexif()
        assert set(parts(thumbnail.data)) <= {b"VP8 ", b"VP8X", b"ALPH", b"\xe0", b"picture"}


def parts(data: bytes) -> list[bytes]:
    """The chunks of a WebP, or the segments of a JPEG that applications and people write."""
    found, at = [], 12
    if data.startswith(b"RIFF"):
        while at < len(data):
            kind, length = struct.unpack_from("<4sI", data, at)
            found.append(kind)
            at += 8 + length + length % 2
        return found
    at = 2
    while data[at + 1] != 0xDA:
        marker, length = struct.unpack_from(">xBH", data, at)
        found.append(bytes([marker]) if 0xE0 <= marker <= 0xEF or marker == 0xFE else b"picture")
        at += 2 + length
    return found
