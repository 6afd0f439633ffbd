"""A repository's root on the disk: its folders, and the marker that says which repository it is."""

import os
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from common import files, layout, marker
from common.marker import Marker
from lumilio import durable
from lumilio.refusal import CannotStart

MARKER_MODE = 0o644


def create(root: bytes, repository_id: UUID, *, name: str) -> None:
    """Folders first, the marker last, all durable: a root with a marker is complete."""
    os.makedirs(root, exist_ok=True)
    for path in layout.FOLDERS:
        with files.folder(root, path, make=True):
            pass
    durable.sync(os.path.dirname(os.fsdecode(root)))
    made = Marker(id=repository_id, name=name, created_at=datetime.now(UTC).replace(microsecond=0))
    durable.write(_marker(root), msgspec.yaml.encode(made), mode=MARKER_MODE)


def find_id(root: bytes) -> UUID | None:
    """Which repository lives at a root; None when none does."""
    if not os.path.exists(_marker(root)):
        return None
    try:
        return marker.read(root).id
    except files.Offline as error:
        raise CannotStart(f"{_marker(root)}: {error}; put it back as it was, its id is the repository's") from None


def _marker(root: bytes) -> str:
    return os.fsdecode(os.path.join(root, layout.MARKER))
