"""What placing does on disk: examine, link, note. Every step may be repeated without a second effect."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote_from_bytes

import msgspec

from common import files, layout, marker
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
    """The state of an original; its bytes are read unless it is untouched and they were read within the last day."""
    marker.check(original.root, original.repository_id, original.private_root)
    try:
        seen = files.see(original.root, original.path)
        if seen is None:
            return "missing"
        if original.verified_lately and seen == original.recorded:
            return "present"
        is_right = files.hash_file(original.root, original.path) == asset.content_hash
    except OSError:  # a bad sector, or something else than a file under its name
        return "corrupt"
    return "present" if is_right else "corrupt"


def place_first(asset: Asset, uploads: Sequence[StagedUpload], foreign: AbstractSet[bytes]) -> Placement | None:
    """Place the first upload whose staged bytes are still what was acknowledged; None when there is none.

    A path in `foreign` belongs to another asset, even when nothing lies there at the moment.
    """
    for upload in uploads:
        marker.check(upload.root, upload.repository_id)
        if files.hash_file(upload.root, layout.staged(upload.staged_name)) == asset.content_hash:
            return _noted(asset, upload, _place(upload, foreign))
    return None


def find_moved(asset: Asset, uploads: Sequence[StagedUpload], foreign: AbstractSet[bytes]) -> Placement | None:
    """Where an interrupted run moved the bytes of an upload, on a file system that knows no links."""
    for upload in uploads:
        for path in paths_of(upload):
            if path not in foreign and files.hash_file(upload.root, path) == asset.content_hash:
                return _noted(asset, upload, path)
    return None


def paths_of(upload: StagedUpload) -> list[bytes]:
    """The paths that an upload may get, in their order."""
    return list(names.candidates(upload.file_name, upload.staged_name, upload.created_at.astimezone()))


def forget(uploads: Sequence[StagedUpload]) -> None:
    """Remove the staged names of settled uploads; what a crash leaves here, housekeeping removes."""
    for upload in uploads:
        files.forget(upload.root, layout.staged(upload.staged_name))


def _place(upload: StagedUpload, foreign: AbstractSet[bytes]) -> bytes:
    for path in paths_of(upload):
        if path not in foreign and _take_name(upload.root, layout.staged(upload.staged_name), path):
            return path
    raise NoFreeName(f"all names for {upload.file_name!r} are taken")


def _take_name(root: bytes, staged: bytes, path: bytes) -> bool:
    """Give staged bytes a final name; one that an interrupted run already gave them counts."""
    try:
        files.place(root, staged, path)
    except FileExistsError:
        return _is_same(root, path, staged)
    return True


def _is_same(root: bytes, path: bytes, staged: bytes) -> bool:
    """Whether two names are one file; what is no file at all is not."""
    try:
        return files.see(root, path) == files.see(root, staged)
    except OSError:
        return False


def _noted(asset: Asset, upload: StagedUpload, path: bytes) -> Placement:
    """The placement, after the manifest line from which the catalogue can be rebuilt; a repeated line says the same."""
    seen = files.see(upload.root, path)
    if seen is None:
        raise FileNotFoundError(f"{path!r} vanished while it was placed")
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
    return Placement(upload, path, seen)
