"""What placing does on disk: verify, link, note, set aside. Every step may be repeated without a second effect."""

import contextlib
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_from_bytes

import msgspec

from common import files, inbox, layout, manifest_lines, marker, sidecars
from common.files import STARVED, Seen
from ingest.queries import Asset, Original, Spot, StagedUpload

SIDECAR_MODE = 0o640


class NoFreeName(OSError):
    """Every name that a file could get is taken."""


class Occupied(Exception):
    """The name that an upload takes over is still another original's."""

    def __init__(self, spot: Spot) -> None:
        super().__init__("another original still has the name that the upload takes over")
        self.spot = spot


@dataclass(frozen=True)
class Wish:
    """An upload that waits in staging, and the paths that it may get, in their order."""

    upload: StagedUpload
    paths: tuple[bytes, ...]
    overwrites: bool

    def spots(self) -> list[Spot]:
        """The paths, each with its repository."""
        return [(self.upload.repository_id, path) for path in self.paths]


@dataclass(frozen=True)
class Placement:
    """Where an upload's bytes lie now."""

    upload: StagedUpload
    path: bytes
    seen: Seen


@dataclass(frozen=True)
class Placed:
    """What came of placing an asset's uploads: one may have its place, and of some the bytes are not what they were."""

    placement: Placement | None = None
    failed: tuple[StagedUpload, ...] = ()

    @property
    def settled(self) -> tuple[StagedUpload, ...]:
        """The uploads of which this says what became of them."""
        return self.failed if self.placement is None else (*self.failed, self.placement.upload)


def wish(asset: Asset, upload: StagedUpload) -> Wish:
    """The names for an upload by the rules of its repository; Offline when that is not there.

    What belongs in the trash itself takes nobody's name.
    """
    rules = marker.check(upload.root, upload.repository_id)
    clash, at = rules.local_settings.handle_duplicate_filenames, upload.created_at.astimezone()
    path = inbox.wanted(
        rules,
        file_name=upload.file_name,
        asset_id=asset.asset_id,
        content_hash=asset.content_hash,
        mime_type=asset.mime_type,
        at=at,
    )
    paths = inbox.candidates(path, token=upload.staged_name, clash=clash, at=at)
    return Wish(upload, tuple(paths), overwrites=clash == "overwrite" and asset.trashed_at is None)


def place_first(
    asset: Asset,
    wishes: Sequence[Wish],
    *,
    foreign: AbstractSet[Spot],
    rivals: AbstractSet[Spot],
    own: AbstractSet[Spot] = frozenset(),
) -> Placed:
    """Place the first upload whose bytes are still what was acknowledged.

    A path in `foreign` belongs to another asset, even when nothing lies there at the moment; Occupied when the upload
    takes over a path in `rivals`. A sidecar that is there already is adopted only at a path in `own`.
    """
    failed: list[StagedUpload] = []
    for wish in wishes:
        if (source := _find_staged(asset, wish.upload)) is None:
            path = _find_moved(asset, wish, foreign)
        elif wish.overwrites and (spot := wish.spots()[0]) in rivals:
            raise Occupied(spot)
        else:
            path = _take_first(wish, source, foreign, own)
        if path is not None:
            return Placed(_noted(asset, wish.upload, path), tuple(failed))
        failed.append(wish.upload)
    return Placed(failed=tuple(failed))


def set_aside(asset: Asset, upload: StagedUpload, reason: str) -> None:
    """Take staged bytes that cannot be kept out of the way, with a note that says what they were.

    Offline when the repository went away meanwhile: what was not found there is not lost.
    """
    marker.check(upload.root, upload.repository_id)
    path = layout.failed(upload.staged_name)
    try:
        files.move(upload.root, layout.staged(upload.staged_name), path)
    except FileNotFoundError:
        if files.see(upload.root, path) is None:
            return
    note = {
        "reason": reason,
        "file_name": upload.file_name,
        "owner": asset.owner_id,
        "asset": str(asset.asset_id),
        "upload": upload.upload_id,
        "failed_at": datetime.now(UTC),
    }
    write_note(upload.root, path, note)


def write_note(root: bytes, path: bytes, note: dict[str, Any]) -> None:
    """A sidecar that says what a file is; one that an interrupted run wrote says the same."""
    with contextlib.suppress(FileExistsError):
        files.write_new(root, layout.sidecar(path), msgspec.json.encode(note), mode=SIDECAR_MODE)


def forget(uploads: Sequence[StagedUpload]) -> None:
    """Remove the staged names of settled uploads; what a crash leaves here, housekeeping removes."""
    for upload in uploads:
        files.forget(upload.root, layout.staged(upload.staged_name))


def _find_staged(asset: Asset, upload: StagedUpload) -> bytes | None:
    """Where an upload's bytes wait, if they are what was acknowledged; a doubt that proved wrong does no harm."""
    for path in (layout.staged(upload.staged_name), layout.failed(upload.staged_name)):
        if files.hash_file(upload.root, path) == asset.content_hash:
            return path
    return None


def _find_moved(asset: Asset, wish: Wish, foreign: AbstractSet[Spot]) -> bytes | None:
    """Where an interrupted run moved the bytes of an upload, on a file system that knows no links."""
    root = wish.upload.root
    if files.see(root, layout.staged(wish.upload.staged_name)) is not None:
        return None
    free = (path for repository, path in wish.spots() if (repository, path) not in foreign)
    return next((path for path in free if files.hash_file(root, path) == asset.content_hash), None)


def _take_first(wish: Wish, source: bytes, foreign: AbstractSet[Spot], own: AbstractSet[Spot]) -> bytes:
    root = wish.upload.root
    spots = [spot for spot in wish.spots() if spot not in foreign]
    free = (spot[1] for spot in spots if spot in own or not sidecars.is_there(root, spot[1]))
    given = _given_before(root, source, [path for _, path in spots])
    path = given or next((path for path in free if _take(root, source, path)), None)
    if path is None:
        raise NoFreeName(f"all names for {wish.upload.file_name!r} are taken")
    if source == layout.failed(wish.upload.staged_name):
        _no_longer_aside(wish.upload, kept=path)
    return path


def _given_before(root: bytes, source: bytes, paths: Sequence[bytes]) -> bytes | None:
    """The name that an interrupted run gave to staged bytes, though a better one may have become free since."""
    if files.count_names(root, source) == 1:
        return None
    return next((path for path in paths if _is_same(root, path, source)), None)


def _take(root: bytes, source: bytes, path: bytes) -> bool:
    """Give staged bytes a final name; one that an interrupted run already gave them counts."""
    try:
        files.place(root, source, path)
    except FileExistsError:
        return _is_same(root, path, source)
    return True


def _no_longer_aside(upload: StagedUpload, *, kept: bytes) -> None:
    """Whatever made us doubt these bytes, they have their place now."""
    aside = layout.failed(upload.staged_name)
    files.drop(upload.root, aside, kept=kept)
    files.forget(upload.root, layout.sidecar(aside))


def _is_same(root: bytes, path: bytes, source: bytes) -> bool:
    """Whether two names are one file; what is no file at all is not."""
    try:
        return files.see(root, path) == files.see(root, source)
    except OSError as error:
        if error.errno in STARVED:
            raise
        return False


def _noted(asset: Asset, upload: StagedUpload, path: bytes) -> Placement:
    """The placement, after the manifest line from which the catalogue can be rebuilt; a repeated line says the same."""
    seen = files.see(upload.root, path)
    if seen is None:
        raise FileNotFoundError(f"{path!r} vanished while it was placed")
    _append(asset, upload.root, path, name=upload.file_name, uploaded_at=upload.created_at)
    return Placement(upload, path, seen)


def note_move(asset: Asset, original: Original, path: bytes) -> None:
    """The manifest line of an original that lies elsewhere now."""
    came_from = quote_from_bytes(original.path)
    _append(
        *(asset, original.root, path),
        name=asset.original_filename,
        uploaded_at=asset.uploaded_at,
        moved_from=came_from,
    )


def _append(asset: Asset, root: bytes, path: bytes, *, name: str, uploaded_at: datetime | None, **more: str) -> None:
    line = manifest_lines.encoded(
        path,
        name=name,
        content_hash=asset.content_hash,
        size=asset.size,
        owner_id=asset.owner_id,
        asset_id=asset.asset_id,
        uploaded_at=uploaded_at,
        placed_at=(now := datetime.now(UTC)),
        **more,
    )
    manifest_lines.append(root, [line], now=now)
