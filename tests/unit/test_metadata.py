"""What is believed of a photo's EXIF."""

import math
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL.ExifTags import GPS, Base
from PIL.TiffImagePlugin import IFDRational

from processor import metadata
from processor.metadata import Metadata
from processor.metadata.exif import YEARS
from processor.metadata.text import text
from tests.support import media

NOON = "2024:05:17 12:00:00"


def read(
    main: dict[int, Any] | None = None, camera: dict[int, Any] | None = None, gps: dict[int, Any] | None = None
) -> Metadata:
    return read_block(media.exif(main, camera, gps))


def read_block(exif: bytes) -> Metadata:
    return metadata.read(metadata.Blobs(exif=exif), metadata.Told(), orientation=1)


def clock(hour: float, minute: float, second: float, day: str = "2024:05:17") -> dict[int, Any]:
    return {GPS.GPSDateStamp: day, GPS.GPSTimeStamp: (hour, minute, second)}


def test_nothing_is_known_of_nothing() -> None:
    """A photo without EXIF has no facts and no notes."""
    assert read_block(b"") == Metadata()


def test_what_a_camera_writes() -> None:
    """Camera, lens and settings are read into the numbers and words that people use."""
    seen = read(
        {Base.Make: "Canon\0\0", Base.Model: "  Canon  EOS 6D ", Base.Orientation: 6, Base.ImageDescription: "At sea"},
        {
            Base.LensModel: "EF100mm f/2.8L",
            Base.ExposureTime: IFDRational(1, 250),
            Base.FNumber: IFDRational(28, 10),
            Base.ISOSpeedRatings: 400,
            Base.FocalLength: IFDRational(100, 1),
            Base.ExposureBiasValue: IFDRational(-2, 3),
        },
    )

    assert (seen.camera_make, seen.camera_model, seen.lens_model) == ("Canon", "Canon EOS 6D", "EF100mm f/2.8L")
    assert (seen.exposure_time, seen.f_number, seen.iso_speed, seen.focal_length) == ("1/250", 2.8, 400, 100.0)
    assert seen.exposure == pytest.approx(-2 / 3)
    assert (seen.description, seen.notes) == ("At sea", ())


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        ((1, 250), "1/250"),
        ((10, 2500), "1/250"),
        ((1, 3), "0.3333"),
        ((1, 2), "0.5"),
        ((30, 1), "30"),
        ((13, 10), "1.3"),
    ],
)
def test_exposure_times_are_written_as_people_do(seconds: tuple[int, int], written: str) -> None:
    """Short times are fractions of one, long ones decimal seconds."""
    assert read(camera={Base.ExposureTime: IFDRational(*seconds)}).exposure_time == written


def test_capture_time_is_the_wall_clock() -> None:
    """The capture time is local, exact to what was written, and the camera's word for the zone comes first."""
    seen = read(
        camera={
            Base.DateTimeOriginal: NOON,
            Base.SubsecTimeOriginal: "25",
            Base.OffsetTimeOriginal: "+05:30",
            Base.DateTimeDigitized: "2025:01:01 00:00:00",
        },
        gps=clock(10, 0, 0),
    )

    assert seen.taken_at == datetime(2024, 5, 17, 12, 0, 0, 250_000)  # noqa: DTZ001 - the wall's clock has no zone
    assert (seen.taken_from, seen.offset_minutes, seen.offset_from) == ("DateTimeOriginal", 330, "OffsetTimeOriginal")


@pytest.mark.parametrize(
    ("gps", "minutes"),
    [
        (clock(10, 0, 0), 120),
        (clock(10, 0, 41), 120),
        (clock(6, 15, 0), 345),
        (clock(21, 0, 0), -540),
        (clock(22, 0, 0, "2024:05:16"), 840),
        (clock(10, 7, 0), None),
        (clock(12, 0, 0, "2024:05:16"), None),
    ],
)
def test_satellites_tell_the_zone(gps: dict[int, Any], minutes: int | None) -> None:
    """Without the camera's word, the GPS clock tells the offset if it fits a time zone that exists."""
    seen = read(camera={Base.DateTimeOriginal: NOON}, gps=gps)

    assert seen.offset_minutes == minutes
    assert seen.offset_from == (None if minutes is None else "GPSDateTime")
    assert bool(seen.notes) == (minutes is None)


def test_sources_of_the_capture_time_in_order() -> None:
    """Original, then digitised, then the satellites' time in Greenwich."""
    digitised = read(camera={Base.DateTimeDigitized: NOON}, gps=clock(10, 0, 0))
    satellites = read(camera={Base.DateTimeOriginal: "0000:00:00 00:00:00"}, gps=clock(10, 0, 1.5))

    assert (digitised.taken_from, digitised.offset_minutes) == ("DateTimeDigitized", 120)
    assert satellites.taken_at == datetime(2024, 5, 17, 10, 0, 1, 500_000)  # noqa: DTZ001
    assert (satellites.taken_from, satellites.offset_minutes) == ("GPSDateTime", 0)


@pytest.mark.parametrize(
    "written",
    [
        "0000:00:00 00:00:00",
        "9999:01:01 00:00:00",
        "1825:12:31 23:59:59",
        "2101:01:01 00:00:00",
        "2024:02:30 10:00:00",
        "2024:05:17 25:00:00",
        "    :  :     :  :  ",
        "-1",
        "yesterday",
        "\0\0",
    ],
)
def test_dates_that_cannot_be(written: str) -> None:
    """A date that does not exist, or lies outside 1826 to 2100, is none and leaves a note."""
    seen = read(camera={Base.DateTimeOriginal: written})

    assert seen.taken_at is None
    assert len(seen.notes) == 1


@pytest.mark.parametrize("written", ["+99:00", "+14:30", "+05:75", "x", "5", "+05:30:00", "++1:00"])
def test_offsets_that_cannot_be(written: str) -> None:
    """An offset of no time zone is none, leaves a note, and costs the date nothing."""
    seen = read(camera={Base.DateTimeOriginal: NOON, Base.OffsetTimeOriginal: written})

    assert seen.taken_at is not None
    assert seen.offset_minutes is None
    assert len(seen.notes) == 1


def test_places() -> None:
    """Degrees, minutes and seconds become signed degrees; below the sea is negative."""
    seen = read(
        gps=media.somewhere()
        | {GPS.GPSLatitudeRef: "S", GPS.GPSLongitudeRef: "W", GPS.GPSAltitude: 12.5, GPS.GPSAltitudeRef: b"\x01"}
    )

    assert seen.gps_latitude == pytest.approx(-48.858333)
    assert seen.gps_longitude == pytest.approx(-2.294444)
    assert seen.altitude == -12.5


@pytest.mark.parametrize(
    "gps",
    [
        media.somewhere(latitude=(91.0, 0.0, 0.0)),
        media.somewhere(longitude=(180.0, 0.0, 1.0)),
        media.somewhere(latitude=(IFDRational(1, 0), 0.0, 0.0)),
        media.somewhere(latitude=(IFDRational(0, 0), 0.0, 0.0)),
        media.somewhere(longitude=()),
        media.somewhere() | {GPS.GPSLatitudeRef: "Q"},
        {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (48.0, 0.0, 0.0)},
    ],
)
def test_places_that_cannot_be(gps: dict[int, Any]) -> None:
    """A position off the globe, divided by zero or half missing is none."""
    seen = read(gps=gps)

    assert (seen.gps_latitude, seen.gps_longitude, seen.altitude) == (None, None, None)


@pytest.mark.parametrize("value", [IFDRational(1, 0), IFDRational(0, 0), IFDRational(0, 1)])
def test_numbers_that_cannot_be(value: IFDRational) -> None:
    """Settings that are infinite, undefined or impossible are none and leave a note."""
    seen = read(camera={Base.FNumber: value, Base.ExposureTime: value, Base.FocalLength: value})

    assert (seen.f_number, seen.exposure_time, seen.focal_length) == (None, None, None)
    assert len(seen.notes) == 3


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "café"),
        (b"first\0second", "first"),
        (b"a\x1b[31mred\x07", "a[31mred"),
        ("\u202egpj.exe\u2066".encode(), "gpj.exe"),
        (b"\xed\xa0\x80lone", "í\xa0lone"),
        (b"line one\nline two", "line one\nline two"),
        ("family 👨‍👩‍👧".encode(), "family 👨‍👩‍👧"),
        (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_text_is_cleaned(written: bytes, cleaned: str) -> None:
    """Control, bidirectional and broken characters go; everything else stays as it was written."""
    assert text(written) == cleaned


def test_text_is_short() -> None:
    """No text is longer than 4 KB, and cutting it breaks no character."""
    comment = b"UNICODE\0" + ("é" * 5_000_000).encode("utf-16-le")

    seen = read({Base.ImageDescription: "x" * 60_000}, {Base.UserComment: comment})
    commented = read(camera={Base.UserComment: comment}).description

    assert len(seen.description or "") == 4096
    assert commented == "é" * 2048


@pytest.mark.parametrize(
    ("comment", "description"),
    [
        (b"ASCII\0\0\0On the beach", "On the beach"),
        (b"\0\0\0\0\0\0\0\0On the beach", "On the beach"),
        (b"UNICODE\0" + "Am Strand, schön".encode("utf-16-le"), "Am Strand, schön"),
        (b"UNICODE\0" + "Am Strand, schön".encode("utf-16"), "Am Strand, schön"),
        (b"ASCII\0\0\0" + b" " * 64, None),
        (b"", None),
    ],
)
def test_comments_name_their_character_set(comment: bytes, description: str | None) -> None:
    """A user comment is read in the character set that it names; blanks say nothing."""
    assert read(camera={Base.UserComment: comment}).description == description


WHOLE = media.everything()


@given(some.lists(some.tuples(some.integers(0, len(WHOLE) - 1), some.integers(0, 255)), min_size=1, max_size=12))
def test_damage_never_fails(changes: list[tuple[int, int]]) -> None:
    """Whatever bytes of the block are wrong, reading it ends well and believes only what can be true."""
    damaged = bytearray(WHOLE)
    for place, value in changes:
        damaged[place] = value

    seen = read_block(bytes(damaged))

    assert seen.gps_latitude is None or -90 <= seen.gps_latitude <= 90
    assert seen.f_number is None or math.isfinite(seen.f_number)
    assert seen.taken_at is None or seen.taken_at.year in YEARS
    assert "\0" not in (seen.description or "")


@given(some.binary(max_size=400), some.sampled_from([b"", b"Exif\0\0", b"Exif\0\0II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"]))
def test_anything_can_be_read(content: bytes, start: bytes) -> None:
    """No bytes at all make the reader fail."""
    assert read_block(start + content).taken_from in {None, "DateTimeOriginal", "DateTimeDigitized", "GPSDateTime"}
