"""What a camera's raw file looks like: its preview where that is large enough, and what its sensor saw elsewhere."""

import io
import os
import struct
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from common import formats, sniff
from common.formats import Format
from gateway import media as serving
from processor import facts, images, raw, sandbox
from processor.images import Photo
from processor.unreadable import Unreadable
from tests.support import hostile, media, raws

QUADRANTS = [media.RED, media.GREEN, media.BLUE, media.GREY]
TAKEN = datetime(2023, 4, 5, 6, 7, 8)  # noqa: DTZ001 - a camera knows no zone
DNG = formats.DNG.mime_type


def rendered(content: bytes, mime: str, folder: Path, **options: Any) -> Photo:
    path = folder / "photo"
    path.write_bytes(content)
    with path.open("rb") as file:
        return media.shown(images.render(file, mime, None, options))


def quarters(photo: Photo, size: images.Size = "large") -> list[tuple[int, ...]]:
    """The colours in the middle of the four quadrants."""
    pixels = np.asarray(Image.open(io.BytesIO(photo.thumbnails[size].data)).convert("RGB"))
    height, width, _ = pixels.shape
    return [tuple(map(int, pixels[y * height // 4, x * width // 4])) for y in (1, 3) for x in (1, 3)]


def furthest(photo: Photo) -> int:
    """How far the thumbnails are from the quadrants' colours."""
    sizes: list[images.Size] = ["small", "medium", "large"]
    return max(int(np.abs(np.array(quarters(photo, size)) - QUADRANTS).max()) for size in sizes)


def preview(orientation: int = 1, *, width: int = 2400, height: int = 1600, **options: Any) -> bytes:
    return raws.jpeg(raws.stored(orientation, width, height), **options)


def assert_developed(photo: Photo) -> None:
    """Colours that are the quadrants' but for their brightness, which LibRaw chooses."""
    red, green, blue, grey = quarters(photo)
    for strongest, colour in enumerate((red, green, blue)):
        assert colour[strongest] > 180
        assert max(part for place, part in enumerate(colour) if place != strongest) < 80
    assert max(grey) - min(grey) <= 4
    assert 100 < grey[0] < 200


SHAPES: dict[str, tuple[Format, Callable[[bytes], bytes]]] = {
    "nef": (formats.NEF, lambda shown: raws.shape("NIKON CORPORATION", shown)),
    "arw": (formats.ARW, lambda shown: raws.shape("SONY", shown)),
    "pef": (formats.PEF, lambda shown: raws.shape("PENTAX", shown)),
    "srw": (formats.SRW, lambda shown: raws.shape("SAMSUNG", shown)),
    "raw": (formats.RAW, lambda shown: raws.shape("EPSON", shown)),
    "cr2": (formats.CR2, lambda shown: raws.shape("Canon", shown)),
    "orf": (formats.ORF, lambda shown: raws.shape("OLYMPUS", shown, signature=b"IIRO")),
    "orf of the other order": (formats.ORF, lambda shown: raws.shape("OLYMPUS", shown, signature=b"MMOR")),
    "rw2": (formats.RW2, raws.rw2),
    "mrw": (formats.MRW, raws.mrw),
    "cr3": (formats.CR3, raws.cr3),
}
"""Files that have a preview and tags of their own, and nothing that LibRaw could develop."""
TOLD_BY_PREVIEW = {"raf": (formats.RAF, raws.raf), "x3f": (formats.X3F, raws.x3f)}


@pytest.mark.parametrize("name", SHAPES)
def test_every_makers_file_is_shown(tmp_path: Path, name: str) -> None:
    """Whatever container a camera writes, its preview, its time and its place are found, and no colour changes."""
    known, make = SHAPES[name]

    photo = rendered(make(preview()), known.mime_type, tmp_path)

    assert (photo.width, photo.height, photo.is_raw, photo.decoder) == (2400, 1600, True, "preview")
    assert furthest(photo) <= 4
    assert photo.metadata.taken_at == TAKEN
    assert (photo.metadata.camera_model, photo.metadata.iso_speed) == ("Model 1", 400)
    assert photo.metadata.gps_latitude == pytest.approx(48.858333)
    assert photo.metadata.notes == ()


@pytest.mark.parametrize("name", TOLD_BY_PREVIEW)
def test_a_preview_speaks_for_its_file(tmp_path: Path, name: str) -> None:
    """Where a container has no tags of its own, those of its preview count, and so does its orientation."""
    known, make = TOLD_BY_PREVIEW[name]

    photo = rendered(make(preview(3, exif=media.everything())), known.mime_type, tmp_path)

    assert (photo.width, photo.height, photo.metadata.camera_model) == (2400, 1600, "Model")
    assert photo.metadata.gps_latitude == pytest.approx(48.858333)
    assert furthest(photo) <= 4


@pytest.mark.parametrize("make", ["NIKON CORPORATION", "PENTAX", "SAMSUNG", "EPSON"])
def test_files_without_a_decent_preview_are_developed(tmp_path: Path, make: str) -> None:
    """Whoever made the camera, what its sensor saw is shown if the preview is too small."""
    content = raws.shape(make, preview(width=240, height=160), dots=media.quadrants())
    known = sniff.sniff(content[: sniff.HEAD_BYTES])
    assert known in formats.RAWS

    photo = rendered(content, known.mime_type, tmp_path)

    assert (photo.width, photo.height, photo.decoder, photo.metadata.iso_speed) == (480, 320, "libraw", 400)
    assert np.argmax(quarters(photo)[:3], axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("mime", [DNG, "image/tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_developed_pictures_are_upright(tmp_path: Path, orientation: int, mime: str) -> None:
    """A raw file without a decent preview is developed, by the white balance of its camera, and stands upright."""
    photo = rendered(raws.dng(orientation=orientation, preview=preview(width=240, height=160)), mime, tmp_path)

    assert (photo.width, photo.height, photo.decoder, photo.is_raw) == (480, 320, "libraw", True)
    assert (photo.stored_width, photo.stored_height) == ((320, 480) if orientation >= 5 else (480, 320))
    assert photo.metadata.taken_at == TAKEN
    assert_developed(photo)


def test_sensors_without_a_filter(tmp_path: Path) -> None:
    """What is in three colours already, and what has none at all, is developed as well."""
    assert_developed(rendered(raws.demosaiced(3), DNG, tmp_path))

    grey = quarters(rendered(raws.demosaiced(1), DNG, tmp_path, large=200, medium=100, small=64))

    assert {max(colour) - min(colour) for colour in grey} == {0}
    assert grey[1] > grey[3] > grey[0] == grey[2]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_previews_are_upright(tmp_path: Path, orientation: int) -> None:
    """A preview is turned as the sensor's picture would be, and the photo has the size of that one."""
    content = raws.dng(2400, 1600, orientation=orientation, preview=preview(orientation, width=1944, height=1296))

    photo = rendered(content, DNG, tmp_path)

    assert (photo.width, photo.height, photo.decoder) == (2400, 1600, "libraw preview")
    assert (photo.stored_width, photo.stored_height) == ((1600, 2400) if orientation >= 5 else (2400, 1600))
    assert furthest(photo) <= 4


@pytest.mark.parametrize("orientation", [6, 8])
@pytest.mark.parametrize("exif", [b"", media.exif({0x0112: 1})], ids=["silent", "says so"])
def test_an_upright_preview_is_not_turned_again(tmp_path: Path, orientation: int, exif: bytes) -> None:
    """Some cameras store their preview upright beside a sensor that lay on its side."""
    content = raws.dng(1600, 2400, orientation=orientation, preview=preview(width=1600, height=2400, exif=exif))

    photo = rendered(content, DNG, tmp_path)

    assert (photo.width, photo.height, photo.stored_width, photo.stored_height) == (1600, 2400, 2400, 1600)
    assert (photo.thumbnails["large"].width, photo.thumbnails["large"].height) == (1280, 1920)
    assert furthest(photo) <= 4


@pytest.mark.parametrize(
    ("asked", "sensor", "shown", "decoder"),
    [
        (1920, 2400, 2400, "libraw preview"),
        (1920, 2400, 1920, "libraw preview"),
        (1920, 2400, 1900, "libraw"),
        (1920, 1200, 1200, "libraw preview"),
        (800, 2400, 900, "libraw preview"),
        (800, 2400, 700, "libraw"),
        (800, 2400, 0, "libraw"),
    ],
)
def test_a_preview_has_to_be_large_enough(tmp_path: Path, asked: int, sensor: int, shown: int, decoder: str) -> None:
    """The preview is taken if the largest thumbnail can be made of it, or if it is as large as the picture itself."""
    small = preview(width=shown, height=shown * 2 // 3) if shown else b""

    photo = rendered(raws.dng(sensor, sensor * 2 // 3, preview=small), DNG, tmp_path, large=asked)

    assert (photo.width, photo.decoder) == (sensor, decoder)
    assert photo.thumbnails["large"].width == min(asked, sensor)


def test_a_preview_that_libraw_overlooks_is_found(tmp_path: Path) -> None:
    """The largest JPEG in a maker's file is the preview, wherever it lies."""
    content = raws.shape("NIKON CORPORATION", preview(width=600, height=400))

    photo = rendered(content + preview(width=1200, height=800) + bytes(100), formats.NEF.mime_type, tmp_path)

    assert (photo.width, photo.height) == (1200, 800)
    assert furthest(photo) <= 4


def test_a_thumbnail_is_no_picture(tmp_path: Path) -> None:
    """A file of which only the picture for the camera's screen can be read has none."""
    content = raws.shape("NIKON CORPORATION", preview(width=320, height=240))

    with pytest.raises(Unreadable, match="the raw file has no preview and cannot be developed: "):
        rendered(content, formats.NEF.mime_type, tmp_path)


INTEROPERABILITY = {IFD.Exif: raws.moment() | {IFD.Interop: {1: "R03"}}}


@pytest.mark.parametrize("more", [INTEROPERABILITY, {50970: 3}], ids=["camera's word", "DNG's word"])
def test_adobe_rgb_is_shown_as_srgb(tmp_path: Path, more: dict[int, Any]) -> None:
    """A preview whose camera names Adobe RGB and embeds no profile is converted to the colours it stands for."""
    wide = raws.jpeg(raws.adobe_rgb(media.quadrants(2400, 1600)))

    photo = rendered(raws.dng(2400, 1600, preview=wide, more=more), DNG, tmp_path)
    plain = rendered(raws.dng(2400, 1600, preview=wide), DNG, tmp_path)

    assert furthest(photo) <= 5
    assert furthest(plain) > 20


@pytest.mark.parametrize("name", ["cr3", "dng"])
def test_xmp_of_a_raw_file(tmp_path: Path, name: str) -> None:
    """The packet of XMP that a raw file holds is found."""
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    files = {"cr3": raws.cr3(preview(), xmp=packet), "dng": raws.dng(more={700: packet})}
    (tmp_path / "photo").write_bytes(files[name])

    with (tmp_path / "photo").open("rb") as file:
        assert raw.open_picture(file, getattr(formats, name.upper()).mime_type, 1920).blobs.xmp == packet


def test_what_libraw_knows_comes_last(tmp_path: Path) -> None:
    """A developed file whose EXIF says little is dated and described by what LibRaw found elsewhere."""
    said = {Base.ExposureTime: (Fraction(1, 250),)}
    words: dict[int, Any] = {Base.DateTime: raws.TAKEN, IFD.Exif: said, IFD.GPSInfo: {}}

    seen = rendered(raws.dng(more=words), DNG, tmp_path).metadata

    assert (seen.taken_at, seen.taken_from) == (TAKEN, "LibRaw")
    assert (seen.exposure_time, seen.camera_make, seen.gps_latitude) == ("1/250", "Maker", None)


def test_a_monstrous_preview_is_refused(tmp_path: Path) -> None:
    """A preview of 500 megapixels is not decoded: the sensor's picture is developed, and without one there is none."""
    monster = hostile.jpeg(22_400, progressive=False)

    photo = rendered(raws.dng(preview=monster, claimed=(22_400, 22_400)), DNG, tmp_path)

    assert (photo.width, photo.decoder) == (480, "libraw")
    with pytest.raises(Unreadable, match="no preview"):
        rendered(raws.shape("SONY", monster), formats.ARW.mime_type, tmp_path)


def test_a_good_preview_outlives_what_cannot_be_developed(tmp_path: Path) -> None:
    """A file that LibRaw cannot develop is shown by its preview, even if that is small."""
    whole = raws.dng(2400, 1600, preview=preview(width=900, height=600), more={IFD.Exif: raws.moment()})
    unknown = whole.replace(struct.pack("<HHIHH", 259, 3, 1, 1, 0), struct.pack("<HHIHH", 259, 3, 1, 4711, 0))

    photo = rendered(unknown, DNG, tmp_path)

    assert "preview" in photo.decoder
    assert photo.thumbnails["large"].width == 900
    assert furthest(photo) <= 4


def test_a_file_with_a_damaged_preview_is_developed(tmp_path: Path) -> None:
    """Where the pixels of the preview are lost, those of the sensor are shown."""
    whole = preview()

    photo = rendered(raws.dng(2400, 1600, preview=whole[: len(whole) // 2]), DNG, tmp_path)

    assert (photo.width, photo.height, photo.decoder) == (2400, 1600, "libraw")
    assert_developed(photo)
    assert photo.metadata.taken_at == TAKEN


def test_a_raw_file_that_cannot_be_shown_keeps_what_it_says(tmp_path: Path) -> None:
    """A file without a readable picture says why, and when and with what it was taken."""
    (tmp_path / "photo").write_bytes(raws.shape("NIKON CORPORATION", preview(width=320, height=240)))

    with (tmp_path / "photo").open("rb") as file:
        photo = images.render(file, formats.NEF.mime_type)

    assert photo.trouble is not None
    assert (photo.metadata.taken_at, photo.metadata.camera_make) == (TAKEN, "Nikon")
    assert "dimensions" not in facts.of(photo).specific


def test_a_real_camera() -> None:
    """A file that a real camera took is developed and knows its camera, its moment and its offset."""
    folder = os.environ.get("LUMILIO_TEST_MEDIA")
    if not folder:
        pytest.skip("LUMILIO_TEST_MEDIA names no folder")

    with (Path(folder) / "raw/canon_eos_6d.dng").open("rb") as file:
        photo = images.render(file, DNG)
        file.seek(0)
        small = images.render(file, DNG, None, {"large": 1000})

    assert (photo.width, photo.height, photo.decoder) == (1224, 816, "libraw")
    assert (small.width, small.height, small.decoder) == (1224, 816, "libraw preview")
    assert photo.metadata == small.metadata
    assert (photo.metadata.camera_model, photo.metadata.offset_minutes) == ("Canon EOS 6D", 120)
    assert photo.metadata.taken_at == datetime(2019, 6, 6, 7, 29, 51)  # noqa: DTZ001


@pytest.mark.parametrize("extension", [".nrw", ".srf", ".sr2", ".rwl", ".raw", ".3fr"])
def test_other_names_of_raw_files(extension: str) -> None:
    """A maker's second extension belongs to its format, so that a file keeps the name it came with."""
    assert serving.EXTENSIONS[extension] & formats.RAW_TYPES


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("P1.RAW", formats.RW2.mime_type),
        ("P1.raw", formats.RAW.mime_type),
        ("P1.dng", "image/tiff"),
        ("P1.3fr", "image/tiff"),
    ],
)
def test_a_raw_file_is_shown_under_every_name_of_its_kind(name: str, mime: str) -> None:
    """An extension that several formats share agrees with each, and a raw file may be stored as the TIFF that it is."""
    assert serving.disposition(name, mime).startswith("inline")
    assert serving.disposition("P1.jpg", mime).startswith("attachment")


def test_a_tiff_may_cost_as_much_as_a_raw_file() -> None:
    """Whether a TIFF is a camera's raw file shows only when it is opened."""
    assert sandbox.limits_of("image/tiff") == sandbox.limits_of(DNG)
