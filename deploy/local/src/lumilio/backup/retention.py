"""Which backups are kept, and when the next is due: pure rules over times."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0, le=1000)]
HOUR = 3
RETRY = timedelta(hours=1)


class BackupSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where `lumilio up` keeps the backups of each night, and how many."""

    backup_to: str = ""
    """Where the backups of each night lie, better on another disk; without it in `backups` of the data directory."""
    backup_daily: Count = 7
    """Of how many of the latest days a backup is kept; 0 makes none by itself."""
    backup_weekly: Count = 4
    """Of how many of the latest weeks."""
    backup_monthly: Count = 0
    """Of how many of the latest months."""


def kept(times: Iterable[datetime], settings: BackupSettings) -> set[datetime]:
    """Those that stay: the newest of each of the latest days, weeks and months, and always the newest of all."""
    newest_first = sorted(times, reverse=True)
    stay = set(newest_first[:1])
    stay |= _newest(newest_first, settings.backup_daily, lambda at: (at.year, at.month, at.day))
    stay |= _newest(newest_first, settings.backup_weekly, lambda at: at.isocalendar()[:2])
    return stay | _newest(newest_first, settings.backup_monthly, lambda at: (at.year, at.month))


def due(began: datetime | None, *, failed: bool, since: datetime) -> datetime:
    """When the next backup of the night is to be made: soon after one that failed, else the night after the last one.

    All times are of one zone; `since` is when the server began to run where there was none yet.
    """
    if began is not None and failed:
        return began + RETRY
    return _next_night(began or since)


def _next_night(after: datetime) -> datetime:
    night = after.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    return night if night > after else night + timedelta(days=1)


def _newest(
    newest_first: Sequence[datetime], count: int, period: Callable[[datetime], tuple[int, ...]]
) -> set[datetime]:
    """The newest of each of the latest periods."""
    found: dict[tuple[int, ...], datetime] = {}
    for at in newest_first:
        found.setdefault(period(at), at)
    return set(list(found.values())[:count])
