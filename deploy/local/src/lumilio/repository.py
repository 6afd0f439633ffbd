"""A repository's root on the disk: its folders, and the marker that says which repository it is."""

import os
from datetime import UTC, datetime
from uuid import UUID

import yaml

from common import files, layout
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
    marker = {
        "version": "1.0",
        "id": str(repository_id),
        "name": name,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "storage_strategy": "date",
    }
    text = yaml.safe_dump(marker, sort_keys=False, allow_unicode=True)
    durable.write(_marker(root), text.encode(), mode=MARKER_MODE)


def find_id(root: bytes) -> UUID | None:
    """Which repository lives at a root; None when none does."""
    try:
        with open(_marker(root), "rb") as file:
            return UUID(yaml.safe_load(file)["id"])
    except FileNotFoundError:
        return None
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        raise CannotStart(
            f"{_marker(root)} cannot be read: put it back as it was, its id is the repository's"
        ) from None


def _marker(root: bytes) -> str:
    return os.fsdecode(os.path.join(root, layout.MARKER))
