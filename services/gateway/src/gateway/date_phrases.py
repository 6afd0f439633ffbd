"""Reads which times are meant in what people type, and leaves the words that say something else."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from gateway import date_words as words
from gateway.date_rules import RULES, any_of
from gateway.date_spans import FIRST_YEAR, Now, Span, common, first_day, last_day, merged

MOST = 6  # times that anybody names in one breath
BOUNDS = any_of([*words.SINCE, *words.BEFORE, *words.UNTIL, *words.AFTER])
LEADING = rf"(?:(?:{any_of(words.LEADING)})\s+){{0,3}}"
LEAD = re.compile(rf"(?<!\w){LEADING}(?:(?P<bound>{BOUNDS})\s+)?{LEADING}$")
TO = re.compile(r"\s*(?:to|through|until|till|bis|[-\u2013\u2014])\s*(?:(?:the|zum|zu)\s+)?")
TO_AND = re.compile(r"\s*(?:to|and|und|bis|[-\u2013\u2014])\s*(?:(?:the|zum|zu)\s+)?")


class Phrase(NamedTuple):
    """Some words about time, and what they mean; what recurs is meant of every year."""

    text: str
    spans: list[Span]
    recurs: bool


class Reading(NamedTuple):
    """The phrases of a text, and what else it says."""

    phrases: list[Phrase]
    rest: str
    since: int

    @property
    def spans(self) -> list[Span]:
        """What all phrases mean together: any of the times, and of what recurs that which lies in them."""
        fixed = merged(span for phrase in self.phrases if not phrase.recurs for span in phrase.spans)
        recurring = merged(span for phrase in self.phrases if phrase.recurs for span in phrase.spans)
        if fixed and recurring:
            return common(fixed, recurring) or fixed
        return fixed or [span for span in recurring if last_day(span).year >= self.since]


class Found(NamedTuple):
    """Where in a text a time was found."""

    start: int
    end: int
    spans: list[Span]
    recurs: bool
    is_certain: bool


def read(text: str, today: date, since: int = FIRST_YEAR) -> Reading:
    """The times that a text names on that day. What comes back every year is meant from the year `since` on."""
    text = unicodedata.normalize("NFC", text)
    plain = "".join(map(_plain, text))
    kept = list(_joined(plain, _found(plain, Now(today))))
    rest, at = [], 0
    for one in kept:
        rest.append(text[at : one.start])
        at = one.end
    phrases = [Phrase(text[one.start : one.end].strip(), one.spans, one.recurs) for one in kept]
    return Reading(phrases, " ".join(" ".join([*rest, text[at:]]).split()), since)


def _plain(letter: str) -> str:
    """A letter without case and accent; always one, so that places in the text stay what they are."""
    return (unicodedata.normalize("NFD", letter)[0].lower() or letter)[:1]


def _found(plain: str, now: Now) -> list[Found]:
    """The times of a text one after the other: of those that begin at one place the longest."""
    matches = ((match, rule) for rule in RULES for match in rule.pattern.finditer(plain))
    kept: list[Found] = []
    for match, rule in sorted(matches, key=lambda one: (one[0].start(), -one[0].end())):
        if len(kept) == MOST:
            break
        if (not kept or match.start() >= kept[-1].end) and (spans := rule.mean(match, now)):
            kept.append(Found(match.start(), match.end(), spans, rule.recurs, rule.is_certain))
    return kept


def _joined(plain: str, found: list[Found]) -> Iterator[Found]:
    """With the words around them: what leads to a time, what bounds it, and from one to another."""
    at, end = 0, 0
    while at < len(found):
        one = found[at]
        lead = LEAD.search(plain, end, one.start)
        around = lead[0].split() if lead else []
        is_between = not {"between", "zwischen"}.isdisjoint(around)
        if at + 1 < len(found) and (TO_AND if is_between else TO).fullmatch(plain, one.end, found[at + 1].start):
            at += 1
            one = _from_to(one, found[at])
        at, end = at + 1, one.end
        is_alone = not (plain[: one.start] + plain[one.end :]).strip()
        if one.is_certain or is_alone or not words.ARTICLES.issuperset(around):
            yield one._replace(
                start=lead.start() if lead else one.start,
                spans=_bounded(one.spans, lead["bound"] if lead else None),
            )


def _from_to(one: Found, other: Found) -> Found:
    """From a time to the next other one; of what recurs, in each year."""
    starts, ends = one.spans, other.spans
    if len(starts) == 1:
        ends = [end for end in ends if first_day(end) >= first_day(starts[0])][:1] or ends[:1]
    before = [bisect_right(starts, first_day(end), key=first_day) for end in ends]
    spans = [Span(starts[number - 1].start, end.end) for number, end in zip(before, ends, strict=True) if number]
    return Found(one.start, other.end, spans or [*starts, *ends], one.recurs and other.recurs, is_certain=True)


def _bounded(spans: list[Span], bound: str | None) -> list[Span]:
    """Since, before, until or after a time; of what is every year nothing is."""
    if bound is None or len(spans) != 1:
        return spans
    start, end = spans[0]
    if bound in words.SINCE:
        return [Span(start, None)]
    if bound in words.AFTER:
        return [Span(end, None)]
    return [Span(None, start if bound in words.BEFORE else end)]
