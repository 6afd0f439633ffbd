"""Takes a query apart: when, where, which names, and what else is to be looked for."""

from collections.abc import Iterable
from datetime import date, datetime, time

from msgspec import structs

from gateway import date_phrases, name_phrases
from gateway.date_spans import Span
from gateway.filter_schemas import AssetFilter, WallTimes, Whereabouts
from gateway.list_schemas import Understood
from gateway.name_phrases import Found, Kind
from gateway.vocabulary import Known

COLUMNS: dict[Kind, str] = {"country": "countries", "region": "regions", "city": "cities"}
MOST_SPANS = 200
SMALL_WORDS = {
    *(
        "a",
        "an",
        "and",
        "are",
        "at",
        "by",
        "for",
        "from",
        "in",
        "is",
        "my",
        "of",
        "on",
        "or",
        "our",
        "the",
        "to",
        "with",
    ),
    *("am", "auf", "aus", "bei", "das", "dem", "den", "der", "des", "die", "ein", "eine", "einem", "einen", "einer"),
    *("fur", "im", "ist", "mein", "meine", "mit", "oder", "und", "vom", "von", "zu", "zum", "zur"),
}
PICTURES = {
    *("all", "me", "photo", "photos", "pic", "pics", "picture", "pictures", "image", "images", "show", "taken"),
    *("alle", "bild", "bilder", "bildern", "foto", "fotos", "zeig", "zeige", "mir"),
}
"""Whoever adds only these to a time or a place wants all of it."""


def read(query: str, today: date, known: Known) -> Understood:
    """What a query means on a day, to somebody who knows these names."""
    timed = date_phrases.read(query, today, known.since)
    placed = name_phrases.places(timed.rest, known.places)
    rest = name_phrases.without(timed.rest, placed)
    if timed.phrases or placed:
        rest = _telling(rest)
    told = Understood(
        dates=[phrase.text for phrase in timed.phrases],
        taken_in=[_wall_times(span) for span in timed.spans],
        places=[timed.rest[one.start : one.end] for one in placed],
        located_in=_whereabouts(placed),
        words=rest,
    )
    return named(told, rest, known)


def named(told: Understood, text: str, known: Known) -> Understood:
    """With the tags, labels and cameras that a text names."""
    names = [name for one in name_phrases.find(text, known.things) for name in one.names]
    return structs.replace(
        told,
        tags=_values(name.value for name in names if name.kind == "tag"),
        labels=_values(name.value for name in names if name.kind == "label"),
        cameras=_values(name.value for name in names if name.kind in {"camera", "camera_make"}),
    )


def narrowed(wanted: AssetFilter, told: Understood) -> AssetFilter:
    """A filter that wants the times and places too, in the plainest words that say it."""
    return _in_time(_in_place(wanted, told.located_in), told.taken_in)


def _telling(rest: str) -> str:
    """What is left of a query beside a time or a place, if it says anything."""
    words = [word for word in rest.split() if word.strip(",.;:!?&/()-")]
    plain = {name_phrases.folded(word.strip(",.;:!?&/()-")) for word in words}
    return " ".join(words) if plain - SMALL_WORDS - PICTURES else ""


def _in_time(wanted: AssetFilter, spans: list[WallTimes]) -> AssetFilter:
    if len(spans) == 1 and wanted.taken is None:
        return structs.replace(wanted, taken=spans[0])
    if spans and wanted.taken_in is not None:
        spans = [_both(one, other) for one in spans for other in wanted.taken_in][:MOST_SPANS]
    return structs.replace(wanted, taken_in=spans) if spans else wanted


def _in_place(wanted: AssetFilter, places: list[Whereabouts]) -> AssetFilter:
    several = []
    for place in places:
        told = [(kind, value) for kind, column in COLUMNS.items() for value in getattr(place, column)]
        if len(told) == 1 and getattr(wanted, told[0][0]) is None:
            wanted = structs.replace(wanted, **dict(told))
        else:
            several.append(place)
    return structs.replace(wanted, located_in=[*(wanted.located_in or []), *several]) if several else wanted


def _both(one: WallTimes, other: WallTimes) -> WallTimes:
    starts = [start for start in (one.start, other.start) if start]
    ends = [end for end in (one.end, other.end) if end]
    return WallTimes(start=max(starts, default=None), end=min(ends, default=None))


def _whereabouts(placed: list[Found]) -> list[Whereabouts]:
    """Of several cities any is meant, but of a city and a country both."""
    merged: list[dict[str, list[str]]] = []
    for one in placed:
        place: dict[str, list[str]] = {}
        for name in one.names:
            place.setdefault(COLUMNS[name.kind], []).append(name.value)
        for other in [other for other in merged if other.keys() & place.keys()]:
            merged.remove(other)
            place = {column: [*other.get(column, []), *place.get(column, [])] for column in {*other, *place}}
        merged.append(place)
    return [Whereabouts(**{column: _values(values) for column, values in place.items()}) for place in merged]


def _values(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _wall_times(span: Span) -> WallTimes:
    start, end = (datetime.combine(day, time()) if day else None for day in span)
    return WallTimes(start=start, end=end)
