"""What cameras write, read where no file can be opened any more, and as real cameras wrote it."""

import os
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio
from PIL.ExifTags import Base

from processor import images, sandbox
from processor.metadata import Metadata, where
from processor.sandbox import Sandbox
from tests.support import media
from tests.unit.test_makers import BURST, IDENTIFIER, of_apple, of_nikon, with_count, with_note

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one sandbox for all


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def box() -> AsyncIterator[Sandbox]:
    async with sandbox.open(2) as opened:
        yield opened


async def read(box: Sandbox, path: Path, mime: str = "image/jpeg") -> Metadata:
    """What a photo's file says of it, with its place and zone."""
    photo = await box.run(images.render, path, mime, {"file_name": path.name}, owner=1)
    return where.located(photo.metadata)


def photo(folder: Path, exif: bytes) -> Path:
    path = folder / "photo.jpg"
    media.quadrants().save(path, exif=exif)
    return path


async def test_makers_words_are_read_in_the_sandbox(box: Sandbox, tmp_path: Path) -> None:
    """Their parsers load nothing late."""
    note = of_apple({0x0B: BURST.encode(), 0x11: IDENTIFIER.encode()})

    iphone = await read(box, photo(tmp_path, with_note("Apple", note)))
    nikon = await read(box, photo(tmp_path, with_note("NIKON CORPORATION", of_nikon((240, 1200, 40, 40)))))

    assert (iphone.content_identifier, iphone.burst_identifier, iphone.notes) == (IDENTIFIER, BURST, ())
    assert (nikon.lens_model, nikon.notes) == ("24-120mm f/4", ())


@pytest.mark.parametrize("maker", ["Canon", "NIKON CORPORATION"])
async def test_a_hostile_block_costs_the_photo_nothing(box: Sandbox, tmp_path: Path, maker: str) -> None:
    """A maker's block without an end is noted, and the photo is shown like any other."""
    path = photo(tmp_path, with_count(with_note(maker, b"x" * 900), 0xFFFFFFF0, 4))
    begun = time.monotonic()

    seen = await read(box, path)

    assert time.monotonic() - begun < 25
    assert seen.camera_make is not None
    assert seen.notes


async def test_times_in_names_are_read_in_the_sandbox(box: Sandbox, tmp_path: Path) -> None:
    """A photo without a word from its camera has the time that its name tells."""
    path = tmp_path / "PXL_20240517_160311123.jpg"
    media.quadrants().save(path, exif=media.exif(gps=media.somewhere()))

    seen = await read(box, path)

    assert seen.taken_at == datetime(2024, 5, 17, 18, 3, 11, 123_000)  # noqa: DTZ001 - by the clock on the wall
    assert (seen.offset_minutes, seen.time_zone, seen.city) == (120, "Europe/Paris", "Paris")


async def test_a_lens_of_strangers_words_is_cleaned(box: Sandbox, tmp_path: Path) -> None:
    """Whatever stands in a text, what is kept of it is short and shows what it is."""
    lens = b"\xe2\x80\xaegpj.exe\x07" + b"x" * 50_000

    seen = await read(box, photo(tmp_path, media.exif(camera={Base.LensModel: lens, Base.UserComment: b"y" * 9_000})))

    assert (seen.lens_model or "")[:7] == "gpj.exe"
    assert all(len((written or "").encode()) <= 4096 for written in (seen.lens_model, seen.description))


@pytest.mark.skipif("LUMILIO_TEST_MEDIA" not in os.environ, reason="real photos are not here")
@pytest.mark.parametrize(
    ("name", "mime", "expected"),
    [
        (
            "metadata/gps-position/thompson-springs.jpg",
            "image/jpeg",
            ("Palisade", "America/Denver", None, "Canon EF 24-105mm f/4L IS II USM", 15),
        ),
        (
            "formats/heic/IMG_2682.heic",
            "image/heic",
            ("Ralston", "America/Chicago", "iPhone 7", "iPhone 7 back camera 3.99mm f/1.8", 11),
        ),
    ],
)
async def test_real_photos(box: Sandbox, name: str, mime: str, expected: tuple[str | int | None, ...]) -> None:
    """Town, zone, camera, lens and hour of photos that people took."""
    seen = await read(box, Path(os.environ["LUMILIO_TEST_MEDIA"], name), mime)

    assert seen.taken_at is not None
    assert (seen.city, seen.time_zone, seen.camera_model, seen.lens_model, seen.taken_at.hour) == expected
