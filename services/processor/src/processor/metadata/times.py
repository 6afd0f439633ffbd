"""When a photo was taken: which of the clocks that speak of it is believed, and what zone it was in."""

from collections.abc import Sequence
from datetime import datetime

from processor.metadata.record import Moment, Said, Told, Values

FURTHEST_OFFSET, OFFSET_STEP = 14 * 60, 15  # minutes, of the time zones there are
CLOCK_ERROR = 150  # seconds that a camera may be off and still tell us its time zone


def decide(sources: Sequence[Said], _told: Told, notes: list[str]) -> Values:
    """The first moment in the order of trust, with the offset of its clock if anything tells it."""
    greenwich = next((said.instant for said in sources if said.instant is not None), None)
    moment = next((moment for said in sources for moment in said.moments), None)
    if moment is not None:
        minutes, witness = _offset(moment, greenwich, notes)
        return {
            "taken_at": moment.at,
            "taken_from": moment.source,
            "offset_minutes": minutes,
            "offset_from": witness,
        }
    if greenwich is not None:
        return {"taken_at": greenwich, "taken_from": "GPS", "offset_minutes": 0, "offset_from": "GPS"}
    return {}


def _offset(moment: Moment, greenwich: datetime | None, notes: list[str]) -> tuple[int | None, str | None]:
    """Minutes east of Greenwich by the camera's word, else by the GPS clock, and which of them said so."""
    if moment.offset_minutes is not None:
        return moment.offset_minutes, moment.offset_source
    if greenwich is None:
        return None, None
    seconds = (moment.at - greenwich).total_seconds()
    minutes = OFFSET_STEP * round(seconds / 60 / OFFSET_STEP)
    if abs(minutes) <= FURTHEST_OFFSET and abs(seconds - 60 * minutes) <= CLOCK_ERROR:
        return minutes, "GPS"
    notes.append("the GPS clock fits no time zone")
    return None, None
