"""How people write times: patterns, and what each of them means on a day."""

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import NamedTuple

from gateway import date_words as words
from gateway.date_spans import (
    DAY,
    FEASTS,
    FIRST_YEAR,
    Now,
    Span,
    first_day,
    last_day,
    merged,
    of_day,
    of_days,
    of_month,
    of_season,
    of_week,
    of_year,
)

Meaning = Callable[[re.Match[str], Now], list[Span]]


class Rule(NamedTuple):
    """How some phrases are written, and what each means; nothing, when it is no time after all."""

    pattern: re.Pattern[str]
    mean: Meaning
    recurs: bool = False
    is_certain: bool = True


def any_of(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def _rule(text: str, mean: Meaning, *, recurs: bool = False, is_certain: bool = True) -> Rule:
    """Never within another word, a longer number or the name of a file."""
    whole = re.compile(rf"(?<![\w.])(?<!\d[-/])(?:{text})(?![\w/]|[-.]\d|\.\w)")
    return Rule(whole, mean, recurs, is_certain)


def _iso_day(match: re.Match[str], now: Now) -> list[Span]:
    year = _year(match, now)
    return of_day(year, int(match["m"]), int(match["d"])) if year else []


def _two_orders(match: re.Match[str], now: Now) -> list[Span]:
    """Some say the day first and some the month: where both can be, both are meant."""
    year, one, other = _year(match, now), int(match["a"]), int(match["b"])
    return merged(of_day(year, one, other) + of_day(year, other, one)) if year else []


def _iso_month(match: re.Match[str], now: Now) -> list[Span]:
    year, month = _year(match, now), int(match["m"])
    return [of_month(year, month)] if year and 1 <= month <= 12 else []


def _day_of_month(match: re.Match[str], now: Now) -> list[Span]:
    month, day = _month(match), int(match["d"])
    if match["year"]:
        year = _year(match, now)
        return of_day(year, month, day) if year else []
    return [span for year in now.years for span in of_day(year, month, day) if _has_begun(span, now)]


def _month_of_year(match: re.Match[str], now: Now) -> list[Span]:
    year = _year(match, now)
    return [of_month(year, _month(match))] if year else []


def _season_of_year(match: re.Match[str], now: Now) -> list[Span]:
    year, month = _year(match, now), words.SEASONS[match["season"]]
    if not year:
        return []
    return of_season(year, month)[-1:] if match["to"] else of_season(year, month)


def _feast_of_year(match: re.Match[str], now: Now) -> list[Span]:
    year = _year(match, now)
    return [FEASTS[words.FEASTS[match["feast"]]](year)] if year else []


def _decade(match: re.Match[str], now: Now) -> list[Span]:
    tens = match["tens"]
    year = words.DECADES[match["decade"]] if tens is None else int(tens)
    if year < 100:  # the 90s
        year += 1900 if year + 2000 > now.today.year else 2000
    return [of_year(year, 10)] if year <= now.today.year else []


def _days_ago(match: re.Match[str], now: Now) -> list[Span]:
    return [of_days(now.today - words.DAYS_AGO[match["days"]] * DAY)]


def _last(match: re.Match[str], now: Now) -> list[Span]:
    """The one before the one that is, or the last that was, as one says last summer."""
    is_last, name = match["this"] is None, match["name"]
    if name in words.UNITS:
        return [_back(words.UNITS[name], int(is_last), now.today)]
    spans = [span for span in _recurring(name, now) if not is_last or last_day(span) <= now.today]
    return spans[-1:]


def _back(unit: str, count: int, today: date) -> Span:
    """The day, the week, the month or the year so many of them ago."""
    match unit:
        case "year":
            return of_year(max(today.year - count, 1))
        case "month":
            return of_month(today.year, today.month - count)
        case "weekend":
            return of_days(today - (today.weekday() - 5 + 7 * count) * DAY, 2)
        case "week":
            return of_week(today - 7 * count * DAY)
        case _:
            return of_days(today - count * DAY)


def _ago(match: re.Match[str], now: Now) -> list[Span]:
    return [_back(words.UNITS[match["unit"]], _number(match["count"]), now.today)]


def _last_few(match: re.Match[str], now: Now) -> list[Span]:
    """So many days, weeks, months or years up to today."""
    unit, count = words.UNITS[match["unit"]], _number(match["count"])
    days = {"day": 1, "week": 7, "weekend": 7, "month": 30.44, "year": 365.24}[unit] * count
    return [Span(now.today - timedelta(days=round(days)) + DAY, now.today + DAY)]


def _years(match: re.Match[str], now: Now) -> list[Span]:
    year = _year(match, now)
    return [of_year(year)] if year else []


def _year_to_year(match: re.Match[str], now: Now) -> list[Span]:
    year, last = _year(match, now), int(match["last"])
    return [of_year(year, last - year + 1)] if year and year < last <= now.today.year + 1 else []


def _every(match: re.Match[str], now: Now) -> list[Span]:
    return merged(_recurring(match["name"], now))


def _recurring(name: str, now: Now) -> list[Span]:
    """A month, a season, a feast or a day of the week as often as it has been, the last one last."""
    if name in words.WEEKDAYS:
        return [of_days(now.today - ((now.today.weekday() - words.WEEKDAYS[name] - 1) % 7 + 1) * DAY)]
    if name in words.FEASTS:
        spans = [FEASTS[words.FEASTS[name]](year) for year in now.years]
    elif name in words.SEASONS:
        spans = [span for year in now.years for span in of_season(year, words.SEASONS[name])[-1:]]
        spans = of_season(now.years[0], words.SEASONS[name])[:-1] + spans if now.years else spans
    else:
        spans = [of_month(year, words.MONTHS[name]) for year in now.years]
    return [span for span in spans if _has_begun(span, now)]


def _has_begun(span: Span, now: Now) -> bool:
    return now.is_past(first_day(span))


def _year(match: re.Match[str], now: Now) -> int | None:
    text = match["year"].lstrip("'\u2019")
    year = int(text)
    if len(text) == 2:  # '99
        year += 2000 if year + 2000 <= now.today.year + 1 else 1900
    return year if FIRST_YEAR <= year <= now.today.year + 1 else None


def _month(match: re.Match[str]) -> int:
    return (words.MONTHS | words.SHORT_MONTHS)[match["month"]]


def _number(text: str) -> int:
    return words.NUMBERS[text] if text in words.NUMBERS else int(text)


DIGITS = r"(?P<year>1[89]\d\d|20\d\d)"
YEAR = r"(?P<year>1[89]\d\d|20\d\d|['\u2019]\d\d)"
MONTH = rf"(?P<month>{any_of([*words.MONTHS, *words.SHORT_MONTHS])})"
SEASON = rf"(?P<season>{any_of(words.SEASONS)})"
FEAST = rf"(?P<feast>{any_of(words.FEASTS)})"
COUNT = rf"(?P<count>\d{{1,2}}|{any_of(words.NUMBERS)})"
UNIT = rf"(?P<unit>{any_of(words.UNITS)})"
OF = r"\s+(?:(?:of|in|im|de|del|di)\s+)?"
LAST = rf"(?:{any_of([*words.LAST, *words.LAST_TOO])})"
THIS = rf"(?P<this>{any_of(words.THIS)})"
SOME = any_of([*words.UNITS, *words.MONTHS, *words.SEASONS, *words.FEASTS, *words.WEEKDAYS])
NAMED = [*words.MONTHS, *words.SEASONS, *words.FEASTS]
RULES = [
    _rule(rf"{DIGITS}(?P<s>[-./])(?P<m>\d\d?)(?P=s)(?P<d>\d\d?)", _iso_day),
    _rule(rf"(?P<d>\d\d?)\.\s?(?P<m>\d\d?)\.\s?{DIGITS}", _iso_day),
    _rule(rf"(?P<a>\d\d?)/(?P<b>\d\d?)/{DIGITS}", _two_orders),
    _rule(rf"{DIGITS}[-/](?P<m>\d\d)", _iso_month),
    _rule(rf"(?P<m>\d\d?)[/.]{DIGITS}", _iso_month),
    _rule(rf"(?P<d>\d\d?)(?:st|nd|rd|th|\.)?\s+(?:(?:of|de|di)\s+)?{MONTH}\.?,?{OF}{YEAR}", _day_of_month),
    _rule(rf"{MONTH}\.?\s+(?P<d>\d\d?)(?:st|nd|rd|th)?,?\s+{YEAR}", _day_of_month),
    _rule(rf"(?P<d>\d\d?)(?:st|nd|rd|th|\.)?\s+(?:(?:of|de|di)\s+)?{MONTH}(?P<year>)", _day_of_month, recurs=True),
    _rule(rf"{MONTH}\.?\s+(?P<d>\d\d?)(?:st|nd|rd|th)?(?P<year>)", _day_of_month, recurs=True),
    _rule(rf"{MONTH}\.?,?{OF}{YEAR}", _month_of_year),
    _rule(rf"{YEAR}\s+{MONTH}", _month_of_year),
    _rule(rf"{SEASON}{OF}{YEAR}(?P<to>\s?[-/]\s?\d\d(?:\d\d)?)?", _season_of_year),
    _rule(rf"{YEAR}\s+{SEASON}(?P<to>(?!))?", _season_of_year),
    _rule(rf"{FEAST}{OF}{YEAR}", _feast_of_year),
    _rule(rf"{YEAR}\s+{FEAST}", _feast_of_year),
    _rule(r"(?P<tens>(?:18|19|20)?\d0)(?:['\u2019]?s|er(?:\s+jahren?)?)(?P<decade>)", _decade),
    _rule(rf"(?P<tens>(?!))?(?P<decade>{any_of(words.DECADES)})(?:\s+jahren?)?", _decade),
    _rule(rf"(?P<days>{any_of(words.DAYS_AGO)})", _days_ago),
    _rule(rf"(?:{LAST}|{THIS})\s+(?P<name>{SOME})", _last),
    _rule(rf"{LAST}\s+{COUNT}\s+{UNIT}", _last_few),
    _rule(rf"{COUNT}\s+{UNIT}\s+ago", _ago),
    _rule(rf"vor\s+{COUNT}\s+{UNIT}", _ago),
    _rule(rf"{DIGITS}\s?[-\u2013]\s?(?P<last>1[89]\d\d|20\d\d)", _year_to_year),
    _rule(DIGITS, _years),
    _rule(rf"(?P<name>{any_of(set(NAMED) - words.NAMES_TOO)})", _every, recurs=True),
    _rule(rf"(?P<name>{any_of(words.NAMES_TOO)})", _every, recurs=True, is_certain=False),
]
