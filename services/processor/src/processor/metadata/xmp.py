"""What people and their programs wrote about a photo in XMP, in the file or beside it."""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from processor.metadata import cameras, keywords, names, packet, rating, regions
from processor.metadata.dates import date, instant, until
from processor.metadata.exif import exposure_time
from processor.metadata.packet import Properties
from processor.metadata.record import Moment, Said, Values
from processor.metadata.text import caption, cleaned, line_of, number, short

Value = TypeVar("Value")

DEGREES = re.compile(r"(\d{1,3})(?:,(\d{1,2}(?:\.\d{1,15})?)(?:,(\d{1,2}(?:\.\d{1,15})?))?)?([NSEW])", re.ASCII)
DECIMAL = re.compile(r"([+-]?\d{1,3}(?:\.\d{1,20})?)([NSEW]?)", re.ASCII)
MOST_BYTES = 1 << 40


class Reader:
    """The properties of one packet, and the notes taken while reading them."""

    def __init__(self, content: bytes, source: str) -> None:
        self.source = source
        self.notes: list[str] = []
        self.properties: Properties = {}
        if content.strip(b"\0 \t\r\n"):
            self.properties = self.attempt("packet", lambda: packet.read(content)) or {}

    def attempt(self, name: str, reading: Callable[[], Value]) -> Value | None:
        """What the reading yields, or None and a note."""
        try:
            return reading()
        except Exception as error:  # noqa: BLE001 - a stranger's words may break a parser in any way
            self.notes.append(f"{self.source} {name} was not readable: {cleaned(str(error))[:200]}")
            return None

    def written(self, name: str) -> str:
        """A property's first words, empty if it has none."""
        return next(packet.texts(self.properties.get(name)), "").strip()

    def read(self, name: str, convert: Callable[[str], Value]) -> Value | None:
        """A property's value, None without a note if it is absent, None with a note if it makes no sense."""
        written = self.written(name)
        return self.attempt(name, lambda: convert(written)) if written else None

    def first(self, convert: Callable[[str], Value], *properties: str) -> Value | None:
        """The value of the first of these properties that has one."""
        return next((value for name in properties if (value := self.read(name, convert)) is not None), None)


def read(content: bytes, source: str = "XMP") -> tuple[Said, list[str]]:
    """All that a packet says and that can be true, and notes; never fails."""
    reader = Reader(content, source)
    said = reader.attempt(
        "packet",
        lambda: Said(
            moments=tuple(moments(reader)),
            instant=reader.read("exif:GPSTimeStamp", instant),
            title=reader.read(names.TITLE, line_of),
            description=reader.first(caption, *names.DESCRIPTIONS),
            keywords=keywords.read(reader.properties),
            rating=stars(reader),
            faces=regions.read(reader.properties),
            **place(reader),
            **camera(reader),
            **kind(reader),
        ),
    )
    return said or Said(), reader.notes


def moments(reader: Reader) -> Iterator[Moment]:
    """When the picture was taken, by each property that says so."""
    for name in names.DATES:
        found = reader.read(name, lambda written: (*date(written), until(written)))
        if found is not None:
            at, offset, end = found
            source = f"{reader.source} {name}"
            witness = None if offset is None else source
            yield Moment(at=at, source=source, offset_minutes=offset, offset_source=witness, until=end)


def stars(reader: Reader) -> int | None:
    """The rating by its number of stars, else by its percentage."""
    if reader.written(names.RATING):
        return reader.read(names.RATING, rating.of_stars)
    return reader.read("MicrosoftPhoto:Rating", rating.of_percentage)


def place(reader: Reader) -> Values:
    """Where the picture was taken; half a position is none."""
    latitude = reader.read(names.LATITUDE, lambda written: degrees(written, sides="NS", most=90))
    longitude = reader.read(names.LONGITUDE, lambda written: degrees(written, sides="EW", most=180))
    if latitude is None or longitude is None:
        return {}
    altitude = reader.read(names.ALTITUDE, lambda written: number(rational(written), least=-100_000, most=100_000))
    below = reader.written("exif:GPSAltitudeRef") == "1"
    return {
        "latitude": latitude,
        "longitude": longitude,
        "altitude": -abs(altitude) if below and altitude is not None else altitude,
    }


def degrees(written: str, *, sides: str, most: int) -> float:
    """Degrees from `48,51.5N`, `48,51,30N` or `-48.8583`, negative in the south and west."""
    found = DEGREES.fullmatch(written)
    if found is not None:
        total = float(found[1]) + float(found[2] or 0) / 60 + float(found[3] or 0) / 3600
        side = found[4]
    elif (found := DECIMAL.fullmatch(written)) is not None:
        total, side = float(found[1]), found[2]
    else:
        raise ValueError(f"the angle {written}")
    if abs(total) > most or side not in sides:
        raise ValueError(f"the angle {written}")
    return round(-total if side in {"S", "W"} else total, 7)


def camera(reader: Reader) -> Values:
    """Which camera, and how it was set."""
    maker = cameras.make(reader.read("tiff:Make", short))
    return {
        "camera_make": maker,
        "camera_model": cameras.model(reader.read("tiff:Model", short), maker),
        "lens_model": reader.first(lambda written: cameras.lens(short(written)), "exifEX:LensModel", "aux:Lens"),
        "exposure_time": reader.read("exif:ExposureTime", lambda written: exposure_time(rational(written))),
        "f_number": reader.read("exif:FNumber", lambda written: number(rational(written), least=0.1, most=1000)),
        "iso_speed": reader.first(
            lambda written: int(number(written, least=1, most=1e7)),
            "exifEX:PhotographicSensitivity",
            "exif:ISOSpeedRatings",
        ),
        "focal_length": reader.read("exif:FocalLength", lambda written: number(rational(written), least=0.1, most=1e5)),
        "exposure": reader.read(
            "exif:ExposureBiasValue", lambda written: number(rational(written), least=-100, most=100)
        ),
    }


def rational(written: str) -> float:
    """The number that `7/2` or `3.5` is."""
    above, _, below = written.partition("/")
    return float(above) / float(below or 1)


def kind(reader: Reader) -> Values:
    """What the picture is beside a picture: a panorama, one of a burst, one with a video at the end of its file."""
    return {
        "projection": projection(reader),
        "burst_identifier": reader.read("GCamera:BurstID", short),
        "motion_length": reader.attempt("motion photo", lambda: motion_length(reader)),
    }


def projection(reader: Reader) -> str | None:
    """How a panorama is to be looked at, unless it says that it is none."""
    wanted = reader.written("GPano:UsePanoramaViewer").lower()
    if wanted == "false":
        return None
    named = reader.read("GPano:ProjectionType", short)
    return named.lower() if named else "equirectangular" if wanted == "true" else None


def motion_length(reader: Reader) -> int | None:
    """The bytes from the start of a motion photo's video to the end of the file."""
    if reader.written("GCamera:MotionPhoto") == "1":
        listed = [
            entry if isinstance(entry := item.get("Container:Item", item), dict) else {}
            for item in packet.items(reader.properties.get("Container:Directory"))
        ]
        kinds = [next(packet.texts(item.get("Item:Semantic")), "") for item in listed]
        if "MotionPhoto" in kinds:
            behind = listed[kinds.index("MotionPhoto") :]
            gaps = sum(size(item, "Item:Padding") for item in behind[:-1])
            return length(gaps + sum(size(item, "Item:Length") for item in behind))
    if reader.written("GCamera:MicroVideo") == "1":
        return reader.read("GCamera:MicroVideoOffset", lambda written: length(int(written)))
    return None


def size(item: Properties, name: str) -> int:
    return int(next(packet.texts(item.get(name)), "0"))


def length(count: int) -> int:
    if not 0 < count <= MOST_BYTES:
        raise ValueError(f"{count} bytes of video")
    return count
