"""When, where and with what: every row of the documented tables."""

import re
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL.ExifTags import GPS, Base
from PIL.TiffImagePlugin import IFDRational

from processor import metadata
from processor.metadata import Metadata, file_names, where
from tests.support import media
from tests.unit.test_makers import BURST, IDENTIFIER, of_apple, of_nikon

PAGE = Path(__file__).parents[2] / "docs" / "metadata.md"
SECTIONS = {"When", "In which zone", "Where", "With what"}
ROW = re.compile(r"^\| `([a-z-]+)` \|", re.MULTILINE)
NOON = "2024:05:17 12:00:00"
MAKER_NOTE = 0x927C
PARIS = (48.8583, 2.2944)
OTHER = "the GPS clock says that the camera's clock was in another zone than the position is"


def at(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - by the clock on the wall


def position(latitude: float, longitude: float) -> dict[int, Any]:
    sides = {GPS.GPSLatitudeRef: "S" if latitude < 0 else "N", GPS.GPSLongitudeRef: "W" if longitude < 0 else "E"}
    return sides | {GPS.GPSLatitude: (abs(latitude), 0.0, 0.0), GPS.GPSLongitude: (abs(longitude), 0.0, 0.0)}


def clock(hour: float, minute: float, second: float = 0, day: str = "2024:05:17") -> dict[int, Any]:
    return {GPS.GPSDateStamp: day, GPS.GPSTimeStamp: (hour, minute, second)}


def seen(
    camera: dict[int, Any] | None = None,
    gps: Any = None,
    *,
    main: dict[int, Any] | None = None,
    name: str = "",
    modified: datetime | None = None,
) -> Metadata:
    told = metadata.Told(file_name=name, modified=modified)
    return where.located(metadata.read(metadata.Blobs(exif=media.exif(main, camera, gps)), told, orientation=1))


def when(found: Metadata) -> tuple[Any, ...]:
    return found.taken_at, found.taken_from, found.offset_minutes, found.offset_from


def noon_at(gps: dict[int, Any], written: str = NOON, **more: Any) -> tuple[Any, ...]:
    """The offset of a camera's noon, where it is from, and how many notes there are."""
    found = seen({Base.DateTimeOriginal: written}, gps, **more)
    return found.offset_minutes, found.offset_from, found.notes


def named(name: str) -> tuple[Any, ...]:
    return when(seen(name=name))[:2]


def beside_noon(written: str) -> datetime | None:
    """When a camera's noon was, if a sidecar gives this date."""
    properties = f'<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:DateTimeOriginal="{written}"/>'
    packet = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{properties}</rdf:RDF>'.encode()
    blobs = metadata.Blobs(exif=media.exif(camera=ORIGINAL))
    return metadata.read(blobs, metadata.Told(beside=("xmp",)), orientation=1, beside=[BytesIO(packet)]).taken_at


def place(latitude: float, longitude: float) -> tuple[Any, ...]:
    found = seen(gps=position(latitude, longitude))
    return found.country, found.country_code, found.region, found.city, found.time_zone


ORIGINAL: dict[int, Any] = {Base.DateTimeOriginal: NOON, Base.SubsecTimeOriginal: "25"}
DIGITIZED: dict[int, Any] = {Base.DateTimeDigitized: NOON, Base.SubsecTimeDigitized: "5"}
LATE = at(2024, 5, 18, 9)
TWICE, SKIPPED = "2024:10:27 02:30:00", "2024:03:31 02:30:00"
NOT_READABLE = "was not readable"

CASES: dict[str, Any] = {
    "original": lambda: (
        when(seen(ORIGINAL | DIGITIZED))[:2],
        (at(2024, 5, 17, 12, 0, 0, 250_000), "DateTimeOriginal"),
    ),
    "digitized": lambda: (
        when(seen(DIGITIZED, clock(1, 0), name="20200101_000000.jpg"))[:2],
        (at(2024, 5, 17, 12, 0, 0, 500_000), "DateTimeDigitized"),
    ),
    "changed-by-program": lambda: (when(seen(main={Base.DateTime: NOON})), (None,) * 4),
    "satellites": lambda: (
        when(seen(gps=clock(10, 0, 1.5), name="20200101_000000.jpg")),
        (at(2024, 5, 17, 10, 0, 1, 500_000), "GPSDateTime", 0, "GPSDateTime"),
    ),
    "part": lambda: (
        [beside_noon(written) for written in ("2024", "2024-05", "2024-05-17", "2024-05-17T12:00", "1985", "2024-06")],
        [at(2024, 5, 17, 12, 0, 0, 250_000)] * 4 + [at(1985, 1, 1), at(2024, 6, 1)],
    ),
    "name": lambda: (
        when(seen(name="IMG_20240517_180311.jpg", modified=LATE)),
        (at(2024, 5, 17, 18, 3, 11), "FileName", None, None),
    ),
    "name-pixel": lambda: (
        when(seen(gps=position(*PARIS), name="PXL_20240517_160311123.jpg")),
        (at(2024, 5, 17, 18, 3, 11, 123_000), "FileName", 120, "GPSPosition"),
    ),
    "name-day": lambda: (named("IMG-20240517-WA0001.jpg"), (at(2024, 5, 17), "FileNameDay")),
    "name-number": lambda: (
        [
            named(name)
            for name in ("1715965391123.jpg", "a_1920x1080.jpg", "+4917012345678.jpg", "19450508.jpg", "DSC01234.jpg")
        ],
        [(None, None)] * 5,
    ),
    "file": lambda: (when(seen(modified=LATE)), (LATE, "FileModifyDate", 0, "FileModifyDate")),
    "impossible": lambda: (
        [
            (found.taken_at, len(found.notes))
            for written in ("0000:00:00 00:00:00", "2024:13:01 00:00:00", "42603:01:01 00:00:00", "    :  :     :  :  ")
            for found in [seen({Base.DateTimeOriginal: written})]
        ],
        [(None, 1)] * 4,
    ),
    "offset-original": lambda: (
        when(seen(ORIGINAL | {Base.OffsetTimeOriginal: "+05:30", Base.OffsetTime: "+01:00"}, position(*PARIS)))[2:],
        (330, "OffsetTimeOriginal"),
    ),
    "offset-time": lambda: (when(seen(ORIGINAL | {Base.OffsetTime: "-03:00"}))[2:], (-180, "OffsetTime")),
    "offset-position": lambda: (
        [noon_at(position(*PARIS), written) for written in (NOON, "2024:01:17 12:00:00", "1942:08:01 12:00:00")],
        [(120, "GPSPosition", ()), (60, "GPSPosition", ()), (120, "GPSPosition", ())],
    ),
    "offset-twice": lambda: (
        [
            noon_at(position(*PARIS) | moment, TWICE)
            for moment in ({}, clock(0, 30, day="2024:10:27"), clock(1, 30, day="2024:10:27"))
        ],
        [(120, "GPSPosition", ()), (120, "GPSPosition", ()), (60, "GPSPosition", ())],
    ),
    "offset-skipped": lambda: (noon_at(position(*PARIS), SKIPPED), (60, "GPSPosition", ())),
    "offset-other": lambda: (noon_at(position(40.7, -74.0) | clock(10, 0)), (-240, "GPSPosition", (OTHER,))),
    "offset-satellites": lambda: (
        [noon_at(clock(10, 0)), noon_at(position(35.0, -40.0) | clock(10, 0))],
        [(120, "GPSDateTime", ())] * 2,
    ),
    "offset-sea": lambda: (
        [noon_at(position(35.0, -40.0)), when(seen(gps=clock(10, 0) | position(35.0, -40.0)))[2:]],
        [(None, None, ()), (0, "GPSDateTime")],
    ),
    "offset-misfit": lambda: (noon_at(clock(10, 7)), (None, None, ("the GPS clock fits no time zone",))),
    "offset-greenwich": lambda: (
        [when(seen(gps=clock(22, 0) | position(*PARIS))), when(seen(gps=position(*PARIS), modified=LATE))],
        [
            (at(2024, 5, 18, 0, 0), "GPSDateTime", 120, "GPSPosition"),
            (at(2024, 5, 18, 11), "FileModifyDate", 120, "GPSPosition"),
        ],
    ),
    "offset-impossible": lambda: (when(seen(ORIGINAL | {Base.OffsetTimeOriginal: "+99:00"}))[2:], (None, None)),
    "place": lambda: (
        [place(*PARIS), place(48.8847, 2.2691)],
        [("France", "FR", "Île-de-France", town, "Europe/Paris") for town in ("Paris", "Neuilly-sur-Seine")],
    ),
    "place-none": lambda: (
        [place(67.5, -35.0), place(-90.0, 0.0)],
        [(None, None, None, None, zone) for zone in ("America/Nuuk", "Antarctica/McMurdo")],
    ),
    "zone-sea": lambda: (place(35.0, -40.0), (None,) * 5),
    "place-date-line": lambda: (place(-16.8, 179.9999)[:4], place(-16.8, -179.9999)[:4]),
    "place-zero": lambda: (
        [(found.gps_latitude, found.time_zone, len(found.notes)) for found in [seen(gps=position(0, 0))]],
        [(None, None, 1)],
    ),
    "place-impossible": lambda: (
        [
            (found.gps_latitude, found.time_zone)
            for gps in (
                position(91, 0),
                media.somewhere(latitude=(IFDRational(1, 0), 0.0, 0.0)),
                {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (48.0, 0.0, 0.0)},
            )
            for found in [seen(gps=gps)]
        ],
        [(None, None)] * 3,
    ),
    "make": lambda: (
        [seen(main={Base.Make: make}).camera_make for make in ("NIKON CORPORATION\0", "SONY", "Lomo  Works")],
        ["Nikon", "Sony", "Lomo Works"],
    ),
    "model": lambda: (
        [
            seen(main={Base.Make: make, Base.Model: model}).camera_model
            for make, model in (("NIKON CORPORATION", "NIKON D750 "), ("Apple", "iPhone 15"), ("SONY", "ILCE-7M4"))
        ],
        ["Nikon D750", "iPhone 15", "ILCE-7M4"],
    ),
    "lens": lambda: (
        [seen({Base.LensModel: lens}).lens_model for lens in ("EF100mm f/2.8L\0\0", "----", "")],
        ["EF100mm f/2.8L", None, None],
    ),
    "lens-maker": lambda: (
        seen({MAKER_NOTE: of_nikon((240, 1200, 40, 40))}, main={Base.Make: "NIKON"}).lens_model,
        "24-120mm f/4",
    ),
    "lens-measures": lambda: (seen({Base.LensSpecification: (24.0, 105.0, 4.0, 4.0)}).lens_model, "24-105mm f/4"),
    "live": lambda: (
        [
            (found.content_identifier, found.burst_identifier)
            for found in [seen({MAKER_NOTE: of_apple({0x0B: BURST.encode(), 0x11: IDENTIFIER.encode()})})]
        ],
        [(IDENTIFIER, BURST)],
    ),
}


@pytest.mark.parametrize("row", CASES)
def test_what_the_tables_say_is_so(row: str) -> None:
    """What is read is what its row in the documentation says."""
    found, expected = CASES[row]()

    assert found == expected


def test_every_row_is_tried() -> None:
    """No row is written that nothing tries, and nothing is tried that no row tells."""
    sections = PAGE.read_text(encoding="utf-8").split("\n## ")
    told = [row for section in sections if section.partition("\n")[0] in SECTIONS for row in ROW.findall(section)]

    assert sorted(told) == sorted(CASES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("VID_20240517_180311.mp4", at(2024, 5, 17, 18, 3, 11)),
        ("MVIMG_20240517_180311.jpg", at(2024, 5, 17, 18, 3, 11)),
        ("20240517_180311.heic", at(2024, 5, 17, 18, 3, 11)),
        ("20240517_180311(0).jpg", at(2024, 5, 17, 18, 3, 11)),
        ("Screenshot_2024-05-17-18-03-11-123_com.app.png", at(2024, 5, 17, 18, 3, 11)),
        ("Screenshot_20240517-180311.png", at(2024, 5, 17, 18, 3, 11)),
        ("Screenshot 2024-05-17 at 18.03.11.png", at(2024, 5, 17, 18, 3, 11)),
        ("2024-05-17 18.03.11.jpg", at(2024, 5, 17, 18, 3, 11)),
        ("2024-05-17 18.03.11-1.jpg", at(2024, 5, 17, 18, 3, 11)),
        ("signal-2024-05-17-180311.jpg", at(2024, 5, 17, 18, 3, 11)),
        ("signal-2024-05-17-18-03-11-123.jpg", at(2024, 5, 17, 18, 3, 11)),
        ("Photo_2024-05-17_18-03-11.jpg", at(2024, 5, 17, 18, 3, 11)),
        ("Photo_2024-05-17.jpg", at(2024, 5, 17)),
        ("00100dPORTRAIT_00100_BURST20240517180311123_COVER.jpg", at(2024, 5, 17, 18, 3, 11, 123_000)),
        ("scan 1945-05-08.jpg", at(1945, 5, 8)),
        ("IMG_20241317_180311.jpg", None),
        ("IMG_20240517_256199.jpg", at(2024, 5, 17)),
        ("FB_IMG_1715965391123.jpg", None),
        ("tel 0170-1234567.jpg", None),
        ("3840x2160_2560x1440.png", None),
        ("99999999_999999.jpg", None),
        ("12345678901234567890.jpg", None),
        ("IMG_0001.jpg", None),
        ("\u0662\u0660\u0662\u0664-05-17.jpg", None),
        ("x" * 100_000, None),
        ("", None),
    ],
)
def test_times_in_names(name: str, expected: datetime | None) -> None:
    """Names as phones, cameras and messengers give them are times; other numbers are not."""
    found = file_names.moment(name)

    assert (found and found.at) == expected


@given(some.floats(-90, 90), some.floats(-180, 180))
@settings(deadline=None)
def test_every_position_is_somewhere_or_nowhere(latitude: float, longitude: float) -> None:
    """No position on the globe fails, and its zone, if it has one, has rules."""
    where.place_of(latitude, longitude)
    zone = where.zone_of(latitude, longitude)

    assert zone is None or abs(where.offset_at(zone, at(2024, 5, 17, 12))) <= 14 * 60


@given(some.text(max_size=40), some.datetimes(datetime(1826, 1, 1), datetime(2100, 12, 31)))  # noqa: DTZ001
@settings(deadline=None)
def test_no_name_and_no_time_fails(name: str, modified: datetime) -> None:
    """Whatever a file is called and whenever it was changed, there is a time with a source."""
    found = seen(gps=position(*PARIS), name=name, modified=modified)

    assert found.taken_from in {"FileName", "FileNameDay", "FileModifyDate"}


@pytest.mark.parametrize("parts", [(24, 0, 0), (10, 60, 0), (10, 0, 61), (10, 0), (IFDRational(1, 0), 0, 0)])
def test_satellites_times_that_cannot_be(parts: tuple[Any, ...]) -> None:
    """A time of day that no clock shows is none and leaves a note."""
    found = seen(gps={GPS.GPSDateStamp: "2024:05:17", GPS.GPSTimeStamp: parts})

    assert (found.taken_at, len(found.notes)) == (None, 1)
