"""Originals put back from their copies to where a backup lists them, each proven, and no file replaced."""

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote_to_bytes
from uuid import UUID

from common import files, folders, layout, marker
from common.names import shown
from lumilio.backup import carrying, copying, manifest, notes, record, room
from lumilio.backup.carrying import Troubles, Wrong
from lumilio.backup.manifest import Original
from lumilio.backup.record import Backup
from lumilio.refusal import CannotStart
from lumilio.showing import Screen, unseen
from lumilio.terminal import say

PART = b".lumilio-part.tmp"
PRIMARY = b"/repositories/primary"
NO_NOTE = {errno.ENOENT, errno.ENAMETOOLONG}


@dataclass
class PutBack:
    """One run: where the copies are, where repositories and their own files belong, and what has been done."""

    copies: Path
    roots: dict[UUID, bytes]
    homes: dict[UUID, bytes]
    done: int = 0
    troubles: Troubles = field(default_factory=Troubles)

    def bring(self, original: Original) -> None:
        """Have an original in its place, and what lies beside it; one that is there already stays."""
        root, kept = self.roots[original.repository], self._kept(original.repository)
        try:
            if not _is_there(root, original):
                _place(kept, root, original)
                self.done += 1
        except (OSError, Wrong) as error:
            self._fail(root, original.relative, error)
        else:
            for path in notes.of_original(original.relative):
                self._bring_note(kept, root, path)

    def bring_notes(self, repository: UUID) -> None:
        """The marker, the manifests and sidecars of the server; notes of the trash come with what lies there."""
        home, kept = self.homes[repository], self._kept(repository)
        try:
            for path in notes.of_server(kept):
                if not path.startswith(layout.TRASH + b"/"):
                    self._bring_note(kept, home, path)
        except OSError as error:
            self._fail(home, b"", error)

    def _bring_note(self, kept: bytes, root: bytes, path: bytes) -> None:
        try:
            if not os.path.lexists(os.path.join(root, path)):
                with open(files.open_original(kept, path), "rb") as copy:
                    _write(copy, root, path, mode=os.fstat(copy.fileno()).st_mode & 0o777)
        except OSError as error:
            if error.errno not in NO_NOTE:
                self._fail(root, path, error)

    def _fail(self, root: bytes, path: bytes, error: OSError | Wrong) -> None:
        self.troubles.note(os.path.join(root, path), error, disk=root)

    def _kept(self, repository: UUID) -> bytes:
        return bytes(self.copies / str(repository))


def plan(
    folder: Path, backup: Backup, copies: Path | None, *, data: str | None, only_lost: bool = False
) -> PutBack | None:
    """Where all that a backup lists goes; CannotStart when the copies are of something else, or another lies there.

    With `only_lost` nothing goes to repositories that are there.
    """
    if copies is None:
        return None
    trees = backup.repositories
    if not any((copies / str(tree.id)).is_dir() for tree in trees):
        raise CannotStart(
            f"{copies} has copies of no repository of this backup: name the folder that was given to "
            "`lumilio backup --originals`, in which each repository is a folder named by its id"
        )
    homes = {tree.id: belongs(unquote_to_bytes(tree.home), backup, data) for tree in trees}
    there = {repository for repository, home in homes.items() if _has_marker(home, repository)}
    roots = {tree.id: belongs(tree.place, backup, data) for tree in trees if not only_lost or tree.id not in there}
    if not roots:
        raise CannotStart("every repository of this backup is where it was: there is nothing to put back")
    _check_room(folder, roots)
    return PutBack(copies.resolve(), roots, {repository: homes[repository] for repository in roots})


def _check_room(folder: Path, roots: dict[UUID, bytes]) -> None:
    """CannotStart when a disk cannot take what belongs to it, as the one behind a disk that is not mounted."""
    lacking = Counter[bytes]()
    for original in manifest.read(folder / record.ORIGINALS):
        root = roots.get(original.repository)
        if root is not None and not os.path.lexists(os.path.join(root, original.relative)):
            lacking[root] += original.size
    for root, size in lacking.items():
        there = next(path for path in (Path(os.fsdecode(root)), *Path(os.fsdecode(root)).parents) if path.is_dir())
        room.check(there, size, f"what belongs into {shown(root)}", "mount its disk, or make room")


def put_back(
    run: PutBack | None, folder: Path, backup: Backup, *, say: Callable[[str], None] = say, screen: Screen = unseen
) -> None:
    """Have all that a backup lists where it was, the marker last; doing it again goes on where it was interrupted."""
    if run is None:
        return
    say(f"putting originals back from {run.copies}")
    with screen() as draw:
        for original in carrying.listed(folder, backup, draw):
            if original.repository in run.roots:
                run.bring(original)
    for repository in run.homes:
        run.bring_notes(repository)
    for root in run.roots.values():
        say(f"a repository lies in {shown(root)}")
    say(f"{run.done:,} originals put back")
    run.troubles.tell("NOT PUT BACK", say)


def belongs(path: bytes, backup: Backup, data: str | None) -> bytes:
    """Where a folder goes: what lay in a data directory into the new one, anything else where it was."""
    for tree in backup.repositories:
        before = tree.place.removesuffix(PRIMARY)
        if data is not None and before not in {b"", tree.place} and path.startswith(before + b"/"):
            return os.fsencode(data) + path.removeprefix(before)
    return path


def _has_marker(home: bytes, repository: UUID) -> bool:
    """Whether a repository is there; CannotStart when another is."""
    try:
        found = marker.find(home)
    except files.Offline as error:
        raise CannotStart(f"{shown(home)}: {error}; put it right, or move it away") from None
    if found is not None and found.id != repository:
        raise CannotStart(f"another repository lies in {shown(home)}: move it away, or name another --data")
    return found is not None


def _is_there(root: bytes, original: Original) -> bool:
    target = os.path.join(root, original.relative)
    if not os.path.lexists(target):
        return False
    if not copying.is_known(target, original) and not copying.is_right(target, original):
        raise Wrong("another file lies there, and stays")
    return True


def _place(kept: bytes, root: bytes, original: Original) -> None:
    """From the first copy that has its bytes."""
    mode = files.ORIGINAL_MODE if layout.is_managed(original.relative) else None
    for path in _names(kept, original):
        with suppress(FileNotFoundError, Wrong), open(files.open_original(kept, path), "rb") as copy:
            _write(copy, root, original.relative, mode=mode, known=original)
            return
    what = "an upload that waited for its place then: " if original.is_staged else ""
    raise Wrong(f"{what}no copy has its bytes")


def _names(kept: bytes, original: Original) -> Iterator[bytes]:
    """Its copy has its name, or since other bytes had that some letters of its hash behind it."""
    yield original.relative
    asides = copying.asides(original.relative, bytes.fromhex(original.hash))
    yield from takewhile(lambda path: os.path.lexists(os.path.join(kept, path)), asides)


def _write(copy: BinaryIO, root: bytes, path: bytes, *, mode: int | None, known: Original | None = None) -> None:
    """A file under a name of its own; it gets its final one when it is on the disk with the right bytes and time."""
    folders.make(root)
    parent, name = os.path.split(path)
    with folders.folder(root, parent, make=True) as directory:
        _forget(directory)
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(PART, flags, 0o666, dir_fd=directory), "wb") as part:
                carrying.pour(copy, part, mode=mode, known=known)
                os.fsync(part.fileno())
            files.named(directory, PART, directory, name)
        finally:
            _forget(directory)
        os.fsync(directory)


def _forget(directory: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(PART, dir_fd=directory)
