"""When a photo was taken by the name of its file, as phones, cameras and messengers give it."""

import re
from datetime import datetime, timedelta
from os.path import splitext

from processor.metadata.exif import YEARS
from processor.metadata.record import Moment

NAMED, NAMED_DAY = "FileName", "FileNameDay"
LONGEST_NAME = 255

CLOSE = r"(?<!\d)(\d{4})(\d\d)(\d\d)[-_ T]?(\d\d)(\d\d)(\d\d)(\d{3})?(?!\d)"
APART = r"(?<!\d)(\d{4})([-._])(\d\d)\2(\d\d)(?: at |[-_ T])(\d\d)([-._:h]?)(\d\d)(?:\6|m)(\d\d)(?!\d)"
DAY_APART = r"(?<!\d)(\d{4})([-._])(\d\d)\2(\d\d)(?!\d)"
DAY_CLOSE = r"(?<!\d)(\d{4})(\d\d)(\d\d)(?!\d)"
TIMES_CLOSE, TIMES_APART = re.compile(CLOSE, re.ASCII), re.compile(APART, re.ASCII)
DAYS_APART, DAYS_CLOSE = re.compile(DAY_APART, re.ASCII), re.compile(DAY_CLOSE, re.ASCII)
DIGITAL = range(1990, YEARS.stop)
"""The years in which eight digits in a row are more likely a day than a number."""


def moment(file_name: str) -> Moment | None:
    """The first time or day in a file's name that there can be, a day from its first second on; None without one."""
    stem = splitext(file_name)[0][:LONGEST_NAME]
    is_greenwich = stem.startswith("PXL_")  # Pixel phones name their photos by Greenwich
    at = _time(stem)
    if at is not None:
        return Moment(
            at=at,
            source=NAMED,
            offset_minutes=0 if is_greenwich else None,
            offset_source=NAMED if is_greenwich else None,
        )
    day = _day(stem)
    return None if day is None else Moment(at=day, source=NAMED_DAY)


def _time(stem: str) -> datetime | None:
    for found in TIMES_CLOSE.finditer(stem):
        year, month, day, hour, minute, second, thousandth = (int(part or 0) for part in found.groups())
        if (at := _possible(year, month, day, hour, minute, second, DIGITAL)) is not None:
            return at + timedelta(milliseconds=thousandth)
    for found in TIMES_APART.finditer(stem):
        year, month, day, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 7, 8))
        if (at := _possible(year, month, day, hour, minute, second)) is not None:
            return at
    return None


def _day(stem: str) -> datetime | None:
    apart = (_possible(int(found[1]), int(found[3]), int(found[4])) for found in DAYS_APART.finditer(stem))
    close = (
        _possible(int(found[1]), int(found[2]), int(found[3]), years=DIGITAL) for found in DAYS_CLOSE.finditer(stem)
    )
    return next((day for day in (*apart, *close) if day is not None), None)


def _possible(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, years: range = YEARS
) -> datetime | None:
    """The time, if the calendar has it."""
    try:
        return datetime(year, month, day, hour, minute, second) if year in years else None  # noqa: DTZ001
    except ValueError:
        return None
