"""What pictures that belong together have in common, and what is too little for that."""

from datetime import datetime

import pytest

from processor import stacks
from processor.metadata import Metadata, makers
from processor.stacks import StackKey
from tests.support import motions

NOTHING = Metadata()
TAKEN = datetime(2023, 4, 5, 6, 7, 8, 250_000)  # noqa: DTZ001 - a camera knows no zone
CAMERA = Metadata(taken_at=TAKEN, taken_from="DateTimeOriginal", camera_model="Model 1")


def keys(seen: Metadata = NOTHING, *, name: str = "IMG_1.jpg", mime: str = "image/jpeg") -> list[tuple[str, str, str]]:
    return [(key.kind, key.key, key.role) for key in stacks.keys(seen, file_name=name, mime=mime)]


def test_a_photo_of_which_little_is_known_belongs_to_nothing() -> None:
    """A name alone pairs nobody, nor does a time that came from the name or the file."""
    assert keys() == []
    for guess in ("FileModifyDate", "FileName", "FileNameDay"):
        assert keys(Metadata(taken_at=TAKEN, taken_from=guess, camera_model="Model 1")) == []
    assert keys(Metadata(taken_at=TAKEN, taken_from="DateTimeOriginal")) == []
    assert keys(CAMERA, mime="video/mp4") == []


@pytest.mark.parametrize(
    ("raw", "developed"),
    [("DSC_1.NEF", "dsc_1.JPG"), ("PXL_1.RAW-02.ORIGINAL.dng", "PXL_1.RAW-01.MP.COVER.jpg")],
)
def test_a_raw_file_and_its_jpeg_share_a_key(raw: str, developed: str) -> None:
    """Name, second and camera, in whatever letters; fractions of a second are not always in both."""
    ((_, key, role),) = keys(CAMERA, name=raw, mime="image/x-nikon-nef")

    assert keys(CAMERA, name=developed) == [("raw", key, "developed")]
    assert role == "raw"


def test_a_sidecar_that_repeats_the_cameras_time_parts_nobody() -> None:
    """A raw developer writes one beside the raw file and none beside the JPEG."""
    repeated = Metadata(taken_at=TAKEN, taken_from="sidecar exif:DateTimeOriginal", camera_model="Model 1")

    assert keys(repeated) == keys(CAMERA)


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("00001IMG_00001_BURST20190101120000123_COVER.jpg", "name:20190101120000123"),
        ("00002PORTRAIT_00002_BURST20190101120000123.jpg", "name:20190101120000123"),
        ("IMG_20180520_153045_BURST001_COVER.jpg", "name:img_20180520_153045"),
        ("20160914_164018_Burst02.jpg", "name:20160914_164018"),
        ("Burst.jpg", None),
        ("IMG_BURST1.jpg", None),
        ("my BURST20190101120000123.jpg", None),
    ],
)
def test_names_that_cameras_give_to_bursts(name: str, series: str | None) -> None:
    """Only whole names that no person gives."""
    assert keys(name=name) == ([("burst", series, "frame")] if series else [])


def test_a_key_of_any_length_fits_an_index() -> None:
    """A stranger may write a long one; it still tells its own from others."""
    long = [Metadata(burst_identifier="ü" * 2000 + end) for end in "ab"]

    found = [stacks.keys(seen, file_name="1.jpg", mime="image/jpeg") for seen in (*long, long[0])]

    assert found[0] == found[2] != found[1]
    assert all(isinstance(key, StackKey) and len(key.key.encode()) <= stacks.LONGEST_KEY for (key,) in found)


def test_an_identifier_ends_at_its_first_nul() -> None:
    """No catalogue takes one; a block that says so ends there."""
    note = motions.APPLE + bytes.fromhex("0001 0011 0002 00000004 41004200 00000000")

    assert makers.apple(note) == {"content_identifier": "A"}
