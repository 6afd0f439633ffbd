"""Dates as XMP and IPTC write them, whole or in part."""

import re
from datetime import datetime, timedelta

from processor.metadata.exif import FURTHEST_OFFSET, YEARS

DAY = r"(\d{4})(?:[-:](\d\d)(?:[-:](\d\d))?)?"
CLOCK = r"(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
ZONE = r"Z|[+-]\d\d:?[0-5]\d"
DATE = re.compile(rf"{DAY}(?:[T ]{CLOCK})?\s*({ZONE})?", re.ASCII)


def date(written: str) -> tuple[datetime, int | None]:
    """The first moment that a date may mean, and the minutes east of Greenwich if it says so."""
    found = DATE.fullmatch(written)
    if found is None or int(found[1]) not in YEARS:
        raise ValueError(f"the date {written}")
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction = timedelta(microseconds=int((found[7] or "0").ljust(6, "0")[:6]))
    at = datetime(year, month or 1, day or 1, hour, minute, second) + fraction  # noqa: DTZ001 - by the clock on the wall
    return at, _offset(found[8]) if found[8] else None


def until(written: str) -> datetime | None:
    """The first moment that a date which lacks a part cannot mean; None for one that tells all."""
    found = DATE.fullmatch(written)
    if found is None or found[6]:
        return None
    at, _ = date(written)
    if found[4]:
        return at + timedelta(minutes=1)
    if int(found[3] or 0):
        return at + timedelta(days=1)
    month = at.month if int(found[2] or 0) else 12
    return at.replace(year=at.year + month // 12, month=month % 12 + 1)


def instant(written: str) -> datetime:
    """A date in Greenwich, where it is unless it says otherwise."""
    at, minutes = date(written)
    return at - timedelta(minutes=minutes or 0)


def _offset(written: str) -> int:
    if written == "Z":
        return 0
    minutes = int(written[1:3]) * 60 + int(written[-2:])
    if minutes > FURTHEST_OFFSET:
        raise ValueError(f"the offset {written}")
    return -minutes if written[0] == "-" else minutes
