"""What the tags of a recording say: who is heard, what it belongs to, and when somebody recorded it."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from msgspec import Struct

from processor.metadata import dates
from processor.metadata.exif import YEARS
from processor.metadata.record import Moment, Said, Values
from processor.metadata.text import cleaned, line_of, number, short

Words = Mapping[str, str]
"""Texts by the names that FFmpeg has for them: `album_artist`, `track`, `date`."""

Value = TypeVar("Value")

RECORDED = "date"
HIGHEST = 9999
COUNTED = re.compile(r"\s*(\d{1,4})\s*(?:/\s*(\d{1,4})?\s*)?", re.ASCII)
YEAR = re.compile(r"\s*(\d{4})(?!\d)", re.ASCII)
CLOCK = re.compile(r"(\d\d)[:_\- ](\d\d)[:_\- ](\d\d)", re.ASCII)
DAY_BY_DAY = re.compile(r"(\d{4})[:_\- /](\d\d)[:_\- /](\d\d)", re.ASCII)


class Music(Struct, frozen=True, kw_only=True):
    """What is said of a recording as a piece of music or a chapter of a book; None for what nobody says."""

    artist: str | None = None
    album: str | None = None
    album_artist: str | None = None
    composer: str | None = None
    genre: str | None = None
    year: int | None = None
    """Of its publication, or of the recording."""
    track: int | None = None
    track_count: int | None = None
    disc: int | None = None
    disc_count: int | None = None


TAGS = {"title", "description", "comment", RECORDED}
NAMES = ("artist", "album", "album_artist", "composer", "genre")


def read(sources: Sequence[Words]) -> tuple[Said, Music, list[str]]:
    """All that the sources say and that can be true, the first that has a value is believed; never fails."""
    notes: list[str] = []
    names: Values = {name: _first(sources, name, short, notes) for name in NAMES}
    music = Music(
        **names,
        **_counted(sources, "track", notes),
        **_counted(sources, "disc", notes),
        year=_first(sources, "date", _year, []),
    )
    said = Said(
        title=_first(sources, "title", line_of, notes),
        description=_first(sources, "description", _text, notes) or _first(sources, "comment", _text, notes),
        moments=tuple(_moments(sources, is_published=music.album is not None, notes=notes)),
    )
    return said, music, notes


def of_container(words: Words) -> Words:
    """What an ISO container says itself, without what somebody wrote into its tags."""
    return {name: text for name, text in words.items() if name not in TAGS}


def _first(
    sources: Sequence[Words], name: str, convert: Callable[[str], Value | None], notes: list[str]
) -> Value | None:
    return next(_values(sources, name, convert, notes), None)


def _values(
    sources: Sequence[Words], name: str, convert: Callable[[str], Value | None], notes: list[str]
) -> Iterator[Value]:
    for words in sources:
        if words.get(name, "").strip():
            try:
                value = convert(words[name])
            except (ValueError, OverflowError):
                notes.append(f"{name} was not readable: {cleaned(words[name])[:200]}")
            else:
                if value is not None:
                    yield value


def _text(written: str) -> str | None:
    return cleaned(written) or None


def _counted(sources: Sequence[Words], name: str, notes: list[str]) -> Values:
    """`3/12` is the third of twelve; 0 is none."""
    one, all_of_them = _first(sources, name, _number_of, notes) or (None, None)
    return {name: one or None, f"{name}_count": all_of_them or None}


def _number_of(written: str) -> tuple[int, int]:
    found = COUNTED.fullmatch(written)
    if found is None:
        raise ValueError(written)
    return int(found[1]), int(number(found[2] or 0, least=0, most=HIGHEST))


def _year(written: str) -> int | None:
    found = YEAR.match(written)
    return int(found[1]) if found and int(found[1]) in YEARS else None


def _moments(sources: Sequence[Words], *, is_published: bool, notes: list[str]) -> Iterator[Moment]:
    read_one = partial(_moment, is_published=is_published)
    for words in sources:
        yield from _values([{RECORDED: _written(words)}], RECORDED, read_one, notes)


def _written(words: Words) -> str:
    """The date; of recorders that write the time of day beside it, both."""
    day, clock = DAY_BY_DAY.fullmatch(words.get("date", "")), CLOCK.fullmatch(words.get("creation_time", ""))
    if day is None or "0000" in day[1]:
        return words.get("date", "").strip()
    return "-".join(day.groups()) + (f"T{':'.join(clock.groups())}" if clock else "")


def _moment(written: str, *, is_published: bool) -> Moment | None:
    """When it was recorded: a year is no such time, nor is the day on which what has an album was published."""
    if YEAR.fullmatch(written) or not any(map(int, re.findall(r"\d+", written))):
        return None
    at, minutes = dates.date(written)
    until = dates.until(written)
    if (until and until - at > timedelta(days=1)) or (is_published and _is_a_day(at, until)):
        return None
    return Moment(
        at=at,
        source=RECORDED,
        offset_minutes=minutes,
        offset_source=None if minutes is None else RECORDED,
        until=until,
    )


def _is_a_day(at: datetime, until: datetime | None) -> bool:
    """Whether it tells no more than the day; shops write midnight or noon somewhere into it."""
    return until is not None or (at.minute, at.second) == (0, 0)
