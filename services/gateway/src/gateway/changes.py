"""What a change makes of what a person says of one asset: values in, values out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

MOST_TAGS = 1000
LONGEST_TAG = 200
UNKNOWN_TIME = "nobody knows when it was taken"
UNKNOWN_ZONE = "nobody knows in which time zone its clock was"


class Impossible(Exception):
    """An asset cannot be changed so; the text says why."""


class Said(Struct, frozen=True, kw_only=True):
    """What a person says of an asset, and what its file says of the same."""

    asset_id: UUID
    edits: dict[str, Any]
    keywords: list[str]
    taken_at: datetime | None
    taken_offset_minutes: int | None


Change: TypeAlias = Callable[[Said], dict[str, Any]]
"""The edits that an asset is to have; the very same where nothing changes."""


def edited(given: Mapping[str, Any], reset: Iterable[str]) -> Change:
    """Some values are said, others are taken back."""
    taken_back = frozenset(reset)
    return lambda said: {name: value for name, value in said.edits.items() if name not in taken_back} | dict(given)


def tagged(add: Sequence[str], remove: Iterable[str]) -> Change:
    """Some tags more and some less; what lies below those stays."""
    unwanted = frozenset(remove)
    return lambda said: _with_tags(said, [*(tag for tag in _tags(said) if tag not in unwanted), *add])


def moved(old: str, new: str) -> Change:
    """A tag and all below it have another path."""
    return lambda said: _with_tags(said, [new + tag[len(old) :] if is_in(tag, old) else tag for tag in _tags(said)])


def untagged(path: str) -> Change:
    """A tag and all below it are no longer said."""
    return lambda said: _with_tags(said, [tag for tag in _tags(said) if not is_in(tag, path)])


def shifted(by: timedelta) -> Change:
    """The camera's clock was wrong by so much."""

    def shift(said: Said) -> dict[str, Any]:
        return said.edits | {"taken_time": _moved(_taken(said), by).isoformat()}

    return shift


def zoned(zone: ZoneInfo, *, keeps_moment: bool) -> Change:
    """The clock there was of this zone; or it showed that of another one, and is to show this one's."""

    def place(said: Said) -> dict[str, Any]:
        if not keeps_moment:
            return said.edits | {"offset_minutes": _offset(_taken(said), zone)}
        before = said.edits.get("offset_minutes", said.taken_offset_minutes)
        if before is None:
            raise Impossible(UNKNOWN_ZONE)
        moment = _moved(_taken(said), timedelta(minutes=-before)).replace(tzinfo=UTC)
        try:
            local = moment.astimezone(zone).replace(tzinfo=None)
        except OverflowError:
            raise Impossible(_beyond()) from None
        after = (local.replace(tzinfo=UTC) - moment) // timedelta(minutes=1)
        return said.edits | {"taken_time": local.isoformat(), "offset_minutes": after}

    return place


def is_in(tag: str, path: str) -> bool:
    """Whether a tag is this one or lies below it."""
    return tag == path or tag.startswith(path + "/")


def _tags(said: Said) -> list[str]:
    """All of an asset's own tags, as the tables have them."""
    words: list[str] = said.edits.get("tags", said.keywords)
    return ["/".join(filter(None, word.split("/"))) for word in words]


def _with_tags(said: Said, tags: list[str]) -> dict[str, Any]:
    wanted = list(dict.fromkeys(tags))
    if wanted == _tags(said):
        return said.edits
    if len(wanted) > MOST_TAGS:
        raise Impossible(f"it would have more than {MOST_TAGS:,} tags")
    if any(len(tag) > LONGEST_TAG for tag in wanted):
        raise Impossible(f"one of its tags would be longer than {LONGEST_TAG} characters")
    return said.edits | {"tags": wanted}


def _taken(said: Said) -> datetime:
    if "taken_time" in said.edits:
        return datetime.fromisoformat(said.edits["taken_time"])
    if said.taken_at is None:
        raise Impossible(UNKNOWN_TIME)
    return said.taken_at


def _moved(time: datetime, by: timedelta) -> datetime:
    try:
        return time + by
    except OverflowError:
        raise Impossible(_beyond()) from None


def _offset(local: datetime, zone: ZoneInfo) -> int:
    offset = local.replace(tzinfo=zone).utcoffset()
    return 0 if offset is None else offset // timedelta(minutes=1)


def _beyond() -> str:
    return "its time would be before the year 1 or after the year 9999"
