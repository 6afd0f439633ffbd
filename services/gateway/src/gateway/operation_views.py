"""Work on many assets as people see it, in words."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, convert

from gateway.actions import (
    AddToAlbum,
    Archive,
    Deed,
    DropTag,
    Edit,
    Like,
    MoveTag,
    RemoveFromAlbum,
    Reprocess,
    Restore,
    SetZone,
    ShiftTime,
    Spoken,
    Tag,
    Trash,
)
from gateway.operation_schemas import FailureDTO, OperationDTO, OperationList, OperationState
from gateway.queries.operations import Failure, Operation

ENDINGS = {
    "waiting": "it starts as soon as what was asked for before is done",
    "running": "it is being done",
    "done": "done",
    "stopped": "it was stopped; what was done stays done",
    "failed": "it was given up; what was done stays done",
}


def page(found: Sequence[Operation], failures: Sequence[Failure], *, limit: int) -> OperationList:
    """A page, with the way to the page after it if there may be one."""
    return OperationList(
        operations=[show(one, failures) for one in found],
        limit=limit,
        next=found[-1].operation_id if len(found) == limit else UNSET,
    )


def show(one: Operation, failures: Sequence[Failure]) -> OperationDTO:
    """One operation, with why some of it could not be done."""
    return OperationDTO(
        operation_id=one.operation_id,
        kind=one.action["kind"],
        title=title(convert(one.action, Deed)),
        message=_message(one),
        state=convert(one.state, OperationState),
        total=one.total,
        done=one.done,
        changed=one.changed,
        failed=one.failed,
        failures=[_failure(failure) for failure in failures if failure.operation_id == one.operation_id],
        error=one.error,
        action=one.action,
        filter=one.filter,
        asked_by=one.asked_by,
        asked_at=one.asked_at,
        started_at=one.started_at,
        ended_at=one.ended_at,
    )


def title(deed: Deed) -> str:
    """What is done, as a person would say it."""
    match deed:
        case Like():
            return "like" if deed.liked else "no longer like"
        case Archive():
            return "put into the archive" if deed.archived else "take out of the archive"
        case Trash():
            return "put into the trash"
        case Restore():
            return "take back from the trash"
        case AddToAlbum():
            return f"put into the album {deed.album_id}"
        case RemoveFromAlbum():
            return f"take out of the album {deed.album_id}"
        case Reprocess():
            return f"process again: {deed.scope}"
        case _:
            return _of_words(deed)


def _of_words(deed: Spoken) -> str:
    match deed:
        case Edit():
            return _edit(deed)
        case Tag():
            return ", ".join(filter(None, (_tags("add", deed.add), _tags("remove", deed.remove))))
        case MoveTag():
            return f"rename the tag {deed.old} to {deed.new}"
        case DropTag():
            return f"delete the tag {deed.path}"
        case ShiftTime():
            return f"shift the time they were taken by {_span(deed.minutes * 60 + deed.seconds)}"
        case SetZone():
            return f"set the time zone to {deed.zone}"


def _tags(verb: str, tags: Sequence[str]) -> str:
    return f"{verb} the tag{'s' if len(tags) > 1 else ''} {', '.join(tags)}" if tags else ""


def _edit(edit: Edit) -> str:
    said: Mapping[str, object] = {name: value for name in NAMES if (value := getattr(edit, name)) is not UNSET}
    words = [f"set {NAMES[name]}" for name in said] + [f"ask the file for {NAMES[name]}" for name in edit.reset]
    return ", ".join(dict.fromkeys(words))


NAMES = {
    "title": "the title",
    "description": "the description",
    "rating": "the rating",
    "tags": "the tags",
    "taken_time": "the time taken",
    "offset_minutes": "the offset of the time zone",
    "gps_latitude": "the position",
    "gps_longitude": "the position",
}


def _span(seconds: int) -> str:
    sign, (minutes, rest) = "-" if seconds < 0 else "+", divmod(abs(seconds), 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    return sign + " ".join(f"{number} {unit}" for number, unit in parts if number)


def _message(one: Operation) -> str:
    counts = f"{one.done:,} of {one.total:,}: {one.changed:,} changed"
    failed = f", {one.failed:,} could not be" if one.failed else ""
    return f"{ENDINGS[one.state]}; {counts}{failed}"


def _failure(failure: Failure) -> FailureDTO:
    return FailureDTO(reason=failure.reason, count=failure.count, asset_ids=failure.asset_ids)
