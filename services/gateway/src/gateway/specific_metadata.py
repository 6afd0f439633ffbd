"""What a client sends back of an asset's `specific_metadata`, as what a person says."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import ValidationError, convert, structs

from common.edits import Edits
from gateway.errors import Invalid, Unusable

CALLED = {"keywords": "tags", "recorded_time": "taken_time"}
NAMES = {field.name for field in structs.fields(Edits)}


def edits(sent: dict[str, Any], shown: dict[str, Any]) -> Edits:
    """What is different from what is shown; what is missing stays as it is.

    Unusable, in words, for what only the file says and a person cannot.
    """
    changed = {CALLED.get(name, name): value for name, value in sent.items() if shown.get(name) != value}
    if fixed := sorted(changed.keys() - NAMES):
        told = ", ".join(sorted(NAMES))
        raise Unusable(
            f"{', '.join(fixed)[:200]}: the file says so; send it as it was or not at all. To change are {told}"
        )
    if "taken_time" in changed:
        changed |= _time(changed["taken_time"])
    try:
        return convert(changed, Edits)
    except ValidationError as error:
        raise Invalid(f"specific_metadata: {error}") from None


def _time(said: Any) -> dict[str, Any]:
    """A time with a zone is the clock's there, and says how far that is from UTC."""
    try:
        taken = convert(said, datetime)
    except ValidationError as error:
        raise Invalid(f"taken_time: {error}") from None
    offset = taken.utcoffset()
    zone = {} if offset is None else {"offset_minutes": offset // timedelta(minutes=1)}
    return {"taken_time": taken.replace(tzinfo=None), **zone}
