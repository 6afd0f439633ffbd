"""What exiftool says is checked like everything that comes from files, and believed last."""

from datetime import datetime

import pytest

from processor.metadata import Metadata, exiftool


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b"{}", b"[1]", b"[{}, {}]", b'[{"a": ', b"\xff", b"[" * 200_000, b'[{"A:Model": ' + b"[" * 200_000],
)
def test_what_is_no_answer_is_refused(answer: bytes) -> None:
    """Nothing that a program says is taken for more than it is."""
    with pytest.raises(ValueError):
        exiftool.read(answer)


def test_what_cannot_be_true_is_left_out() -> None:
    """Each value is checked by itself, and text is cleaned and shortened."""
    said = exiftool.read(
        b"""[{"IFD0:Make": {"a": 1}, "IFD0:Model": "X100V\\u0000\\u202e evil", "ExifIFD:FNumber": "undef",
        "ExifIFD:ISO": 1e99, "ExifIFD:FocalLength": [], "ExifIFD:ExposureTime": 0, "ExifIFD:LensModel": "%s",
        "ExifIFD:DateTimeOriginal": "0000:00:00 00:00:00", "ExifIFD:CreateDate": "2024:03:09 12:34:56.5+01:00",
        "Composite:GPSLatitude": 91, "Composite:GPSLongitude": 2}]"""
        % (b"x" * 9999)
    )

    assert {name: value for name, value in said.items() if value is not None} == {
        "taken_at": datetime.fromisoformat("2024-03-09T12:34:56.5"),
        "taken_from": "exiftool",
        "offset_minutes": 60,
        "offset_from": "exiftool",
        "camera_model": "X100V evil",
        "lens_model": "x" * 200,
    }


def test_only_what_is_empty_is_filled() -> None:
    """A time is taken with its own offset and a position with its own height, or not at all."""
    known = Metadata(taken_at=datetime.fromisoformat("2020-01-01"), gps_latitude=1.0, gps_longitude=2.0)
    said = exiftool.read(
        b"""[{"A:DateTimeOriginal": "2024:03:09 12:34:56+01:00", "Composite:GPSLatitude": 48.8,
        "Composite:GPSLongitude": 2.3, "Composite:GPSAltitude": 35, "A:Model": "X100V"}]"""
    )

    assert exiftool.filled(known, said) == Metadata(
        taken_at=known.taken_at, gps_latitude=1.0, gps_longitude=2.0, camera_model="X100V"
    )
    assert exiftool.filled(Metadata(), said).altitude == 35
