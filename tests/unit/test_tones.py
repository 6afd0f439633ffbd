"""What colours and measurements that are not sRGB look like after rendering."""

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

from processor import images, tones
from processor.images import Photo
from tests.support import heic, media, profiles
from tests.support.heic import Heic

PQ, HLG = (9, 16), (9, 18)


def rendered(content: bytes, path: Path, mime: str) -> Photo:
    path.write_bytes(content)
    with path.open("rb") as file:
        return images.render(file, mime)


def shown(photo: Photo) -> NDArray[np.int64]:
    """The pixels of the large thumbnail."""
    return np.asarray(Image.open(io.BytesIO(photo.thumbnails["large"].data)).convert("RGB")).astype(np.int64)


def grey(share: float) -> Image.Image:
    return Image.new("RGB", (64, 48), (round(share * 255),) * 3)


def pq(nits: float) -> float:
    return float(tones.to_pq(nits))


def heic_of(share: float, colours: tuple[int, int], path: Path) -> Photo:
    return rendered(heic.heic(grey(share), Heic(depth=10, colours=colours)), path, "image/heic")


def test_reference_white_is_nearly_white(tmp_path: Path) -> None:
    """Paper white of 203 nits ends near white, what shines more is whiter, and nothing above the peak is lost."""
    levels = [int(shown(heic_of(pq(nits), PQ, tmp_path / "photo")).mean()) for nits in (0, 20, 203, 400, 1000, 4000)]

    assert levels[0] == 0
    assert 80 < levels[1] < 100
    assert 222 <= levels[2] <= 238
    assert levels[2] < levels[3] < levels[4]
    assert levels[4:] == pytest.approx([255, 255], abs=1)


def test_both_ways_to_code_light_look_alike(tmp_path: Path) -> None:
    """HLG's reference white, three quarters, is shown as PQ's is."""
    white = shown(heic_of(0.75, HLG, tmp_path / "photo")).mean()

    assert white == pytest.approx(shown(heic_of(pq(203), PQ, tmp_path / "photo")).mean(), abs=4)


def test_wide_primaries_without_profile(tmp_path: Path) -> None:
    """Display P3 and BT.2020 that only a container's numbers tell of become sRGB."""
    wide = Image.fromarray(np.asarray(Image.open(media.wide_gamut(tmp_path / "p3.png"))))
    content = heic.heic(wide, Heic(colours=(12, 13)))

    seen = shown(rendered(content, tmp_path / "photo", "image/heic"))

    for corner, colour in zip(
        (seen[80, 120], seen[80, 360], seen[240, 120]), (media.RED, media.GREEN, media.BLUE), strict=True
    ):
        assert np.abs(corner - np.array(colour)).max() <= 4


@pytest.mark.parametrize("colours", [(1, 1), (1, 13), (2, 2), (5, 6), (12, 2)])
def test_grey_is_grey_in_every_gamut(tmp_path: Path, colours: tuple[int, int]) -> None:
    """No primaries change what has no colour, and the curve of television is taken for sRGB's."""
    assert np.abs(shown(heic_of(0.5, colours, tmp_path / "photo")) - 128).max() <= 2


def test_avif_says_it_by_its_container(tmp_path: Path) -> None:
    """An AVIF's numbers count as a HEIC's do."""
    buffer = io.BytesIO()
    grey(pq(203)).save(buffer, "AVIF", quality=100, subsampling="4:4:4")
    content = buffer.getvalue()
    at = content.index(b"colrnclx") + 8
    bright = content[:at] + struct.pack(">HH", *PQ) + content[at + 4 :]

    plain, toned = (shown(rendered(each, tmp_path / "photo", "image/avif")).mean() for each in (content, bright))

    assert plain == pytest.approx(round(pq(203) * 255), abs=2)
    assert 222 <= toned <= 238


def test_png_says_it_in_a_chunk(tmp_path: Path) -> None:
    """A PNG's cICP chunk counts, and what is transparent in it stays so."""
    picture = grey(pq(203)).convert("RGBA")
    picture.putalpha(Image.new("L", picture.size, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 32, 48))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    content = buffer.getvalue()
    chunk = media.chunk(b"cICP", bytes([9, 16, 0, 1]))

    photo = rendered(content[:33] + chunk + content[33:], tmp_path / "photo", "image/png")

    small = np.asarray(Image.open(io.BytesIO(photo.thumbnails["small"].data)))
    assert small[24, 8, 3] == 0
    assert small[24, 56, 3] == 255
    assert 220 <= small[24, 56, 0] <= 240


@pytest.mark.parametrize("orientation", range(1, 9))
def test_bright_pictures_are_turned_too(tmp_path: Path, orientation: int) -> None:
    """A picture that has to be toned down stands upright like any other."""
    path = media.turned(tmp_path / "photo.png", orientation)
    content = path.read_bytes()

    photo = rendered(content[:33] + media.chunk(b"cICP", bytes([12, 13, 0, 1])) + content[33:], path, "image/png")

    seen = shown(photo)
    assert (photo.width, photo.height) == (480, 320)
    assert seen.shape[:2] == (320, 480)
    assert [int(seen[y, x].argmax()) for y, x in ((80, 120), (80, 360), (240, 120))] == [0, 1, 2]


def tiff(pixels: NDArray[np.generic], path: Path, **options: object) -> bytes:
    image = pyvips.Image.new_from_array(pixels)
    if "interpretation" in options:
        image = image.copy(interpretation=options.pop("interpretation"))
    image.tiffsave(str(path), **options)
    return path.read_bytes()


@pytest.mark.parametrize("dtype", [np.uint32, np.int32, np.int16, np.float32])
def test_measurements_are_stretched(tmp_path: Path, dtype: type[np.generic]) -> None:
    """Heights and counts without an agreed white are shown from their least as black to their most as white."""
    ramp = np.linspace(1000, 30_000, 256).astype(dtype)[np.newaxis].repeat(64, 0)

    seen = shown(rendered(tiff(ramp, tmp_path / "photo"), tmp_path / "photo", "image/tiff"))[32, :, 0]

    assert seen[[2, -3]] == pytest.approx([2, 253], abs=4)
    assert seen[128] == pytest.approx(128, abs=4)


def test_measurements_that_are_all_the_same(tmp_path: Path) -> None:
    """A flat measurement, and one with holes in it, are pictures too."""
    flat = np.full((48, 64), 7, np.int32)
    holes = np.full((48, 64), 5000, np.float32)
    holes[:, :32] = np.nan

    for pixels in (flat, holes):
        assert shown(rendered(tiff(pixels, tmp_path / "photo"), tmp_path / "photo", "image/tiff")).shape == (48, 64, 3)


@pytest.mark.parametrize("bands", [1, 3])
def test_fractions_are_light(tmp_path: Path, bands: int) -> None:
    """Floating-point pictures from 0 to 1 are light, half of which looks lighter than half."""
    half = np.full((48, 64, bands) if bands > 1 else (48, 64), 0.5, np.float32)
    half[:24] = 0

    seen = shown(rendered(tiff(half, tmp_path / "photo"), tmp_path / "photo", "image/tiff"))

    assert seen[40].mean() == pytest.approx(188, abs=2)


@pytest.mark.parametrize("profile", [True, False])
@pytest.mark.parametrize("depth", [8, 16])
def test_inks_of_every_depth(tmp_path: Path, depth: int, profile: bool) -> None:
    """CMYK of 8 and of 16 bits, with and without a profile: white paper is white and red ink is red."""
    inks = np.zeros((48, 64, 4), np.uint8)
    inks[:24] = (0, 255, 255, 0)
    pixels = inks if depth == 8 else inks.astype(np.uint16) * 257
    options = {"profile": "cmyk"} if profile else {}

    content = tiff(pixels, tmp_path / "photo", interpretation="cmyk", **options)
    seen = shown(rendered(content, tmp_path / "photo", "image/tiff"))

    assert seen[44].min() > 250
    assert seen[4, :, 0].min() > 180
    assert seen[4, :, 1:].max() < 80


def test_inks_of_adobe(tmp_path: Path) -> None:
    """Adobe's JPEG counts ink the other way round and says so: it is not shown as a negative."""
    inks = np.zeros((48, 64, 4), np.uint8)
    inks[:24] = (0, 255, 255, 0)
    buffer = io.BytesIO()
    Image.fromarray(inks, "CMYK").save(buffer, "JPEG", quality=95, subsampling=0)

    seen = shown(rendered(buffer.getvalue(), tmp_path / "photo", "image/jpeg"))

    assert seen[44].min() > 245
    assert seen[4, :, 0].min() > 180
    assert seen[4, :, 1:].max() < 80


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("TIFF", "image/tiff")])
def test_adobe_rgb(tmp_path: Path, kind: str, mime: str) -> None:
    """Adobe's wide green is a stronger green in sRGB, and its grey the same grey."""
    buffer = io.BytesIO()
    media.quadrants().save(buffer, kind, icc_profile=profiles.adobe_rgb())

    seen = shown(rendered(buffer.getvalue(), tmp_path / "photo", mime))

    assert seen[240, 360] == pytest.approx([128] * 3, abs=3)
    assert seen[80, 360, 0] < 5
    assert seen[80, 120, 0] > 220


@pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real photos are not here")
@pytest.mark.parametrize("name", ["avif/10bit-HDR-P3-nclx.avif", "jxl/16bit-HDR-P3-nclx.jxl"])
def test_real_bright_photos_look_natural(name: str) -> None:
    """Photos of more light than a screen has use its whole range, and neither drown nor burn."""
    path = Path(os.environ["LUMILIO_TEST_MEDIA"], "formats", name)
    with path.open("rb") as file:
        photo = images.render(file, "image/avif" if path.suffix == ".avif" else "image/jxl")

    seen = shown(photo).mean(2)

    assert 90 < seen.mean() < 150
    assert np.percentile(seen, 1) < 40
    assert np.percentile(seen, 99) > 200
    assert (seen > 253).mean() < 0.02
