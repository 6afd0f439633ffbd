"""Spans of days: of years, months, seasons, feasts and weeks, as people mean them."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import NamedTuple

DAY = timedelta(days=1)
FIRST_YEAR = 1826
"""Of this year is the oldest photo that there is."""


class Span(NamedTuple):
    """From a day on, before another one; None where that side is open."""

    start: date | None
    end: date | None


class Now(NamedTuple):
    """The day that it is."""

    today: date

    def is_past(self, start: date) -> bool:
        return start <= self.today

    @property
    def years(self) -> range:
        return range(max(FIRST_YEAR, self.today.year - 199), self.today.year + 1)


def first_day(span: Span) -> date:
    """Where it begins; far back where it does not."""
    return span.start or date.min


def last_day(span: Span) -> date:
    """The day before which it ends; far away where it does not."""
    return span.end or date.max


def of_days(start: date, days: int = 1) -> Span:
    """So many days in a row."""
    return Span(start, start + days * DAY)


def of_year(year: int, years: int = 1) -> Span:
    """A year, or several."""
    return Span(date(year, 1, 1), date(year + years, 1, 1))


def of_month(year: int, month: int, months: int = 1) -> Span:
    """A month, or several; the months before the first of a year are those of the year before."""
    return Span(_month(year, month), _month(year, month + months))


def of_day(year: int, month: int, day: int) -> list[Span]:
    """A day, if there is such a day."""
    try:
        return [of_days(date(year, month, day))]
    except ValueError:
        return []


def of_week(day: date) -> Span:
    """From the Monday before a day to the Sunday after it."""
    return of_days(day - day.weekday() * DAY, 7)


def of_season(year: int, month: int) -> list[Span]:
    """Three months, as they are called in the north. A winter is of both years that it lies in."""
    if month == 12:  # December
        return [of_month(year - 1, month, 3), of_month(year, month, 3)]
    return [of_month(year, month, 3)]


def easter(year: int) -> date:
    """The Sunday, by the rule of Gauss as Lichtenberg mended it."""
    century = year // 100
    moon = 15 + (3 * century + 3) // 4 - (8 * century + 13) // 25
    golden = year % 19
    seed = (19 * golden + moon) % 30
    full = 21 + seed - (seed + golden // 11) // 29
    sunday = 7 - (year + year // 4 + 2 - (3 * century + 3) // 4) % 7
    return date(year, 3, 1) + (full + 7 - (full - sunday) % 7 - 1) * DAY


def thanksgiving(year: int) -> date:
    """The fourth Thursday of November."""
    first = date(year, 11, 1)
    return first + ((3 - first.weekday()) % 7 + 21) * DAY


FEASTS: dict[str, Callable[[int], Span]] = {
    "christmas": lambda year: of_days(date(year, 12, 24), 3),
    "christmas eve": lambda year: of_days(date(year, 12, 24)),
    "new year": lambda year: of_days(date(year - 1, 12, 31), 2),
    "new year's eve": lambda year: of_days(date(year, 12, 31), 2),
    "halloween": lambda year: of_days(date(year, 10, 31)),
    "valentine": lambda year: of_days(date(year, 2, 14)),
    "easter": lambda year: of_days(easter(year) - 2 * DAY, 4),
    "pentecost": lambda year: of_days(easter(year) + 48 * DAY, 3),
    "thanksgiving": lambda year: of_days(thanksgiving(year)),
}


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same days with no day twice, in their order."""
    found: list[Span] = []
    for span in sorted(spans, key=first_day):
        if found and first_day(span) <= last_day(found[-1]):
            found[-1] = Span(found[-1].start, max(found[-1], span, key=last_day).end)
        else:
            found.append(span)
    return found


def common(some: Iterable[Span], others: list[Span]) -> list[Span]:
    """The days that are in both."""
    pairs = (
        (max(one, other, key=first_day).start, min(one, other, key=last_day).end) for one in some for other in others
    )
    return merged(Span(start, end) for start, end in pairs if start is None or end is None or start < end)


def _month(year: int, month: int) -> date:
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)
