"""Looks at originals on the disk: whether they are what is said of them, and what lies in the trash."""

import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from common import files, folders, layout, tracks
from common.files import NO_FILE, STARVED, Seen
from common.formats import Format
from common.sniff import HEAD_BYTES, sniff
from lumilio.rebuild.queries import Found

LONGEST_NOTE = 64 * 1024
SPARED = timedelta(hours=1)
"""So long ago at most something was thrown away that is found in the trash: people have its whole time to notice."""
TRASHED = re.compile(rb"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})_(.+)", re.DOTALL)


class Look(NamedTuple):
    """A file as it is on the disk, and its format by its first bytes, None when it is none that we take."""

    seen: Seen
    format: Format | None


class Note(msgspec.Struct, frozen=True):
    """What the note of an original in the trash says; each word may be missing."""

    deleted_at: datetime | None = None
    reason: str | None = None
    original_path: str | None = None
    user_id: int | None = None


class Trashed(NamedTuple):
    """An original in the trash, of which asset it is by its name, and what its note says."""

    path: bytes
    asset_id: UUID
    name: bytes
    note: Note


def look(root: bytes, path: bytes) -> Look | None:
    """What lies at a path, or None when that is no file; OSError when it cannot be said."""
    try:
        descriptor = files.open_original(root, path)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in NO_FILE and error.errno not in STARVED:
            return None
        raise
    try:
        return Look(files.seen(os.fstat(descriptor)), _format(descriptor))
    finally:
        os.close(descriptor)


def list_trashed(root: bytes) -> Iterator[Trashed]:
    """Every original in the trash that is called like one."""
    for path, _ in folders.walk(root, layout.TRASH):
        found = TRASHED.fullmatch(os.path.basename(path))
        if found and not path.endswith((layout.SIDECAR, layout.XMP)):
            yield Trashed(path, UUID(found[1].decode()), found[2], _note(root, path))


def _note(root: bytes, path: bytes) -> Note:
    try:
        with open(files.open_original(root, layout.sidecar(path)), "rb") as file:
            note = msgspec.json.decode(file.read(LONGEST_NOTE), type=Note)
    except (OSError, msgspec.DecodeError):
        return Note()
    at = note.deleted_at
    return msgspec.structs.replace(note, deleted_at=at.astimezone(UTC) if at is not None and at.tzinfo else None)


def _format(descriptor: int) -> Format | None:
    size = os.fstat(descriptor).st_size
    found = sniff(os.pread(descriptor, HEAD_BYTES, 0))
    return found and tracks.settled(found, lambda start, length: os.pread(descriptor, length, start), size)


def trashed(found: Found, one: Trashed, before: Sequence[bytes]) -> Found:
    """The same original as one in the trash, which goes back to where its note says that it came from."""
    said, now = one.note.original_path, datetime.now(UTC)
    home = next((path for path in before if path.decode(errors="backslashreplace") == said), before[0])
    return msgspec.structs.replace(
        found,
        path=one.path,
        trashed_at=max(one.note.deleted_at or now, now - SPARED),
        trash_reason=one.note.reason,
        trashed_from=home,
    )
