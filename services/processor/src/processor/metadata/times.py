"""When a photo was taken: which of the clocks that speak of it is believed, and what zone it was in."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import structs

from processor.metadata import file_names
from processor.metadata.record import Moment, Said, Told, Values

FURTHEST_OFFSET, OFFSET_STEP = 14 * 60, 15  # minutes, of the time zones there are
CLOCK_ERROR = 150  # seconds that a camera may be off and still tell us its time zone
SATELLITES, CHANGED = "GPSDateTime", "FileModifyDate"


def decide(sources: Sequence[Said], told: Told, notes: list[str]) -> Values:
    """The first moment in the order of trust, and the offset of its clock if it or the satellites tell it.

    A moment that is only known in Greenwich is told as there, offset 0, until somebody knows the zone of the place.
    """
    greenwich = next((said.instant for said in sources if said.instant is not None), None)
    moments = [moment for said in sources for moment in said.moments]
    if moments:
        moment = _exact(moments)
        minutes, witness = _offset(moment, greenwich, notes)
        return _values(moment.at, moment.source, minutes, witness)
    if greenwich is not None:
        return _in_greenwich(greenwich, SATELLITES)
    named = file_names.moment(told.file_name)
    if named is not None:
        return _values(named.at, named.source, named.offset_minutes, named.offset_source)
    return {} if told.modified is None else _in_greenwich(told.modified, CHANGED)


def _exact(moments: Sequence[Moment]) -> Moment:
    """The first, with the fraction and the offset of others that mean the same second: sidecars leave them out."""
    first = _fullest(moments)
    same = [moment for moment in moments if moment.at.replace(microsecond=0) == first.at.replace(microsecond=0)]
    zoned = next((moment for moment in same if moment.offset_minutes is not None), first)
    return structs.replace(
        first,
        at=first.at if first.at.microsecond else max(moment.at for moment in same),
        offset_minutes=zoned.offset_minutes,
        offset_source=zoned.offset_source,
    )


def _fullest(moments: Sequence[Moment]) -> Moment:
    """The first, or what tells more of the same: a year is no contradiction to a day in it."""
    best = moments[0]
    for moment in moments[1:]:
        if best.until is not None and best.at <= moment.at and (moment.until or moment.at) < best.until:
            best = moment
    return best


def _values(at: datetime, source: str, minutes: int | None, witness: str | None) -> Values:
    return {"taken_at": at, "taken_from": source, "offset_minutes": minutes, "offset_from": witness}


def _in_greenwich(at: datetime, source: str) -> Values:
    return _values(at, source, 0, source)


def _offset(moment: Moment, greenwich: datetime | None, notes: list[str]) -> tuple[int | None, str | None]:
    """Minutes east of Greenwich by the source's word, else by the satellites' clock, and which of them said so."""
    if moment.offset_minutes is not None:
        return moment.offset_minutes, moment.offset_source
    if greenwich is None:
        return None, None
    seconds = (moment.at - greenwich).total_seconds()
    minutes = OFFSET_STEP * round(seconds / 60 / OFFSET_STEP)
    if abs(minutes) <= FURTHEST_OFFSET and abs(seconds - 60 * minutes) <= CLOCK_ERROR:
        return minutes, SATELLITES
    notes.append("the GPS clock fits no time zone")
    return None, None
