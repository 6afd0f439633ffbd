"""Where a stored original stands: examined, and moved into the trash or out of it as its asset asks."""

import os
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from msgspec import structs

from common import files, folders, inbox, layout, marker, relocating, sidecars
from common.files import BROKEN_DISK, STARVED
from common.names import display_name
from ingest import place
from ingest.queries import Asset, Original, Spot

Health = Literal["present", "missing", "corrupt"]
FEW = range(1, 20)


@dataclass(frozen=True)
class Standing:
    """The state of an original, where it lies now, and where it goes back to if that is the trash."""

    original: Original
    health: Health
    path: bytes
    trashed_from: bytes | None

    @property
    def is_healthy(self) -> bool:
        """Whether the asset needs no other copy; one in a person's own folders may go at any time."""
        return self.health == "present" and _is_managed(self.original)

    @property
    def is_news(self) -> bool:
        """Whether the record says something else."""
        known = (self.original.path, self.original.trashed_from)
        is_read = self.health != "present" or (_is_managed(self.original) and not self.original.verified_lately)
        return is_read or known != (self.path, self.trashed_from)


def examine(original: Original, asset: Asset) -> Health:
    """The state of an original; its bytes are read unless it is untouched and they were read within the last day.

    OSError when that says nothing of it: the machine is at its limits, or all of the disk fails.
    """
    try:
        seen = files.see(original.root, original.path)
        if seen is None:
            return "missing"
        if original.verified_lately and seen == original.recorded:
            return "present"
        is_right = files.hash_file(original.root, original.path) == asset.content_hash
    except OSError as error:  # a bad sector, or something else than a file under its name
        if error.errno in STARVED:
            raise
        if error.errno in BROKEN_DISK and original.private_root is None:
            folders.probe(original.root, layout.STAGING)
        return "corrupt"
    return "present" if is_right else "corrupt"


def paths_of(asset: Asset, original: Original) -> list[bytes]:
    """Every path that an original may have in the trash and out of it, or may be given."""
    paths = [*_homes(asset, original), *_elsewhere(asset, original), *original.known_paths]
    return list(dict.fromkeys(paths))


def left(asset: Asset, found: "Standing") -> str | None:
    """Why an original that is to lie elsewhere does not; None when it does."""
    if asset.trashed_at is not None:
        return "it is in the trash"
    if found.health != "present":
        return relocating.LEFT[found.health]
    return None if found.path in _elsewhere(asset, found.original) else "all names that it could get there are taken"


def settle(asset: Asset, original: Original, foreign: AbstractSet[Spot]) -> Standing:
    """Examine an original and have it lie where its asset belongs; a move that was interrupted is finished.

    A path in `foreign` is another original's, even when nothing lies there at the moment.
    """
    marker.check(original.root, original.repository_id, original.private_root)
    if not _is_managed(original):  # what a person's folders hold is for a scan to say
        return Standing(original, "present", original.path, original.trashed_from)
    health, found = _find(asset, original, foreign)
    if health == "missing":  # or its disk went away meanwhile
        marker.check(original.root, original.repository_id, original.private_root)
    if health == "missing":
        _forget_notes(asset, original)
    if health != "present":
        return Standing(original, health, original.path, original.trashed_from)
    is_trashed = asset.trashed_at is not None
    others = _free(original, paths_of(asset, original), foreign)
    spoken_of = [*_free(original, _homes(asset, original), foreign), found]
    _bring_sidecar(original, spoken_of, found)  # which an interrupted run may have left elsewhere
    path = _to_its_way(asset, original, found, foreign)
    for other in others:
        if other != path:
            files.drop(original.root, other, kept=path)
    _bring_sidecar(original, spoken_of, path)
    if not is_trashed and {found, path} != {original.path}:
        place.note_move(asset, original, path)
    if is_trashed:
        _note(asset, original, path)
    else:
        _forget_notes(asset, original)
    for before in _in_trash_before(asset, original):
        files.forget(original.root, layout.sidecar(before))
    return Standing(original, health, path, _home(original) if is_trashed else None)


def _is_managed(original: Original) -> bool:
    """Whether it is ours to move: not in a person's own folders, and not on a disk that is only read."""
    return layout.is_managed(original.path) and original.private_root is None


def _find(asset: Asset, original: Original, foreign: AbstractSet[Spot]) -> tuple[Health, bytes]:
    """An original's state and its path, or the path to which an interrupted run has moved it."""
    health = examine(original, asset)
    if health == "missing":
        for path in _free(original, paths_of(asset, original), foreign):
            if examine(structs.replace(original, path=path), asset) == "present":
                return "present", path
    return health, original.path


def _bring_sidecar(original: Original, others: Sequence[bytes], path: bytes) -> None:
    """What people's programs say of an original lies beside it, wherever that went."""
    for other in others:
        if other != path:
            sidecars.bring(original.root, source=other, target=path)


def _move(original: Original, path: bytes, ways: Sequence[bytes]) -> bytes:
    """Its first free name; one with a sidecar is not, for that speaks of another file."""
    for way in ways:
        if sidecars.is_there(original.root, way):
            continue
        try:
            files.move(original.root, path, way)
        except FileExistsError:
            continue
        return way
    raise place.NoFreeName(f"all names to which {path!r} could be moved are taken")


def _free(original: Original, paths: Sequence[bytes], foreign: AbstractSet[Spot]) -> list[bytes]:
    return [path for path in paths if (original.repository_id, path) not in foreign]


def _to_its_way(asset: Asset, original: Original, path: bytes, foreign: AbstractSet[Spot]) -> bytes:
    """Where an original lies once it lies where it belongs; it stays in the inbox when it gets no name elsewhere."""
    homes = _in_trash(asset, original) if asset.trashed_at is not None else _in_inbox(asset, original)
    goals = _elsewhere(asset, original) if original.is_wanted and asset.trashed_at is None else []
    if path in (goals or homes):
        return path
    if goals:
        with suppress(place.NoFreeName):
            return _move(original, path, _free(original, goals, foreign))
    return path if path in homes else _move(original, path, _free(original, homes, foreign))


def _homes(asset: Asset, original: Original) -> list[bytes]:
    return [*_in_trash(asset, original), *_in_inbox(asset, original), *_in_trash_before(asset, original)]


def _elsewhere(asset: Asset, original: Original) -> list[bytes]:
    """The names that an original may get where it is wished, or was; nobody searches among very many."""
    if original.goal is None:
        return []
    token = str(asset.asset_id)
    return list(inbox.candidates(original.goal, token=token, clash=original.clash, numbers=FEW))


def _home(original: Original) -> bytes:
    return original.trashed_from or original.path


def _in_inbox(asset: Asset, original: Original) -> list[bytes]:
    return list(inbox.candidates(_home(original), token=str(asset.asset_id)))


def _in_trash(asset: Asset, original: Original) -> list[bytes]:
    """Where an original lies in the trash; the second path is for an asset that has two of one name."""
    name = display_name(os.path.basename(_home(original)).decode(errors="replace")).encode()
    return [
        layout.trashed(asset.asset_id, name),
        layout.trashed(asset.asset_id, b"%d_%s" % (original.file_record_id, name)),
    ]


def _in_trash_before(asset: Asset, original: Original) -> list[bytes]:
    """Where an original lies in the trash as that of an asset of the same content, which this one took over."""
    is_elsewhere = layout.is_trashed(original.path) and original.path not in _in_trash(asset, original)
    return [original.path] if is_elsewhere else []


def _note(asset: Asset, original: Original, path: bytes) -> None:
    note = {
        "deleted_at": asset.trashed_at,
        "reason": asset.trash_reason,
        "original_path": _home(original).decode(errors="backslashreplace"),
        "asset_id": str(asset.asset_id),
        "user_id": asset.owner_id,
    }
    place.write_note(original.root, path, note)


def _forget_notes(asset: Asset, original: Original) -> None:
    """Nothing in the trash is left to be explained."""
    for path in _in_trash(asset, original):
        files.forget(original.root, layout.sidecar(path))
