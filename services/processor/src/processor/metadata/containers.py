"""What an MP4 or QuickTime container says in words: a stranger's text, so nothing is believed unchecked."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from processor.metadata.exif import FURTHEST_OFFSET, YEARS
from processor.metadata.record import Moment, Said, Values
from processor.metadata.text import cleaned, line, number, text

Tags = Mapping[str, str]
Convert = Callable[[str], str | None]
Value = TypeVar("Value")

APPLE = "com.apple.quicktime."
WITH_ZONE, CONTAINER = (APPLE + "creationdate", "date"), "creation_time"
POSITION = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?(?:CRS[^/]*)?/?", re.ASCII)
WORDS: dict[str, tuple[Convert, *tuple[str, ...]]] = {
    "camera_make": (line, APPLE + "make", "make", "com.android.manufacturer"),
    "camera_model": (line, APPLE + "model", "model", "com.android.model"),
    "title": (line, APPLE + "title", APPLE + "displayname", "title"),
    "description": (text, APPLE + "description", "description", "comment"),
    "content_identifier": (line, APPLE + "content.identifier"),
}
POSITIONS = (APPLE + "location.ISO6709", "location")


def read(tags: Tags) -> tuple[Said, list[str]]:
    """All that the tags of a container say and that can be true, and notes; never fails."""
    notes: list[str] = []
    said = Said(moments=tuple(_moments(tags, notes)), **_place(tags, notes), **_words(tags, notes))
    return said, notes


def _words(tags: Tags, notes: list[str]) -> Values:
    return {name: next(_values(tags, keys, convert, notes), None) for name, (convert, *keys) in WORDS.items()}


def _values(
    tags: Tags, names: Sequence[str], convert: Callable[[str], Value | None], notes: list[str]
) -> Iterator[Value]:
    """What the tags of these names yield, in their order; a note for what makes no sense."""
    for name in names:
        if tags.get(name):
            try:
                value = convert(tags[name])
            except (ValueError, OverflowError):
                notes.append(f"{name} was not readable: {cleaned(tags[name])[:200]}")
            else:
                if value is not None:
                    yield value


def _moments(tags: Tags, notes: list[str]) -> Iterator[Moment]:
    """The clock on the wall there first, then what every container has, which is Greenwich's."""
    for name in (*WITH_ZONE, CONTAINER):
        for at in _values(tags, (name,), _date, notes):
            zone = at.utcoffset()
            minutes = None if zone is None else round(zone.total_seconds() / 60)
            yield Moment(
                at=at.replace(tzinfo=None),
                source=name.removeprefix(APPLE),
                offset_minutes=minutes,
                offset_source=None if minutes is None else name.removeprefix(APPLE),
            )


def _date(written: str) -> datetime | None:
    """A date as ISO 8601 writes it; the years in which counting begins mean that nobody set the clock."""
    at = datetime.fromisoformat(written.strip())
    if at.year in {1904, 1970}:
        return None
    zone = at.utcoffset()
    if at.year not in YEARS or (zone is not None and abs(zone.total_seconds()) > FURTHEST_OFFSET * 60):
        raise ValueError(written)
    return at


def _place(tags: Tags, notes: list[str]) -> Values:
    return next(_values(tags, POSITIONS, _position, notes), {})


def _position(written: str) -> Values | None:
    """A position as ISO 6709 writes it in degrees, `+52.4597+013.3220+051.178/`; 0, 0 means that there was none."""
    found = POSITION.fullmatch(written.strip())
    if found is None:
        raise ValueError(written)
    latitude, longitude = number(found[1], least=-90, most=90), number(found[2], least=-180, most=180)
    altitude = None if found[3] is None else number(found[3], least=-20_000, most=100_000)
    return {"latitude": latitude, "longitude": longitude, "altitude": altitude} if latitude or longitude else None
