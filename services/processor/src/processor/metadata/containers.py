"""What the container of a video says in words: a stranger's text, so nothing is believed unchecked."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TypeVar

from processor.metadata import dates
from processor.metadata.exif import FURTHEST_OFFSET, YEARS
from processor.metadata.record import Moment, Said, Values
from processor.metadata.text import cleaned, line, number, text

Tags = Mapping[str, str]
Convert = Callable[[str], str | None]
Value = TypeVar("Value")

APPLE = "com.apple.quicktime."
WITH_ZONE, CONTAINER = (APPLE + "creationdate", "date_recorded", "date"), "creation_time"
SAMSUNG_OFFSET = "com.samsung.android.utc_offset"
OFFSET = re.compile(r"([+-])(\d\d):?([0-5]\d)", re.ASCII)
PART = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)
POSITION = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?(?:CRS[^/]*)?/?", re.ASCII)
WORDS: dict[str, tuple[Convert, *tuple[str, ...]]] = {
    "camera_make": (line, APPLE + "make", "make", "com.android.manufacturer"),
    "camera_model": (line, APPLE + "model", "model", "com.android.model"),
    "title": (line, APPLE + "title", APPLE + "displayname", "title"),
    "description": (text, APPLE + "description", "description", "comment"),
    "content_identifier": (line, APPLE + "content.identifier"),
}
POSITIONS = (APPLE + "location.iso6709", "location")
OF_TRACKS = re.compile(r"\W*(GoPro|DJI)\b", re.ASCII)
"""The makers of cameras that call their tracks by their own name."""
SONY = {
    "date": re.compile(rb'<CreationDate value="([^"<]{1,40})"'),
    "make": re.compile(rb'<Device manufacturer="([^"<]{1,80})"'),
    "model": re.compile(rb'<Device [^>]{0,200}modelName="([^"<]{1,80})"'),
}


def read(tags: Tags) -> tuple[Said, list[str]]:
    """All that the tags of a container say and that can be true, and notes; never fails."""
    notes: list[str] = []
    tags = {name.lower(): value for name, value in tags.items()}
    said = Said(moments=tuple(_moments(tags, notes)), **_place(tags, notes), **_words(tags, notes))
    return said, notes


def of_sony(record: bytes) -> dict[str, str]:
    """The tags that stand for what Sony's cameras write beside the tracks, a document of theirs."""
    found = {name: pattern.search(record) for name, pattern in SONY.items()}
    return {name: match[1].decode(errors="replace") for name, match in found.items() if match}


def _words(tags: Tags, notes: list[str]) -> Values:
    found = {name: next(_values(tags, keys, convert, notes), None) for name, (convert, *keys) in WORDS.items()}
    track = OF_TRACKS.match(tags.get("handler_name", ""))
    return found | {"camera_make": found["camera_make"] or (track and track[1])}


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
    for name in WITH_ZONE:
        for at in _values(tags, (name,), _date, notes):
            said, written = name.removeprefix(APPLE), tags[name].strip()
            yield _moment(at, said, said, dates.until(written) if PART.fullmatch(written) else None)
    for at in _values(tags, (CONTAINER,), _date, notes):
        there = next(_values(tags, (SAMSUNG_OFFSET,), _zone, notes), None) if at.tzinfo else None
        yield _moment(at.astimezone(there) if there else at, CONTAINER, "utc_offset" if there else CONTAINER)


def _moment(at: datetime, source: str, offset_source: str, until: datetime | None = None) -> Moment:
    zone = at.utcoffset()
    minutes = None if zone is None else round(zone.total_seconds() / 60)
    return Moment(
        at=at.replace(tzinfo=None),
        source=source,
        offset_minutes=minutes,
        offset_source=None if minutes is None else offset_source,
        until=until,
    )


def _zone(written: str) -> timezone:
    """An offset as `+0200`."""
    found = OFFSET.fullmatch(written.strip())
    if found is None:
        raise ValueError(written)
    minutes = int(found[2]) * 60 + int(found[3])
    if minutes > FURTHEST_OFFSET:
        raise ValueError(written)
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))


def _date(written: str) -> datetime | None:
    """A date as ISO 8601 writes it; the years in which counting begins mean that nobody set the clock."""
    is_part = PART.fullmatch(written.strip())
    at = dates.date(written.strip())[0] if is_part else datetime.fromisoformat(written.strip())
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
