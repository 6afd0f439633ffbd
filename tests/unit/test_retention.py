from datetime import UTC, datetime, timedelta

import pytest

from lumilio.backup.retention import BackupSettings, due, kept


def at(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A time of one zone."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


NIGHT = at(2026, 3, 31, 3)
YEAR = [NIGHT - timedelta(days=days) for days in range(365)]


def test_the_newest_of_days_weeks_and_months_stay() -> None:
    """After a year of nights there are as many as were asked for, each the newest of its time."""
    stay = kept(YEAR, BackupSettings(backup_daily=7, backup_weekly=4, backup_monthly=3))

    days = {NIGHT - timedelta(days=days) for days in range(7)}
    weeks = {NIGHT, at(2026, 3, 29, 3), at(2026, 3, 22, 3), at(2026, 3, 15, 3)}
    months = {NIGHT, at(2026, 2, 28, 3), at(2026, 1, 31, 3)}
    assert stay == days | weeks | months


def test_the_newest_stays_whatever_is_asked_for() -> None:
    """Nobody loses the only backup by a setting."""
    assert kept(YEAR, BackupSettings(backup_daily=0, backup_weekly=0, backup_monthly=0)) == {NIGHT}


def test_several_of_one_day_count_as_one() -> None:
    """Backups by hand push no older night out."""
    hours = [NIGHT + timedelta(hours=hour) for hour in range(5)]

    stay = kept([*YEAR, *hours], BackupSettings(backup_daily=2, backup_weekly=0, backup_monthly=0))

    assert stay == {hours[-1], NIGHT - timedelta(days=1)}


@pytest.mark.parametrize(
    ("began", "failed", "expected"),
    [
        (None, False, at(2026, 4, 1, 3)),
        (at(2026, 3, 31, 3), False, at(2026, 4, 1, 3)),
        (at(2026, 3, 31, 2, 59), False, at(2026, 3, 31, 3)),
        (at(2026, 3, 31, 20), False, at(2026, 4, 1, 3)),
        (at(2026, 3, 31, 3), True, at(2026, 3, 31, 4)),
    ],
)
def test_the_next_is_due_at_night_or_soon_after_a_failure(
    began: datetime | None, *, failed: bool, expected: datetime
) -> None:
    """Each night has its backup; one that failed is tried again within an hour."""
    assert due(began, failed=failed, since=at(2026, 3, 31, 12)) == expected
