"""Scans come by their intervals and once a night, never piled up."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from syncer import schedule
from syncer.schedule import Due, Last, Rhythm, Run

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DEFAULT = Rhythm(5 * MINUTE, 30 * MINUTE, [])
NEVER = Rhythm(None, None, [])
FIRST = UUID(int=0)
BERLIN = ZoneInfo("Europe/Berlin")


def due(wished: Rhythm, *, full: Run | None, quick: Run | None = None, repository_id: UUID = FIRST) -> Due:
    return schedule.next_due(wished, Last(full, quick), repository_id=repository_id, now=NOON, zone=UTC)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("5m", 5 * MINUTE),
        ("90s", 90 * SECOND),
        ("1h30m", 90 * MINUTE),
        ("24h", 24 * HOUR),
        ("2d", 48 * HOUR),
        (" 1H 30M ", 90 * MINUTE),
        ("0", None),
        ("0s", None),
        ("off", None),
        ("", None),
        ("999999999d", timedelta(days=366)),
        ("9" * 9 + "d" + "9" * 9 + "h", timedelta(days=366)),
    ],
)
def test_intervals_are_read_as_people_write_them(text: str, interval: timedelta | None) -> None:
    """In days, hours, minutes and seconds, or never; none is longer than a year."""
    assert schedule.rhythm(text, text) == Rhythm(interval, interval, [])


@pytest.mark.parametrize("text", ["five minutes", "5", "-5m", "5m!", "1.5h", "m", "5mm", "9" * 5000 + "s"])
def test_nonsense_is_said_and_the_default_is_used(text: str) -> None:
    """Nobody goes unscanned because of a slip, and what is said fits a line."""
    wished = schedule.rhythm(text, "1h")

    assert wished.quick == 5 * MINUTE
    assert wished.full == HOUR
    assert [warning.startswith("quick_scan_interval makes no sense") for warning in wished.warnings] == [True]
    assert len(wished.warnings[0]) < 200


def test_a_polled_repository_is_looked_at_every_minute() -> None:
    """Whatever the marker says of quick scans, for nothing else tells of changes."""
    assert schedule.rhythm("1h", "24h", is_polled=True) == Rhythm(MINUTE, 24 * HOUR, [])
    assert schedule.rhythm("off", "off", is_polled=True) == Rhythm(MINUTE, None, [])


def test_the_first_scan_is_a_whole_one_and_at_once() -> None:
    """Nobody knows what happened while nobody looked."""
    assert due(NEVER, full=None) == Due(NOON, "startup")
    assert due(NEVER, full=None, quick=Run(NOON, SECOND)) == Due(NOON, "startup")


def test_intervals_count_from_the_end_of_a_scan() -> None:
    """Scans never pile up, and the quick one comes before the full one."""
    assert due(DEFAULT, full=Run(NOON, MINUTE)) == Due(NOON + 5 * MINUTE, "quick")
    assert due(DEFAULT, full=Run(NOON, MINUTE), quick=Run(NOON + 20 * MINUTE, SECOND)) == Due(
        NOON + 25 * MINUTE, "quick"
    )
    assert due(DEFAULT, full=Run(NOON, MINUTE), quick=Run(NOON + 26 * MINUTE, SECOND)) == Due(
        NOON + 30 * MINUTE, "full"
    )


def test_a_full_scan_stands_for_a_quick_one() -> None:
    """After it the quick interval begins anew, and of two that are due at once the full one is done."""
    assert due(DEFAULT, full=Run(NOON, MINUTE), quick=Run(NOON - MINUTE, SECOND)) == Due(NOON + 5 * MINUTE, "quick")
    assert due(Rhythm(5 * MINUTE, 5 * MINUTE, []), full=Run(NOON, SECOND)) == Due(NOON + 5 * MINUTE, "full")


def test_what_took_long_rests_long() -> None:
    """A scan of an hour is not begun again before four hours, nor a quick one of ten minutes before forty."""
    slow = Run(NOON, HOUR)

    assert due(Rhythm(None, 30 * MINUTE, []), full=slow) == Due(NOON + 4 * HOUR, "full")
    assert due(DEFAULT, full=slow, quick=Run(NOON + HOUR, 10 * MINUTE)) == Due(NOON + 100 * MINUTE, "quick")


def test_every_night_there_is_a_full_scan() -> None:
    """At two, or up to fifteen minutes later, each repository at its own time; a late one counts for its night."""
    night = datetime(2024, 6, 2, 2, tzinfo=UTC)

    assert due(NEVER, full=Run(NOON, MINUTE)) == Due(night, "daily")
    assert due(NEVER, full=Run(NOON, MINUTE), repository_id=UUID(int=901)) == Due(night + SECOND, "daily")
    assert due(NEVER, full=Run(NOON, MINUTE), repository_id=UUID(int=899)).at < night + 15 * MINUTE
    assert due(NEVER, full=Run(night, MINUTE)).at == night + 24 * HOUR
    assert due(NEVER, full=Run(night + HOUR, 2 * HOUR)).at == night + 24 * HOUR
    assert due(NEVER, full=Run(night - HOUR, HOUR)).at == night + 3 * HOUR


def test_a_night_that_was_missed_is_due_at_once() -> None:
    """A machine that slept at two scans when it wakes, once."""
    asleep = Run(NOON - 72 * HOUR, MINUTE)

    assert due(NEVER, full=asleep).at < NOON
    assert due(NEVER, full=Run(NOON, MINUTE)).at > NOON


@pytest.mark.parametrize(
    ("ended", "night"),
    [
        ("2024-06-01T12:00", "2024-06-02T00:00"),
        ("2024-01-01T12:00", "2024-01-02T01:00"),
        ("2024-03-30T12:00", "2024-03-31T01:00"),  # the clock jumps from two to three
        ("2024-10-26T12:00", "2024-10-27T00:00"),  # two o'clock comes twice
        ("2024-10-27T00:30", "2024-10-28T01:00"),
    ],
)
def test_the_nights_are_those_of_the_place(ended: str, night: str) -> None:
    """Two o'clock is what the wall clock shows, in summer and in winter, once a night."""
    run = Run(datetime.fromisoformat(ended).replace(tzinfo=UTC), MINUTE)

    found = schedule.next_due(NEVER, Last(run), repository_id=FIRST, now=NOON, zone=BERLIN)

    assert found.at == datetime.fromisoformat(night).replace(tzinfo=UTC)


def test_the_place_is_where_the_machine_stands() -> None:
    """Without a zone, two o'clock is that of the machine."""
    found = schedule.next_due(NEVER, Last(Run(NOON, MINUTE)), repository_id=FIRST, now=NOON)

    assert (found.at.astimezone().hour, found.at.astimezone().minute) == (2, 0)
    assert NOON < found.at <= NOON + 25 * HOUR
