"""When a repository is scanned without being asked: by its intervals, and once a night."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal, NamedTuple
from uuid import UUID

NIGHTLY = time(2, 0)
JITTER_SECONDS = 15 * 60
REST = 4
QUICK = timedelta(minutes=5)
FULL = timedelta(minutes=30)
POLLED = timedelta(minutes=1)
LONGEST = timedelta(days=366)
PARTS = re.compile(r"(\d{1,9})(s|m|h|d)")
WHOLE = re.compile(r"((\d{1,9})(s|m|h|d))+")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
NEVER = {"", "0", "off", "never", "none", "false"}
"""Some of it is what YAML makes of `off`."""

Reason = Literal["startup", "return", "daily", "full", "quick", "vanished"]


class Rhythm(NamedTuple):
    """How often a repository is scanned, None for never, and what could not be understood of what was wished."""

    quick: timedelta | None
    full: timedelta | None
    warnings: list[str]


class Run(NamedTuple):
    """A scan that ended: when, and how long it took."""

    ended_at: datetime
    took: timedelta


class Last(NamedTuple):
    """The last scans of a whole repository since it is tended, quick ones and full ones."""

    full: Run | None = None
    quick: Run | None = None


class Due(NamedTuple):
    """A scan that is due, from when on, and why."""

    at: datetime
    reason: Reason

    @property
    def is_quick(self) -> bool:
        """Whether folders are compared only, and not every file."""
        return self.reason == "quick"


def rhythm(quick: object, full: object, *, is_polled: bool = False) -> Rhythm:
    """What the intervals of a marker mean, as in `90s`, `5m`, `1h30m`; a polled repository gets a look every minute."""
    warnings: list[str] = []
    often = _interval("quick_scan_interval", str(quick), QUICK, warnings)
    rarely = _interval("full_scan_interval", str(full), FULL, warnings)
    return Rhythm(POLLED if is_polled else often, rarely, warnings)


def next_due(wished: Rhythm, last: Last, *, repository_id: UUID, now: datetime, zone: tzinfo | None = None) -> Due:
    """What is due next, be it in the past; `zone` is where the nights are, by default where this machine stands.

    Intervals count from the end of a scan, a full one stands for a quick one, and no scan begins again before it has
    rested four times as long as it took, so that a large repository is not read all day.
    """
    if last.full is None:
        return Due(now, "startup")
    return min(_all_due(wished, last.full, last.quick, repository_id, zone), key=lambda due: (due.at, due.is_quick))


def _all_due(wished: Rhythm, full: Run, quick: Run | None, repository_id: UUID, zone: tzinfo | None) -> Iterator[Due]:
    rested = full.ended_at + REST * full.took
    yield Due(max(_night_after(full.ended_at, repository_id, zone), rested), "daily")
    if wished.full is not None:
        yield Due(max(full.ended_at + wished.full, rested), "full")
    if wished.quick is not None:
        took = quick.took if quick else timedelta(0)
        latest = max(full.ended_at, quick.ended_at) if quick else full.ended_at
        yield Due(latest + max(wished.quick, REST * took), "quick")


def _night_after(moment: datetime, repository_id: UUID, zone: tzinfo | None) -> datetime:
    """The first time after a moment that it is this repository's minute of the night."""
    jitter = timedelta(seconds=repository_id.int % JITTER_SECONDS)
    day = moment.astimezone(zone).date()
    tonight = _moment(datetime.combine(day, NIGHTLY) + jitter, zone)
    return tonight if tonight > moment else _moment(datetime.combine(day + timedelta(1), NIGHTLY) + jitter, zone)


def _moment(local: datetime, zone: tzinfo | None) -> datetime:
    """What a clock on the wall shows, as a moment in time; None is the zone of this machine."""
    return (local.replace(tzinfo=zone) if zone else local).astimezone(UTC)


def _interval(name: str, text: str, default: timedelta, warnings: list[str]) -> timedelta | None:
    plain = text.strip().lower().replace(" ", "")
    if plain in NEVER or (WHOLE.fullmatch(plain) and not any(int(part[1]) for part in PARTS.finditer(plain))):
        return None
    if not WHOLE.fullmatch(plain):
        minutes = int(default.total_seconds()) // 60
        warnings.append(f"{name} makes no sense: {text[:40]!r}; write 90s, 5m, 1h30m or off; {minutes}m is used")
        return default
    seconds = sum(int(part[1]) * UNITS[part[2]] for part in PARTS.finditer(plain))
    return timedelta(seconds=min(seconds, LONGEST.total_seconds()))
