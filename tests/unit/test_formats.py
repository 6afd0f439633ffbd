"""What pictures of the formats that few libraries read look like after rendering."""

import io
import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common import sniff
from processor import images
from processor.images import Photo
from processor.unreadable import Unreadable
from tests.support import heic, media, psd
from tests.support.boxes import box
from tests.support.heic import Heic

QUADRANTS = [media.RED, media.GREEN, media.BLUE, media.GREY]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
REAL = pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real photos are not here")


def rendered(path: Path, content: bytes | None = None) -> Photo:
    """What becomes of the file, by the decoder that its first bytes call for."""
    if content is not None:
        path.write_bytes(content)
    known = sniff.sniff(path.read_bytes()[: sniff.HEAD_BYTES])
    assert known is not None
    with path.open("rb") as file:
        return media.shown(images.render(file, known.mime_type))


def real(name: str) -> Path:
    return Path(os.environ.get("LUMILIO_TEST_MEDIA", ""), name)


def corners(photo: Photo) -> list[tuple[int, ...]]:
    """The colours in the middle of the four quadrants of the large thumbnail."""
    picture = np.asarray(Image.open(io.BytesIO(photo.thumbnails["large"].data)).convert("RGB")).astype(int)
    height, width = picture.shape[:2]
    return [tuple(picture[y, x]) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]


def furthest(photo: Photo, wanted: list[tuple[int, int, int]]) -> int:
    return int(np.abs(np.array(corners(photo)) - np.array(wanted)).max())


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", [".heic", ".jxl", ".jp2", ".j2k", ".psd", ".bmp"])
def test_colours_stay(tmp_path: Path, suffix: str) -> None:
    """A picture in any of these formats keeps its colours, its place and its size."""
    content = media.encoded(suffix) if suffix != ".j2k" else saved(media.quadrants(), "JPEG2000", no_jp2=True)

    photo = rendered(tmp_path / "photo", content)

    assert (photo.width, photo.height, photo.frames) == (480, 320, 1)
    assert furthest(photo, QUADRANTS) <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_heic_is_turned_once(tmp_path: Path, orientation: int) -> None:
    """A HEIC is held as its container says, however often its EXIF says so too."""
    stored = media.quadrants()
    if orientation in media.UNDO:
        stored = stored.transpose(media.UNDO[orientation])
    tags = media.exif({0x0112: orientation})

    photo = rendered(tmp_path / "photo", heic.heic(stored, Heic(orientation=orientation, exif=tags)))

    assert (photo.width, photo.height) == (480, 320)
    assert furthest(photo, QUADRANTS) <= 3


def test_heic_exif_alone_turns_nothing(tmp_path: Path) -> None:
    """A HEIC whose EXIF says that it lies on its side, and whose container does not, stands as it is stored."""
    photo = rendered(tmp_path / "photo", heic.heic(media.quadrants(), Heic(exif=media.exif({0x0112: 6}))))

    assert (photo.width, photo.height) == (480, 320)
    assert furthest(photo, QUADRANTS) <= 3


def test_heic_of_ten_bits(tmp_path: Path) -> None:
    """Ten bits a channel become eight without a change of colour."""
    photo = rendered(tmp_path / "photo", heic.heic(media.quadrants(), Heic(depth=10)))

    assert furthest(photo, QUADRANTS) <= 2


def test_heic_in_tiles(tmp_path: Path) -> None:
    """A phone's picture in tiles is one picture."""
    tile = Image.new("RGB", (128, 128), media.RED)

    photo = rendered(tmp_path / "photo", heic.heic(tile, Heic(grid=(3, 4), claims=(500, 380))))

    assert (photo.width, photo.height) == (500, 380)
    assert furthest(photo, [media.RED] * 4) <= 3


def test_heic_profile_and_metadata(tmp_path: Path) -> None:
    """A HEIC's own colour profile is heeded, and what its camera wrote is read."""
    wide = Image.fromarray(np.asarray(Image.open(media.wide_gamut(tmp_path / "p3.png"))))
    wish = Heic(profile=media.profile_of("p3"), exif=media.everything(), xmp=XMP)

    photo = rendered(tmp_path / "photo", heic.heic(wide, wish))

    assert furthest(photo, QUADRANTS) <= 5
    assert (photo.metadata.camera_model, photo.metadata.description) == ("Model", "schön")


def test_heic_of_another_codec(tmp_path: Path) -> None:
    """A container that holds something else than HEVC is refused by what it holds, not as damaged."""
    content = media.encoded(".avif").replace(b"ftypavif", b"ftypheic", 1)

    with pytest.raises(Unreadable, match="no decoder for the way its picture is coded"):
        rendered(tmp_path / "photo", content)


@pytest.mark.parametrize("side", [60_000, 30_000, 20_000])
def test_heic_of_absurd_size_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    """A grid that claims more than anybody has memory for is refused before a tile is decoded."""
    tile = Image.new("RGB", (64, 64), media.RED)

    with pytest.raises(Unreadable):
        rendered(tmp_path / "photo", heic.heic(tile, Heic(grid=(4, 4), claims=(side, side))))


def test_heic_of_millions_of_pieces(tmp_path: Path) -> None:
    """A list that says that it has more pieces than bytes is not counted to its end."""
    items = heic.full(b"iloc", struct.pack(">HH", 0, 4096) + struct.pack(">HHH", 1, 0, 4096) * 4096)
    started = time.process_time()

    with pytest.raises(Unreadable):
        rendered(tmp_path / "photo", box(b"ftyp", b"heic" + bytes(4) + b"mif1heic") + heic.full(b"meta", items))

    assert time.process_time() - started < 1


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16"])
def test_jxl_pixels(tmp_path: Path, mode: str) -> None:
    """Grey and transparent JPEG XL keep their lightness; 16 bits are light here, by their profile."""
    grey = Image.new("L", (40, 30), 100)
    picture = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257) if mode == "I;16" else grey.convert(mode)

    photo = rendered(tmp_path / "photo", saved(picture, "JXL", lossless=True))

    assert furthest(photo, [(168, 168, 168) if mode == "I;16" else (100, 100, 100)] * 4) <= 1


def test_jxl_that_was_a_jpeg(tmp_path: Path) -> None:
    """A JPEG packed as JPEG XL is shown as the JPEG that it is, with its profile, its EXIF and the quick way."""
    media.wide_gamut(tmp_path / "p3.jpg")
    with Image.open(tmp_path / "p3.jpg") as wide:
        wide.save(tmp_path / "packed.jxl", lossless_jpeg=True)

    photo = rendered(tmp_path / "packed.jxl")

    assert furthest(photo, QUADRANTS) <= 9


MOVING_JXL = bytes.fromhex(
    "ff0a87052500202700130800001001ffffaa020050a132cab8c1cbb99e2f3f74584cdbb8ced056db16963036db0b8384846344cfd4a6867b"
    "f339451000e0813d080070930294020064584d28800500002a490000130800001801ffffaa020050a132cab8c1cbb99e2f3f74584cdbb8ce"
    "d056db16963036db0b8384846306b7458aa47936090080bbc51063e10100379ac10e162600408652860650000040250900132800000001ff"
    "ffaa020050a132cab8c1cbb99e2f3f74584cdbb8ced056db16963036db0b83848453c4dd5e0954f3e054000000008083681000800ca30e2b"
    "600000804a1200"
)
"""Red, green and blue, one after the other."""


def test_jxl_that_moves(tmp_path: Path) -> None:
    """A moving JPEG XL is known to move; of its frames the decoder gives the last."""
    photo = rendered(tmp_path / "photo", MOVING_JXL)

    assert (photo.width, photo.height) == (40, 32)
    assert photo.frames > 1
    assert furthest(photo, [(30, 30, 200)] * 4) <= 3


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("packed", [True, False])
def test_psd_depths(tmp_path: Path, depth: int, packed: bool) -> None:
    """A Photoshop file of 8 or 16 bits a channel, packed or not, keeps its colours."""
    photo = rendered(tmp_path / "photo", psd.psd(media.quadrants(), depth=depth, packed=packed))

    assert (photo.width, photo.height) == (480, 320)
    assert furthest(photo, QUADRANTS) <= 2


@pytest.mark.parametrize("mode", ["1", "L", "P", "LAB"])
def test_psd_modes(tmp_path: Path, mode: str) -> None:
    """Dots, grey, palettes and Lab are shown as what they stand for."""
    stored, wanted = {
        "1": (Image.new("1", (61, 48), 1), [(255, 255, 255)] * 4),
        "L": (Image.new("L", (64, 48), 100), [(100, 100, 100)] * 4),
        "P": (media.quadrants().quantize(16), QUADRANTS),
        "LAB": (Image.merge("LAB", [Image.new("L", (64, 48), value) for value in (137, 0, 0)]), [media.GREY] * 4),
    }[mode]

    photo = rendered(tmp_path / "photo", psd.psd(stored, depth=1 if mode == "1" else 8))

    assert furthest(photo, wanted) <= 3


@pytest.mark.parametrize("depth", [8, 16])
def test_psd_inks(tmp_path: Path, depth: int) -> None:
    """Photoshop counts ink the other way round; white paper is white, and red ink is red."""
    inks = np.zeros((48, 64, 4), np.uint8)
    inks[:24, :32] = (0, 255, 255, 0)  # red above left, all else is paper

    photo = rendered(tmp_path / "photo", psd.psd(Image.fromarray(inks, "CMYK"), depth=depth))

    red, *paper = corners(photo)
    assert red[0] > 180
    assert max(red[1:]) < 80
    assert min(min(colour) for colour in paper) > 250


def test_psd_blocks(tmp_path: Path) -> None:
    """The colour profile, EXIF and what layers leave transparent are taken from their blocks."""
    wide = Image.open(media.wide_gamut(tmp_path / "p3.png")).convert("RGBA")
    wide.putalpha(Image.new("L", wide.size, 255))
    blocks = {1039: media.profile_of("p3"), 1058: media.everything().removeprefix(b"Exif\0\0")}

    photo = rendered(tmp_path / "photo", psd.psd(wide, beside=blocks))

    assert furthest(photo, QUADRANTS) <= 4
    assert photo.metadata.camera_model == "Model"
    assert Image.open(io.BytesIO(photo.thumbnails["small"].data)).mode in ("RGB", "RGBA")


@pytest.mark.parametrize("profile", [b"nonsense" * 400, media.profile_of("p3")], ids=["broken", "another space's"])
def test_profiles_that_cannot_be_meant(tmp_path: Path, profile: bytes) -> None:
    """A profile that is broken or of another kind of colours is ignored, and Lab needs none."""
    flat = Image.merge("LAB", [Image.new("L", (64, 48), value) for value in (137, 0, 0)])
    grey, inks = media.quadrants().convert("L"), media.quadrants().convert("CMYK")

    for picture in (flat, grey, inks):
        plain, strange = (rendered(tmp_path / "photo", psd.psd(picture, beside=told)) for told in ({}, {1039: profile}))
        assert plain.thumbnails == strange.thumbnails


def test_heic_with_a_broken_profile(tmp_path: Path) -> None:
    """A HEIC is shown as sRGB where its profile is nonsense."""
    photo = rendered(tmp_path / "photo", heic.heic(media.quadrants(), Heic(profile=b"nonsense" * 400)))

    assert furthest(photo, QUADRANTS) <= 3


def test_psd_without_its_picture(tmp_path: Path) -> None:
    """A Photoshop file that was saved as layers only says so."""
    content = psd.psd(media.quadrants(), beside={1057: struct.pack(">IB", 1, 0)})

    with pytest.raises(Unreadable, match="without the picture that its layers make together"):
        rendered(tmp_path / "photo", content)


def test_psd_that_nobody_shows(tmp_path: Path) -> None:
    """Floating-point Photoshop files are refused by name."""
    content = bytearray(psd.psd(media.quadrants()))
    content[22:24] = struct.pack(">H", 32)

    with pytest.raises(Unreadable, match="mode 3 with 32 bits a channel"):
        rendered(tmp_path / "photo", bytes(content))


DEEP_JP2 = (
    "0000000c6a5020200d0a870a00000014667479706a703220000000006a7032200000002d6a70326800000016696864720000002000000028"
    "00030f0700000000000f636f6c7201000000000010000000be6a703263ff4fff51002f000000000028000000200000000000000000000000"
    "2800000020000000000000000000030f01010f01010f0101ff52000c00000001000504040001ff5c00134080888890888890888890888890"
    "888890ff640025000143726561746564206279204f70656e4a5045472076657273696f6e20322e352e34ff90000a0000000000370001ff93"
    "cffc30100265b0fccffc3014088b1a781dcffc30140885c0687f808080808080808080808080808080ffd9"
)
"""One red picture of 40 x 32 pixels with 16 bits a channel."""


def test_jp2_of_16_bits(tmp_path: Path) -> None:
    """Sixteen bits a channel become eight."""
    photo = rendered(tmp_path / "photo", bytes.fromhex(DEEP_JP2))

    assert furthest(photo, [media.RED] * 4) <= 2


@pytest.mark.parametrize("size", [(4000, 2000), (4001, 2003), (3999, 2100)])
def test_jp2_is_decoded_as_small_as_will_do(tmp_path: Path, size: tuple[int, int]) -> None:
    """A large JPEG 2000 looks the same whether the decoder can halve it or not."""
    content = saved(media.quadrants(*size), "JPEG2000")

    photo = rendered(tmp_path / "photo", content)

    assert (photo.width, photo.height) == size
    assert (photo.thumbnails["large"].width, photo.thumbnails["large"].height) == (
        1920,
        round(size[1] / size[0] * 1920),
    )
    assert furthest(photo, QUADRANTS) <= 3


def test_jp2_profile_and_metadata(tmp_path: Path) -> None:
    """The colour profile and the blocks of a JPEG 2000 are read from its boxes."""
    wide = Image.fromarray(np.asarray(Image.open(media.wide_gamut(tmp_path / "p3.png"))))
    content = saved(wide, "JPEG2000")
    colours = box(b"colr", b"\2\0\0" + media.profile_of("p3"))
    plain = box(b"colr", b"\1\0\0" + struct.pack(">I", 16))
    header = content.index(b"jp2h") - 4
    (length,) = struct.unpack_from(">I", content, header)
    boxes = content[header + 8 : header + length]
    assert plain in boxes
    changed = box(b"jp2h", boxes.replace(plain, colours))
    exif = box(b"uuid", b"JpgTiffExif->JP2" + media.everything().removeprefix(b"Exif\0\0"))

    photo = rendered(tmp_path / "photo", content[:header] + changed + exif + content[header + length :])

    assert furthest(photo, QUADRANTS) <= 4
    assert photo.metadata.camera_model == "Model"


@pytest.mark.parametrize("suffix", [".heic", ".jxl", ".jp2", ".psd", ".bmp"])
@pytest.mark.parametrize("share", [0.001, 0.02, 0.5, 0.9])
def test_cut_files_are_unreadable(tmp_path: Path, suffix: str, share: float) -> None:
    """A file that ends too early is refused with a sentence."""
    content = media.saved(media.noise(600, 400), suffix)
    (tmp_path / "photo").write_bytes(content[: int(len(content) * share)])
    mime = sniff.sniff(content[: sniff.HEAD_BYTES])
    assert mime is not None

    with pytest.raises(Unreadable, match=r"^the file is damaged: \w+"), (tmp_path / "photo").open("rb") as file:
        media.shown(images.render(file, mime.mime_type))


@REAL
@pytest.mark.parametrize(
    ("name", "size", "model"),
    [
        ("heic/IMG_2682.heic", (4032, 3024), "iPhone 7"),
        ("motionphoto/samsung-one-ui-6.heic", (3000, 4000), "SM-S906U"),
        ("heic/wrong-extension-jpeg.heic", (500, 500), "Canon EOS 6D"),
        ("jxl/8bit-sRGB.jxl", (1440, 1080), None),
        ("jxl/16bit-HDR-P3-nclx.jxl", (5667, 3685), None),
        ("avif/10bit-HDR-P3-nclx.avif", (3681, 5594), None),
        ("webp/denali.webp", (600, 315), "Canon EOS 7D"),
    ],
)
def test_real_files(name: str, size: tuple[int, int], model: str | None) -> None:
    """Real files of every format are shown in their size, with what their cameras wrote."""
    photo = rendered(real("formats/" + name))

    assert (photo.width, photo.height) == size
    assert photo.metadata.camera_model == model


@REAL
@pytest.mark.parametrize("name", ["heic/IMG_2682.heic", "jxl/8bit-sRGB.jxl"])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.6, 0.99])
def test_real_files_that_end_too_early(tmp_path: Path, name: str, share: float) -> None:
    """A real file that was not copied to its end is refused with a sentence."""
    content = real("formats/" + name).read_bytes()

    with pytest.raises(Unreadable, match=r"^the file is damaged: \w+"):
        rendered(tmp_path / "photo", content[: max(100, int(len(content) * share))])
