"""What placing does on disk: examine, link, note. Every step may be repeated without a second effect."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote_from_bytes

import msgspec

from common import files, layout
from common.files import Seen
from ingest import names
from ingest.queries import Asset, Original, StagedUpload

Health = Literal["present", "missing", "corrupt"]


class NoFreeName(OSError):
    """Every name that a file could get is taken."""


@dataclass(frozen=True)
class Placement:
    """Where an upload's bytes lie now."""

    upload: StagedUpload
    path: bytes
    seen: Seen


def examine(original: Original, asset: Asset) -> Health:
    """The state of an original: its size always, its bytes too when nobody has read them for a day."""
    files.check_marker(original.root, original.repository_id)
    seen = files.see(original.root, original.path)
    if seen is None:
        return "missing"
    if seen.size != asset.size:
        return "corrupt"
    if not original.verified_lately and files.hash_file(original.root, original.path) != asset.content_hash:
        return "corrupt"
    return "present"


def place_first(asset: Asset, uploads: Sequence[StagedUpload]) -> Placement | None:
    """Place the first upload whose bytes are still what was acknowledged; None when there is none."""
    for upload in uploads:
        files.check_marker(upload.root, upload.repository_id)
        if (path := _place(asset, upload)) is not None:
            seen = files.see(upload.root, path)
            if seen is not None:
                _note(asset, upload, path)
                return Placement(upload, path, seen)
    return None


def forget(uploads: Sequence[StagedUpload]) -> None:
    """Remove the staged names of settled uploads; what a crash leaves here, housekeeping removes."""
    for upload in uploads:
        files.forget(upload.root, layout.staged(upload.staged_name))


def _place(asset: Asset, upload: StagedUpload) -> bytes | None:
    staged = layout.staged(upload.staged_name)
    paths = list(names.candidates(upload.file_name, upload.staged_name, upload.created_at.astimezone()))
    if files.hash_file(upload.root, staged) != asset.content_hash:
        # Without hard links placing moves the bytes, so an interrupted run may have left them at their place.
        return next((path for path in paths if files.hash_file(upload.root, path) == asset.content_hash), None)
    for path in paths:
        if _take_name(upload.root, staged, path):
            return path
    raise NoFreeName(f"all names for {upload.file_name!r} are taken")


def _take_name(root: bytes, staged: bytes, path: bytes) -> bool:
    """Give staged bytes a final name; one that an interrupted run already gave them counts."""
    try:
        files.place(root, staged, path)
    except FileExistsError:
        return files.see(root, path) == files.see(root, staged)
    return True


def _note(asset: Asset, upload: StagedUpload, path: bytes) -> None:
    """Write the manifest line from which the catalogue can be rebuilt; a repeated line says the same."""
    now = datetime.now(UTC)
    line = {
        "path": quote_from_bytes(path),
        "name": upload.file_name,
        "hash": asset.content_hash.hex(),
        "size": asset.size,
        "owner": asset.owner_id,
        "asset": str(asset.asset_id),
        "uploaded_at": upload.created_at,
        "placed_at": now,
    }
    files.append_durably(upload.root, layout.manifest(now), msgspec.json.encode(line))
