"""What a camera wrote in an EXIF block: a stranger's text and numbers, so nothing is believed unchecked."""

import encodings.utf_16_le  # noqa: F401 - where metadata is read nothing can be imported any more
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO, TypeVar

from PIL import TiffImagePlugin  # noqa: F401
from PIL.ExifTags import GPS, IFD, Base
from PIL.Image import Exif

from processor.metadata import cameras, keywords, makers, rating
from processor.metadata.record import Moment, Said, Values
from processor.metadata.text import TEXT_BYTES, caption, cleaned, line, line_of, number, text

Tags = Mapping[int, Any]
Value = TypeVar("Value")

MAIN = {
    *(Base.Make, Base.Model, Base.Orientation, Base.ImageDescription, Base.Rating, Base.RatingPercent),
    *(Base.XPTitle, Base.XPComment, Base.XPKeywords, Base.XPSubject),
}
DATE = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
OFFSET = re.compile(r"([+-])(\d\d):([0-5]\d)", re.ASCII)
YEARS = range(1826, 2101)  # from the first photograph that survived
FURTHEST_OFFSET = 14 * 60  # minutes, of the time zones there are


class Reader:
    """The tags of one picture, and the notes taken while reading them."""

    def __init__(self, exif: bytes | BinaryIO) -> None:
        self.notes: list[str] = []
        self.parsed = Exif()
        self.block = exif if isinstance(exif, bytes) else b""
        self.attempt("EXIF", lambda: self.load(exif))
        self.main: Tags = self.attempt("IFD0", self.known) or {}
        self.camera: Tags = self.attempt("Exif IFD", lambda: dict(self.parsed.get_ifd(IFD.Exif))) or {}
        self.gps: Tags = self.attempt("GPS IFD", lambda: dict(self.parsed.get_ifd(IFD.GPSInfo))) or {}

    def load(self, exif: bytes | BinaryIO) -> None:
        if isinstance(exif, bytes):
            self.parsed.load(exif)
        else:
            exif.seek(0)
            self.parsed.load_from_fp(exif)

    def known(self) -> Tags:
        """The tags that we read, for a TIFF's own may be as long as its picture."""
        return {tag: self.parsed[tag] for tag in MAIN & self.parsed.keys()}

    def attempt(self, name: str, reading: Callable[[], Value]) -> Value | None:
        """What the reading yields, or None and a note."""
        try:
            return reading()
        except Exception as error:  # noqa: BLE001 - a stranger's bytes may break a parser in any way
            self.notes.append(f"{name} was not readable: {cleaned(str(error))[:200]}")
            return None

    def read(self, tags: Tags, tag: Base | GPS, convert: Callable[[Any], Value]) -> Value | None:
        """A tag's value, None without a note if it is absent, None with a note if it makes no sense."""
        if tags.get(tag) in (None, "", b""):
            return None
        return self.attempt(tag.name, lambda: convert(tags[tag]))


def read(exif: bytes | BinaryIO) -> tuple[Said, list[str]]:
    """All that an EXIF block, or the TIFF file that is one, says and that can be true, and notes; never fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the parser's remarks on broken blocks; our notes say it better
        reader = Reader(exif)
        instant = reader.attempt("GPS clock", lambda: gps_clock(reader.gps))
        said = Said(
            moments=tuple(moments(reader)), instant=instant, **camera(reader), **wording(reader), **place(reader)
        )
        return said, reader.notes


def moments(reader: Reader) -> Iterator[Moment]:
    """When the picture was taken and when it was digitized, by the camera's clock."""
    for source, fraction, zone in (
        (Base.DateTimeOriginal, Base.SubsecTimeOriginal, Base.OffsetTimeOriginal),
        (Base.DateTimeDigitized, Base.SubsecTimeDigitized, Base.OffsetTimeDigitized),
    ):
        at = reader.read(reader.camera, source, date)
        if at is not None:
            at += reader.read(reader.camera, fraction, part_of_second) or timedelta()
            minutes, witness = offset_of(reader, zone)
            yield Moment(at=at, source=source.name, offset_minutes=minutes, offset_source=witness)


def offset_of(reader: Reader, tag: Base) -> tuple[int, str] | tuple[None, None]:
    """Minutes east of Greenwich by the camera's word, and where it says so."""
    for name in (tag, Base.OffsetTime):
        minutes = reader.read(reader.camera, name, offset)
        if minutes is not None:
            return minutes, name.name
    return None, None


def camera(reader: Reader) -> Values:
    """Which camera, and how it was set."""
    main, inner = reader.main, reader.camera
    maker = cameras.make(reader.read(main, Base.Make, line))
    return {
        "camera_make": maker,
        "camera_model": cameras.model(reader.read(main, Base.Model, line), maker),
        "lens_model": lens(reader),
        "exposure_time": reader.read(inner, Base.ExposureTime, exposure_time),
        "f_number": reader.read(inner, Base.FNumber, lambda value: number(value, least=0.1, most=1000)),
        "iso_speed": reader.read(inner, Base.ISOSpeedRatings, lambda value: int(number(value, least=1, most=1e7))),
        "focal_length": reader.read(inner, Base.FocalLength, lambda value: number(value, least=0.1, most=1e5)),
        "exposure": reader.read(inner, Base.ExposureBiasValue, lambda value: number(value, least=-100, most=100)),
        **(reader.read(inner, Base.MakerNote, makers.apple) or {}),
        "orientation": reader.read(main, Base.Orientation, lambda value: int(number(value, least=1, most=8))),
    }


def lens(reader: Reader) -> str | None:
    """The lens by its name, by its maker's word, or by what it can do."""
    named = cameras.lens(reader.read(reader.camera, Base.LensModel, line))
    told = named or reader.attempt("MakerNote", lambda: makers.lens(reader.block, str(reader.main.get(Base.Make))))
    if isinstance(told, str) and cameras.lens(line(told)) is not None:
        return line(told)
    measured = told if isinstance(told, list) else reader.camera.get(Base.LensSpecification)
    return reader.attempt("LensSpecification", lambda: cameras.lens_of(measured)) if measured else None


def wording(reader: Reader) -> Values:
    """What a person wrote about the picture, or Windows for one."""
    main = reader.main
    return {
        "title": reader.read(main, Base.XPTitle, lambda value: line_of(wide(value))),
        "description": reader.read(main, Base.ImageDescription, lambda value: caption(text(value) or ""))
        or reader.read(reader.camera, Base.UserComment, lambda value: caption(comment(value) or ""))
        or reader.read(main, Base.XPComment, lambda value: caption(wide(value)))
        or reader.read(main, Base.XPSubject, lambda value: caption(wide(value))),
        "keywords": reader.read(main, Base.XPKeywords, lambda value: keywords.listed(wide(value))) or (),
        "rating": stars_of(reader),
    }


def stars_of(reader: Reader) -> int | None:
    stars = reader.read(reader.main, Base.Rating, lambda value: int(number(value, least=0, most=5)))
    return reader.read(reader.main, Base.RatingPercent, rating.of_percentage) if stars is None else stars


def wide(value: Any) -> str:
    """A text of Windows."""
    return bytes(value)[: 4 * TEXT_BYTES].decode("utf-16-le", "replace").partition("\0")[0]


def place(reader: Reader) -> Values:
    """Where the picture was taken; half a position is none."""
    tags = reader.gps
    latitude = reader.read(tags, GPS.GPSLatitude, lambda value: angle(value, tags.get(GPS.GPSLatitudeRef), most=90))
    longitude = reader.read(tags, GPS.GPSLongitude, lambda value: angle(value, tags.get(GPS.GPSLongitudeRef), most=180))
    if latitude is None or longitude is None:
        return {}
    below = tags.get(GPS.GPSAltitudeRef) in (1, b"\x01")
    altitude = reader.read(tags, GPS.GPSAltitude, lambda value: number(value, least=0, most=100_000))
    return {
        "latitude": latitude,
        "longitude": longitude,
        "altitude": -altitude if below and altitude is not None else altitude,
    }


def date(value: Any) -> datetime:
    """A date as cameras write it, `2024:05:17 18:03:11`."""
    found = DATE.fullmatch(str(value).strip("\0 "))
    if found is None:
        raise ValueError(f"the date {value}")
    year, month, day, hour, minute, second = map(int, found.groups())
    moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a camera knows no zone
    if moment.year not in YEARS:
        raise ValueError(f"the year {moment.year}")
    return moment


def part_of_second(value: Any) -> timedelta:
    digits = str(value).strip("\0 ")[:6]
    return timedelta(microseconds=round(int(digits) * 10 ** (6 - len(digits)))) if digits.isdecimal() else timedelta()


def offset(value: Any) -> int:
    """Minutes from `+05:30` or `Z`."""
    written = str(value).strip("\0 ")
    if written == "Z":
        return 0
    found = OFFSET.fullmatch(written)
    if found is None or (total := int(found[2]) * 60 + int(found[3])) > FURTHEST_OFFSET:
        raise ValueError(f"the offset {written}")
    return -total if found[1] == "-" else total


def gps_clock(tags: Tags) -> datetime | None:
    """The time in Greenwich when the picture was taken, by the satellites."""
    if not tags.get(GPS.GPSDateStamp) or not tags.get(GPS.GPSTimeStamp):
        return None
    hours, minutes, seconds = (
        number(part, least=0, most=most) for part, most in zip(tags[GPS.GPSTimeStamp], (23, 59, 60), strict=True)
    )
    day = date(f"{str(tags[GPS.GPSDateStamp]).strip(chr(0) + ' ')} 00:00:00")
    return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def exposure_time(value: Any) -> str:
    """Seconds as people write them: `1/250`, `0.5`, `30`."""
    seconds = number(value, least=1e-7, most=1e6)
    return f"1/{round(1 / seconds)}" if seconds < 0.3 else f"{seconds:.4g}"


def angle(parts: Any, side: Any, *, most: int) -> float:
    """Degrees from degrees, minutes and seconds, negative in the south and west."""
    degrees, minutes, seconds = (*(number(part, least=0, most=360) for part in parts), 0.0, 0.0)[:3]
    total = degrees + minutes / 60 + seconds / 3600
    letter = side.decode("ascii", "ignore") if isinstance(side, bytes) else str(side)
    if total > most or letter[:1].upper() not in {"N", "S", "E", "W"}:
        raise ValueError(f"{total:g} degrees {cleaned(letter)}")
    return round(-total if letter[:1].upper() in {"S", "W"} else total, 7)


def comment(value: Any) -> str | None:
    """A user comment, whose first eight bytes name its character set."""
    raw = value if isinstance(value, bytes) else str(value).encode("latin-1", "replace")
    charset, body = raw[:8], raw[8:]
    if charset.startswith(b"UNICODE"):
        return cleaned(
            body[: 4 * TEXT_BYTES].decode("utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le", "ignore")
        )
    return text(body if charset.startswith((b"ASCII", b"\0" * 8)) else raw)
