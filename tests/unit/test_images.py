"""What a photo looks like after rendering."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from common import formats, sniff
from processor import colours, decoders, images, turbo
from processor.images import Photo
from processor.unreadable import Unreadable
from tests.support import hostile, media

QUADRANTS = [media.RED, media.GREEN, media.BLUE, media.GREY]
MIMES: dict[str, str] = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".avif": "image/avif",
}
SIZES: list[images.Size] = ["small", "medium", "large"]
EDGES: dict[images.Size, int] = {"small": 400, "medium": 800, "large": 1920}


def rendered(path: Path, **options: Any) -> Photo:
    with path.open("rb") as file:
        return media.shown(images.render(file, MIMES[path.suffix], None, options))


def opened(photo: Photo, size: images.Size) -> Image.Image:
    return Image.open(io.BytesIO(photo.thumbnails[size].data))


def distance(one: Photo, other: Photo) -> int:
    """In how many bits the fingerprints of two pictures differ."""
    assert one.phash is not None
    assert other.phash is not None
    return (one.phash ^ other.phash).bit_count()


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    """The colours in the middle of the four quadrants."""
    across, down = picture.width // 4, picture.height // 4
    small = picture.convert("RGB")
    return [pixel(small, x, y) for y in (down, 3 * down) for x in (across, 3 * across)]


def pixel(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = picture.getpixel((x, y))
    assert isinstance(value, tuple)
    return tuple(int(part) for part in value)


def furthest(seen: list[tuple[int, ...]], wanted: list[tuple[int, int, int]]) -> int:
    return int(np.abs(np.array(seen) - np.array(wanted)).max())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_thumbnails_are_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    """However the camera was held, every thumbnail stands upright and says its true size."""
    photo = rendered(media.turned(tmp_path / f"photo{suffix}", orientation))

    assert (photo.width, photo.height) == (480, 320)
    is_turned_by_decoder = suffix == ".avif"  # its container says how to hold it
    stored = (320, 480) if orientation >= 5 and not is_turned_by_decoder else (480, 320)
    assert (photo.stored_width, photo.stored_height) == stored
    for size in SIZES:
        assert opened(photo, size).size == (photo.thumbnails[size].width, photo.thumbnails[size].height)
        assert furthest(corners(opened(photo, size)), QUADRANTS) <= 6


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_impossible_orientation_is_ignored(tmp_path: Path, orientation: int) -> None:
    """An orientation that does not exist leaves the picture as it is stored."""
    photo = rendered(media.turned(tmp_path / "photo.jpg", orientation))

    assert (photo.width, photo.height) == (480, 320)


def test_sizes(tmp_path: Path) -> None:
    """The longest edges are 400, 800 and 1920, two WebP and one JPEG, in the picture's shape."""
    media.quadrants(4000, 3000).save(tmp_path / "photo.jpg")

    photo = rendered(tmp_path / "photo.jpg")

    assert {
        size: (thumbnail.width, thumbnail.height, thumbnail.mime) for size, thumbnail in photo.thumbnails.items()
    } == {
        "small": (400, 300, "image/webp"),
        "medium": (800, 600, "image/webp"),
        "large": (1920, 1440, "image/jpeg"),
    }
    assert [opened(photo, size).format for size in SIZES] == ["WEBP", "WEBP", "JPEG"]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 900), (1, 2500), (2500, 1), (7, 5)])
@pytest.mark.parametrize("suffix", MIMES)
def test_small_and_thin_pictures(tmp_path: Path, width: int, height: int, suffix: str) -> None:
    """A picture is never enlarged, and one pixel wide is wide enough."""
    media.noise(width, height).save(tmp_path / f"photo{suffix}")

    photo = rendered(tmp_path / f"photo{suffix}")

    assert (photo.width, photo.height) == (width, height)
    for size, edge in EDGES.items():
        assert max(opened(photo, size).size) <= min(edge, max(width, height))


def test_wide_gamut_becomes_srgb(tmp_path: Path) -> None:
    """Display P3 is converted to the sRGB colours that it stands for."""
    eight = [media.wide_gamut(tmp_path / f"p3{suffix}") for suffix in (".jpg", ".webp", ".tif", ".avif")]
    for path in (*eight, media.wide_gamut(tmp_path / "p3.png", depth=16)):
        photo = rendered(path)

        for size in SIZES:
            assert furthest(corners(opened(photo, size)), QUADRANTS) <= 9


def test_a_profile_that_says_srgb_changes_nothing(tmp_path: Path) -> None:
    """A profile is plain by what it does: sRGB costs no conversion, and a wide one is not believed to be sRGB."""
    plain, wide = (media.profile_of(name) for name in ("srgb", "p3"))
    media.noise(600, 400).save(tmp_path / "photo.jpg")
    media.noise(600, 400).save(tmp_path / "tagged.jpg", icc_profile=plain)

    assert colours.changes_nothing(plain)
    assert not colours.changes_nothing(wide)
    assert rendered(tmp_path / "tagged.jpg").thumbnails == rendered(tmp_path / "photo.jpg").thumbnails


def test_deep_colours(tmp_path: Path) -> None:
    """16 bits a channel become 8 without a change of colour."""
    for suffix in (".png", ".tif", ".avif"):
        photo = rendered(media.deep(tmp_path / f"deep{suffix}"))

        assert furthest(corners(opened(photo, "large")), QUADRANTS) <= 3


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "I;16"])
def test_other_pixels(tmp_path: Path, mode: str) -> None:
    """Grey, black and white, and palettes keep their lightness."""
    media.quadrants().convert("L" if mode == "I;16" else mode).convert(mode).save(tmp_path / "photo.png")

    picture = opened(rendered(tmp_path / "photo.png"), "large")

    assert picture.mode == "RGB"
    assert picture.size == (480, 320)


@pytest.mark.parametrize(
    ("suffix", "frames"),
    [(".gif", 4), (".webp", 4), (".png", 4), (".avif", 4), (".tif", 1), (".jpg", 1)],
)
def test_the_first_picture_counts(tmp_path: Path, suffix: str, frames: int) -> None:
    """Of an animation or of many pages the first is shown, in its own size; only an animation has frames."""
    later = [Image.new("RGB", (480, 320), (shade, 0, 0)) for shade in (0, 60, 120)]
    kind = "MPO" if suffix == ".jpg" else None
    media.quadrants().save(tmp_path / f"photo{suffix}", kind, save_all=True, append_images=later, quality=95)

    photo = rendered(tmp_path / f"photo{suffix}")

    assert (photo.width, photo.height, photo.frames) == (480, 320, frames)
    assert furthest(corners(opened(photo, "large")), QUADRANTS) <= 9


def test_big_tiffs_are_tiffs(tmp_path: Path) -> None:
    """The kind of TIFF that may be longer than 4 GB shows the same picture."""
    media.vips(media.quadrants()).tiffsave(str(tmp_path / "photo.tif"), bigtiff=True)

    photo = rendered(tmp_path / "photo.tif")

    assert (tmp_path / "photo.tif").read_bytes()[:4] == b"II+\0"
    assert sniff.sniff((tmp_path / "photo.tif").read_bytes()[: sniff.HEAD_BYTES]) is formats.TIFF
    assert furthest(corners(opened(photo, "large")), QUADRANTS) <= 6


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_metadata_of_every_format(tmp_path: Path, suffix: str) -> None:
    """What a camera wrote is read wherever its format keeps it."""
    media.quadrants().save(tmp_path / f"photo{suffix}", exif=media.everything())

    seen = rendered(tmp_path / f"photo{suffix}").metadata

    assert (seen.camera_model, seen.exposure_time, seen.description) == ("Model", "1/60", "schön")
    assert (seen.offset_minutes, seen.notes) == (120, ())
    assert seen.gps_latitude == pytest.approx(48.858333)


@pytest.mark.parametrize("marks", media.RAW_MARKS.values(), ids=media.RAW_MARKS)
def test_raw_files_are_not_shown_as_their_thumbnail(tmp_path: Path, marks: dict[int, int]) -> None:
    """A camera's raw file is a TIFF whose first picture is not the photo, wherever its directory lies."""
    media.tiff(tmp_path / "photo.tif", marks, gap=10_000)

    assert rendered(media.tiff(tmp_path / "plain.tif", {}, gap=10_000)).width == 32
    assert sniff.sniff((tmp_path / "photo.tif").read_bytes()[: sniff.HEAD_BYTES]) is formats.TIFF
    with pytest.raises(Unreadable, match="raw file"):
        rendered(tmp_path / "photo.tif")


def test_grey_keeps_its_lightness(tmp_path: Path) -> None:
    """A grey JPEG is as light as it was."""
    Image.new("L", (300, 200), 100).save(tmp_path / "grey.jpg")

    for size in SIZES:
        assert furthest(corners(opened(rendered(tmp_path / "grey.jpg"), size)), [(100, 100, 100)] * 4) <= 1


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_inks_become_srgb(tmp_path: Path, suffix: str) -> None:
    """CMYK is converted by its profile: red ink is red, and white paper is white."""
    photo = rendered(media.inks(tmp_path / f"inks{suffix}"))
    red, green, blue, grey = corners(opened(photo, "large"))

    assert red[0] > 180
    assert max(red[1:]) < 60
    assert green[1] == max(green)
    assert blue[2] == max(blue)
    assert max(grey) - min(grey) < 12
    assert corners(opened(photo, "large"))[0] == pytest.approx(corners(opened(photo, "small"))[0], abs=6)


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [(".png", "RGBA"), (".png", "LA"), (".webp", "RGBA"), (".gif", "RGBA"), (".tif", "RGBA"), (".avif", "RGBA")],
)
def test_transparency(tmp_path: Path, suffix: str, mode: str) -> None:
    """WebP keeps what is transparent; the JPEG shows it as white paper."""
    photo = rendered(media.half_transparent(tmp_path / f"glass{suffix}", mode))

    for size in SIZES[:2]:
        alpha = np.asarray(opened(photo, size).convert("RGBA"))[..., 3]
        assert alpha[:, 10].min() == 255
        assert alpha[:, -10].max() == 0
    assert furthest(corners(opened(photo, "large"))[1::2], [(255, 255, 255)] * 2) == 0


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_broken_profile_is_ignored(tmp_path: Path, mode: str) -> None:
    """A colour profile that cannot be read does not cost the picture."""
    media.quadrants().convert(mode).save(tmp_path / "photo.jpg", quality=95, icc_profile=b"nonsense" * 4096)

    photo = rendered(tmp_path / "photo.jpg")

    assert photo.width == 480
    if mode == "RGB":
        assert furthest(corners(opened(photo, "large")), QUADRANTS) <= 6


def test_thumbnails_tell_nothing(tmp_path: Path) -> None:
    """No thumbnail carries EXIF, a place, a profile or a comment."""
    tags = media.exif({0x010E: "secret words"}, gps=media.somewhere())
    media.quadrants().save(tmp_path / "photo.jpg", exif=tags, comment=b"secret words")

    photo = rendered(tmp_path / "photo.jpg")

    assert photo.metadata.description == "secret words"
    assert photo.metadata.gps_latitude == pytest.approx(48.858333)
    for size in SIZES:
        assert b"secret" not in photo.thumbnails[size].data
        assert not {"exif", "icc_profile", "comment", "xmp"} & opened(photo, size).info.keys()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.5, 0.95])
@pytest.mark.parametrize("suffix", MIMES)
def test_cut_files_are_unreadable(tmp_path: Path, share: float, suffix: str) -> None:
    """A file that ends too early is refused with a reason rather than shown half grey."""
    media.noise(600, 400).save(tmp_path / f"photo{suffix}")

    with pytest.raises(Unreadable, match=r"^the file is damaged: \w+"):
        rendered(media.cut(tmp_path / f"photo{suffix}", share))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("width", "height"), [(2001, 1501), (601, 831)])
def test_the_fast_way_shows_the_same_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int, height: int, orientation: int
) -> None:
    """A large JPEG looks the same whether it goes the fast way or the general one."""
    path = media.turned(tmp_path / "photo.jpg", orientation, picture=media.noise(width, height))
    edges = {"large": 480, "medium": 200, "small": 100}
    fast = rendered(path, **edges)
    monkeypatch.setattr(turbo, "decoded", lambda *_, **__: None)

    general = rendered(path, **edges)

    assert (fast.width, fast.height, fast.metadata) == (general.width, general.height, general.metadata)
    assert distance(fast, general) <= 2
    for size in SIZES:
        assert opened(fast, size).size == opened(general, size).size
        difference = np.asarray(opened(fast, size), float) - np.asarray(opened(general, size), float)
        assert np.abs(difference).mean() < 4


def test_another_format_is_unreadable(tmp_path: Path) -> None:
    """The named decoder reads its own format only, whatever the file is."""
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    files = {suffix: media.encoded(suffix) for suffix in MIMES} | {".svg": drawing}

    for suffix, mime in MIMES.items():
        for stranger in files.keys() - {suffix}:
            (tmp_path / "photo").write_bytes(files[stranger])
            with pytest.raises(Unreadable, match="damaged"), (tmp_path / "photo").open("rb") as file:
                images.render(file, mime)


def test_bombs_are_refused_by_their_header(tmp_path: Path) -> None:
    """900 megapixels in a small file, and a side beyond 65,535, are refused before a pixel is decoded."""
    bomb = media.bomb(tmp_path / "bomb.png")
    Image.new("1", (66_000, 1)).save(tmp_path / "ribbon.png")

    assert bomb.stat().st_size < 120_000
    with pytest.raises(Unreadable, match="30000 x 30000 pixels are more than the 250 megapixels allowed"):
        rendered(bomb)
    with pytest.raises(Unreadable, match="no side may be longer than 65535"):
        rendered(tmp_path / "ribbon.png")


def test_nonsense_in_a_file_is_damage(tmp_path: Path) -> None:
    """A file that makes its decoder stammer, or ask for memory that nobody has, is damaged like any other."""
    stammering = media.turned(tmp_path / "turned.avif", 6).read_bytes().replace(b"irot", b"iro\xdf")
    (tmp_path / "stammering.avif").write_bytes(stammering)
    (tmp_path / "greedy.tif").write_bytes(b"II*\0\x08\0\0\0" + bytes(100))

    for name in ("stammering.avif", "greedy.tif"):
        with pytest.raises(Unreadable, match="damaged"):
            rendered(tmp_path / name)


@pytest.mark.parametrize("side", [10_000, 15_500])
def test_large_photos_are_taken(tmp_path: Path, side: int) -> None:
    """A camera's largest pictures pass, for an ordinary JPEG is read line by line."""
    (tmp_path / "photo.jpg").write_bytes(hostile.jpeg(side, progressive=False))

    with (tmp_path / "photo.jpg").open("rb") as file:
        decoders.check(decoders.load(file, "image/jpeg"), "image/jpeg")


def test_only_tested_decoders_run() -> None:
    """The self-test passes as shipped, and notices when a door of libvips is opened."""
    opened = "import pyvips; from processor import decoders; pyvips.operation_block_set('VipsForeignLoadSvg', False)"
    done = subprocess.run([sys.executable, "-c", f"{opened}; decoders.self_test()"], capture_output=True, check=False)

    decoders.self_test()

    assert b"libvips would run svgload_source" in done.stderr


def test_resized_pictures_are_alike(tmp_path: Path) -> None:
    """Versions of one picture differ in few bits of their perceptual hash, other pictures in many."""
    picture, other = media.noise(900, 600, seed=1), media.noise(900, 600, seed=2)
    picture.save(tmp_path / "photo.png")
    picture.resize((500, 333)).save(tmp_path / "resized.jpg", quality=60)
    media.turned(tmp_path / "turned.jpg", 6, picture=picture)
    other.save(tmp_path / "other.png")

    original, *versions, another = (
        rendered(tmp_path / name) for name in ("photo.png", "resized.jpg", "turned.jpg", "other.png")
    )

    assert max(distance(original, version) for version in versions) <= 6
    assert distance(original, another) >= 16
    assert 0 <= (original.phash or -1) < 1 << 64


@pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real photos are not here")
def test_real_photos() -> None:
    """Real photos are rendered upright with what their cameras wrote."""
    folder = Path(os.environ.get("LUMILIO_TEST_MEDIA", ""))
    rocks = rendered(folder / "formats/jpg/el_torcal_rocks.jpg")
    portrait, turned = (rendered(folder / f"metadata/faces/portrait{name}.jpg") for name in ("", "-orientation-6"))
    canyon = rendered(folder / "metadata/gps-position/thompson-springs.jpg")
    mountain = rendered(folder / "formats/webp/denali.webp")
    river = rendered(folder / "formats/avif/8bit-sRGB.avif")

    assert (rocks.metadata.camera_model, rocks.metadata.exposure_time) == ("DSLR-A550", "1/160")
    assert (str(rocks.metadata.taken_at), rocks.metadata.offset_minutes) == ("2012-08-05 11:39:59", None)
    assert (turned.width, turned.height) == (portrait.width, portrait.height)
    assert distance(turned, portrait) <= 10
    assert (mountain.metadata.camera_model, mountain.width, mountain.height) == ("Canon EOS 7D", 600, 315)
    assert (river.width, river.height) == (1617, 1080)
    assert canyon.metadata.gps_latitude == pytest.approx(39.115)
    assert canyon.metadata.gps_longitude == pytest.approx(-108.4009683)
