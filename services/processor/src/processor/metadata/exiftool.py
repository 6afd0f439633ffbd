"""What exiftool says of a photo, as far as it can be true; it is believed after everybody else."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
from msgspec import structs

from processor.metadata import cameras, dates
from processor.metadata.exif import exposure_time, offset
from processor.metadata.record import Metadata, Values
from processor.metadata.text import number, short

SOURCE = "exiftool"
WHOLE = (("taken_at", "taken_from", "offset_minutes", "offset_from"), ("gps_latitude", "gps_longitude", "altitude"))
TAGS = (
    *("DateTimeOriginal", "CreateDate", "OffsetTimeOriginal", "Make", "Model", "LensModel", "ExposureTime", "FNumber"),
    *("ISO", "FocalLength", "Composite:GPSLatitude", "Composite:GPSLongitude", "Composite:GPSAltitude"),
)
"""All that is asked for; with `-n`, so that numbers come as numbers."""


def read(answer: bytes) -> Values:
    """The values in an answer of `-j -G1`; ValueError when it is none."""
    try:
        (told,) = msgspec.json.decode(answer, type=list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"no answer of exiftool: {error}") from None
    by_name = {name.rpartition(":")[2]: value for name, value in reversed(told.items())}
    maker = cameras.make(_told(by_name, "Make", _text))
    return {
        **_moment(by_name),
        **_place(by_name),
        "camera_make": maker,
        "camera_model": cameras.model(_told(by_name, "Model", _text), maker),
        "lens_model": cameras.lens(_told(by_name, "LensModel", _text)),
        "exposure_time": _told(by_name, "ExposureTime", exposure_time),
        "f_number": _told(by_name, "FNumber", lambda value: number(value, least=0.1, most=1000)),
        "iso_speed": _told(by_name, "ISO", lambda value: int(number(value, least=1, most=1e7))),
        "focal_length": _told(by_name, "FocalLength", lambda value: number(value, least=0.1, most=1e5)),
    }


def filled(seen: Metadata, said: Values) -> Metadata:
    """What was believed, with what nobody else knew; a time and a position are taken whole or not at all."""
    taken = {name for names in WHOLE if getattr(seen, names[0]) is not None for name in names}
    wanted = {name: value for name, value in said.items() if name not in taken and getattr(seen, name) is None}
    return structs.replace(seen, **wanted)


def _moment(told: dict[str, Any]) -> Values:
    at, minutes = _told(told, "DateTimeOriginal", _date) or _told(told, "CreateDate", _date) or (None, None)
    if at is None:
        return {}
    minutes = minutes if minutes is not None else _told(told, "OffsetTimeOriginal", offset)
    origin = None if minutes is None else SOURCE
    return {"taken_at": at, "taken_from": SOURCE, "offset_minutes": minutes, "offset_from": origin}


def _place(told: dict[str, Any]) -> Values:
    latitude = _told(told, "GPSLatitude", lambda value: number(value, least=-90, most=90))
    longitude = _told(told, "GPSLongitude", lambda value: number(value, least=-180, most=180))
    if not latitude and not longitude:  # both 0: a receiver that saw no satellite
        return {}
    if latitude is None or longitude is None:
        return {}
    altitude = _told(told, "GPSAltitude", lambda value: number(value, least=-12_000, most=100_000))
    return {"gps_latitude": latitude, "gps_longitude": longitude, "altitude": altitude}


def _told(told: dict[str, Any], name: str, convert: Callable[[Any], Any]) -> Any:
    """A value that makes sense, or None."""
    with suppress(ValueError, TypeError, OverflowError, IndexError):
        if name in told:
            return convert(told[name])
    return None


def _text(value: Any) -> str | None:
    if not isinstance(value, str | int | float):
        raise TypeError("no text")
    return short(str(value))


def _date(value: Any) -> tuple[datetime, int | None]:
    return dates.date(str(value)[:100].strip())
