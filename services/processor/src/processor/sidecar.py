"""Writes what a person says into an XMP sidecar, beside all that other programs wrote there."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from hashlib import blake2b
from typing import NamedTuple

from msgspec import UNSET

from common.edits import Edits
from processor.metadata.packet import LARGEST
from processor.spans import escaped, quoted
from processor.survey import CHANGED, PREFIXES, REPLACED, WRITTEN, Found, Survey, of
from processor.unreadable import Unreadable

Wanted = Mapping[str, list[str]]
"""What each property is to say; one that is to say nothing is not there, and one that is not named is left alone."""

ARRAYS = {"dc:title": "Alt", "dc:description": "Alt", "dc:subject": "Bag", "digiKam:TagsList": "Seq"}
ARRAYS["lr:hierarchicalSubject"] = "Bag"
MINUTE = 60 * 10**8  # the eighth digit of a minute of arc is a fifth of a millimetre
EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Lumilio Photos">\n'
    f"<rdf:RDF xmlns:rdf={quoted(PREFIXES['rdf']).decode()}>\n"
    "</rdf:RDF>\n"
    "</x:xmpmeta>\n"
    '<?xpacket end="w"?>\n'
).encode()


class Clock(NamedTuple):
    """When a photo was taken, in the end: by the clock there, and minutes east of Greenwich if they are known."""

    at: datetime | None
    offset_minutes: int | None


class Merged(NamedTuple):
    """A sidecar that says what a person says, and whether something was taken out that a person took back."""

    content: bytes
    is_taken_back: bool


def wanted(edits: Edits, clock: Clock) -> dict[str, list[str]]:
    """The properties that tell what a person said."""
    found: dict[str, list[str]] = {}
    if edits.title is not UNSET:
        found["dc:title"] = _one(edits.title)
    if edits.description is not UNSET:
        found["dc:description"] = _one(edits.description)
    if edits.rating is not UNSET:
        found["xmp:Rating"] = _one(edits.rating)
    if edits.tags is not UNSET:
        found |= _tags(edits.tags)
    if (edits.taken_time is not UNSET or edits.offset_minutes is not UNSET) and clock.at is not None:
        date = _date(clock.at, clock.offset_minutes)
        found |= {"exif:DateTimeOriginal": [date], "photoshop:DateCreated": [date]}
    if edits.gps_latitude is not UNSET and edits.gps_longitude is not UNSET:
        found["exif:GPSLatitude"] = _angle(edits.gps_latitude, "NS")
        found["exif:GPSLongitude"] = _angle(edits.gps_longitude, "EW")
    return found


def merge(content: bytes, seen: Survey, wants: Wanted, *, at: datetime) -> Merged:
    """The sidecar with what is wanted, or the very same when it says so already; all of other people's stays.

    What others said of the same is kept in the sidecar, and is back where it was when the person takes it back; what
    others said since stays. `Unreadable` when the result is larger than what would be read again.
    """
    said = {one.name: one for one in reversed(seen.found)}
    written = _written(said.get(WRITTEN))
    current = {name: one.values for name, one in said.items()}
    is_told = all(current.get(name, []) == values for name, values in wants.items())
    if is_told and written == {name: _mark(values) for name, values in wants.items()}:
        return Merged(content, is_taken_back=False)

    kept = {one.name: one.element for one in reversed(seen.replaced)}
    theirs = {name: one.element for name, one in said.items() if _mark(one.values) != written.get(name)}
    replaced = {name: element for name in wants if (element := theirs.get(name) or kept.get(name))}
    back = {name: element for name in written.keys() - wants.keys() if (element := theirs.get(name) or kept.get(name))}
    lines = [*back.values(), *_lines(wants, replaced, at)]
    removed = wants.keys() | written.keys() | {WRITTEN, REPLACED, CHANGED}
    result = _spliced(content, seen, removed, lines)
    if len(result) > LARGEST:
        raise Unreadable(f"the sidecar would be larger than {LARGEST >> 20} MB: use fewer or shorter words")
    return Merged(result, is_taken_back=bool(written.keys() - wants.keys()))


def empty() -> tuple[bytes, Survey]:
    """A sidecar in which nothing stands yet."""
    return EMPTY, of(EMPTY)


def _written(found: Found | None) -> dict[str, str]:
    """What was written last by this product, as marks of it; whatever else stands there is nobody's word."""
    try:
        told = json.loads(found.values[0]) if found is not None and found.values else {}
    except ValueError:
        return {}
    return {str(name): str(mark) for name, mark in told.items()} if isinstance(told, dict) else {}


def _mark(values: list[str]) -> str:
    return blake2b(json.dumps(values).encode(), digest_size=8).hexdigest()


def _lines(wants: Wanted, replaced: Mapping[str, bytes], at: datetime) -> Iterator[bytes]:
    for name, values in wants.items():
        if values:
            yield _element(name, values)
    if replaced:
        inner = b"".join(replaced[name] for name in sorted(replaced))
        yield b'<lumilio:Replaced rdf:parseType="Resource">' + inner + b"</lumilio:Replaced>"
    if wants:
        yield _element(WRITTEN, [json.dumps({name: _mark(values) for name, values in sorted(wants.items())})])
    yield _element(CHANGED, [at.isoformat(timespec="seconds")])


def _element(name: str, values: list[str]) -> bytes:
    tag = name.encode()
    if (array := ARRAYS.get(name, "").encode()) == b"":
        return b"<%s>%s</%s>" % (tag, escaped(values[0]), tag)
    item = b'<rdf:li xml:lang="x-default">' if array == b"Alt" else b"<rdf:li>"
    items = b"".join(item + escaped(value) + b"</rdf:li>" for value in values)
    return b"<%s><rdf:%s>%s</rdf:%s></%s>" % (tag, array, items, array, tag)


def _spliced(content: bytes, seen: Survey, removed: set[str], lines: list[bytes]) -> bytes:
    """The sidecar without some properties, and with a description of ours behind those of others."""
    declared = b"".join(b" xmlns:%s=%s" % (prefix.encode(), quoted(uri)) for prefix, uri in PREFIXES.items())
    block = b"<rdf:Description rdf:about=%s%s>\n%s\n</rdf:Description>\n" % (seen.about, declared, b"\n".join(lines))
    gone = [(one.start, one.end) for one in seen.found if one.name in removed]
    gone += [(start, end) for start, end in seen.blocks if _is_emptied(start, end, seen, removed)]
    room = seen.room
    new = (room.start, room.end, room.before + block + room.behind)
    return b"".join(_pieces(content, sorted([*((start, end, b"") for start, end in gone), new])))


def _is_emptied(start: int, end: int, seen: Survey, removed: set[str]) -> bool:
    return all(one.name in removed for one in seen.found if start <= one.start < end)


def _pieces(content: bytes, cuts: list[tuple[int, int, bytes]]) -> Iterator[bytes]:
    """What is left between the cuts, and what comes instead of them; a cut within another is one with it."""
    at = 0
    for start, end, instead in cuts:
        if end > at or instead:
            yield content[at:start]
            yield instead
            at = max(at, end)
    yield content[at:]


def _one(value: str | int | None) -> list[str]:
    return [] if value is None else [str(value)]


def _tags(tags: list[str]) -> dict[str, list[str]]:
    """Whole paths as digiKam and Lightroom write them, and their last words for everybody else."""
    return {
        "dc:subject": list(dict.fromkeys(tag.rpartition("/")[2] for tag in tags)),
        "digiKam:TagsList": tags,
        "lr:hierarchicalSubject": [tag.replace("/", "|") for tag in tags],
    }


def _date(at: datetime, offset_minutes: int | None) -> str:
    if offset_minutes is None:
        return at.isoformat()
    return at.replace(tzinfo=timezone(timedelta(minutes=offset_minutes))).isoformat()


def _angle(degrees: float | None, sides: str) -> list[str]:
    """Degrees and minutes, `48,51.50000000N`."""
    if degrees is None:
        return []
    whole, rest = divmod(round(abs(degrees) * 60 * 10**8), MINUTE)
    minutes, digits = divmod(rest, 10**8)
    return [f"{whole},{minutes}.{digits:08d}{sides[degrees < 0]}"]
