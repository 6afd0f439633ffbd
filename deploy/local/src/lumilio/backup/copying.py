"""Copies of originals on another disk: only what is new, each proven while it is written, and none ever replaced."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import unquote_to_bytes
from uuid import UUID

from common import files, marker
from common.names import shown
from lumilio.backup import carrying, notes, record, shelf
from lumilio.backup.carrying import Troubles, Wrong
from lumilio.backup.manifest import Original
from lumilio.backup.record import Tree
from lumilio.rebuild import manifests
from lumilio.refusal import CannotStart
from lumilio.showing import Screen, unseen
from lumilio.terminal import say

MB = 1 << 20
SAME_DISK = "the copies lie on the disk of originals, and die with them: another disk is better (--originals)"
LONGEST_NAME = 255
GRAINS = (1, 100, 1000, 10**6, 10**7, 10**9, 2 * 10**9)
"""How coarsely file systems keep times, in ns, from those of Linux to FAT."""


@dataclass
class Copying:
    """One run: where repositories lie, where their copies go, and what has been done; `deep` believes no copy."""

    roots: dict[UUID, bytes]
    to: Path
    deep: bool = False
    copied: int = 0
    size: int = 0
    aside: int = 0
    troubles: Troubles = field(default_factory=Troubles)
    _visited: set[tuple[UUID, bytes]] = field(default_factory=set)

    def bring(self, original: Original, *, lies_in: bytes | None = None) -> None:
        """Have a copy of an original; one that is there already costs a look at its size and time.

        One that was moved since the backup `lies_in` another path than the backup lists, under which its copy goes.
        """
        root, path = self.roots[original.repository], lies_in or original.relative
        kept = _kept(original.repository, original.relative)
        target = os.path.join(bytes(self.to), kept)
        if not self.deep and is_known(target, original):
            return
        try:
            if is_right(target, original):
                carrying.date(target, original.modified_ns)
            else:
                self._copy(root, path, original, kept)
        except (OSError, Wrong) as error:
            self._fail(root, path, error)

    def _copy(self, root: bytes, path: bytes, original: Original, kept: bytes) -> None:
        target = os.path.join(bytes(self.to), kept)
        with open(files.open_original(root, path), "rb") as source, carrying.copied(bytes(self.to), kept) as copy:
            carrying.pour(source, copy, known=original)
            if os.path.lexists(target):
                _set_aside(target)
                self.aside += 1
        self.copied, self.size = self.copied + 1, self.size + original.size

    def bring_waiting(self, home: bytes, waiting: Sequence[Original]) -> None:
        """Have copies of uploads that waited for their place, which they may have by now: then a manifest tells."""
        gone = []
        for one in waiting:
            if os.path.lexists(os.path.join(self.roots[one.repository], one.relative)):
                self.bring(one)
            else:
                gone.append(one)
        placed = _find_placed(home, gone) if gone else {}
        for one in gone:
            self.bring(one, lies_in=placed.get(one.hash))

    def bring_beside(self, original: Original) -> None:
        """The sidecars in the folder of an original, once for each folder."""
        folder = os.path.dirname(original.relative)
        if (place := (original.repository, folder)) not in self._visited:
            self._visited.add(place)
            root = self.roots[original.repository]
            self._bring_notes(root, original.repository, partial(notes.beside, root, folder))
            self._set_notes_aside(root, original.repository, folder)

    def _set_notes_aside(self, root: bytes, repository: UUID, folder: bytes) -> None:
        """What is gone beside originals stays under another name, lest it be put beside another of the same name."""
        kept = bytes(self.to / str(repository))
        try:
            if os.path.isdir(os.path.join(root, folder)):
                for path in set(notes.beside(kept, folder)) - set(notes.beside(root, folder)):
                    _set_aside(os.path.join(kept, path))
        except OSError as error:
            self._fail(root, folder, error)

    def bring_notes(self, home: bytes, repository: UUID) -> None:
        """What the server knows of its originals: the marker, manifests, notes of the trash, sidecars of its own."""
        self._bring_notes(home, repository, partial(notes.of_server, home))

    def _bring_notes(self, root: bytes, repository: UUID, find: Callable[[], notes.Paths]) -> None:
        try:
            for path in find():
                self._bring_note(root, repository, path)
        except OSError as error:
            self._fail(root, b"", error)

    def _bring_note(self, root: bytes, repository: UUID, path: bytes) -> None:
        try:
            notes.bring(root, path, bytes(self.to), _kept(repository, path))
        except OSError as error:
            self._fail(root, path, error)

    def _fail(self, root: bytes, path: bytes, error: OSError | Wrong) -> None:
        self.troubles.note(os.path.join(root, path), error, disk=bytes(self.to))


def copy(
    folder: Path, to: Path, *, deep: bool = False, say: Callable[[str], None] = say, screen: Screen = unseen
) -> bool:
    """Bring the copies up to date with the originals that a backup lists; True when each has its copy.

    With `deep` every copy is read, and one whose bytes are wrong makes room for a right one.
    """
    backup = record.read(folder)
    run = Copying({tree.id: tree.place for tree in backup.repositories}, to.resolve(), deep)
    _refuse_inside(run)
    with shelf.held(to):
        there = _there(run, backup.repositories)
        with screen() as draw:
            waiting = _bring_placed(run, carrying.listed(folder, backup, draw))
        for tree in there:
            home = unquote_to_bytes(tree.home)
            run.bring_notes(home, tree.id)
            run.bring_waiting(home, waiting[tree.id])
    _tell(run, say)
    return not run.troubles.count


def _there(run: Copying, trees: Sequence[Tree]) -> list[Tree]:
    """Leave out who is away, which is told once and not for each original; returns the others."""
    for tree in trees:
        home = unquote_to_bytes(tree.home)
        try:
            marker.recognize(tree.place, tree.id, None if home == tree.place else home)
        except files.Offline as away:
            run.troubles.add(f"{shown(run.roots.pop(tree.id))}: {away}")
    return [tree for tree in trees if tree.id in run.roots]


def _bring_placed(run: Copying, originals: Iterable[Original]) -> dict[UUID, list[Original]]:
    """Have copies of what had its place at the backup; returns what waited for it, by repository."""
    waiting: dict[UUID, list[Original]] = defaultdict(list)
    for original in (one for one in originals if one.repository in run.roots):
        if original.is_staged:
            waiting[original.repository].append(original)
        else:
            run.bring(original)
            run.bring_beside(original)
    return waiting


def _find_placed(home: bytes, uploads: Sequence[Original]) -> dict[str, bytes]:
    """Where the manifests say that uploads were placed, by their hashes; nothing when they cannot be read."""
    wanted = {one.hash for one in uploads}
    with suppress(OSError):
        lines = (line for line in manifests.read(home) if isinstance(line, manifests.Line))
        return {line.content_hash.hex(): line.path for line in lines if line.content_hash.hex() in wanted}
    return {}


def _kept(repository: UUID, path: bytes) -> bytes:
    """Where a copy lies below the folder of all copies."""
    return os.path.join(str(repository).encode(), path)


def _tell(run: Copying, say: Callable[[str], None]) -> None:
    """Say what came of it, and so when the copies lie no safer than the originals."""
    say(f"{run.copied:,} originals copied to {run.to}, {run.size / MB:,.1f} MB")
    if run.aside:
        say(f"{run.aside:,} copies had other bytes, and are kept beside the new ones under another name")
    if os.stat(run.to).st_dev in {os.stat(root).st_dev for root in run.roots.values() if os.path.exists(root)}:
        say(SAME_DISK)
    run.troubles.tell("NOT COPIED", say)


def _refuse_inside(run: Copying) -> None:
    """Copies in a repository would be taken for photos of it, and go when those are purged."""
    for root in run.roots.values():
        if (bytes(run.to) + b"/").startswith(root + b"/"):
            raise CannotStart(f"{run.to} lies in the repository {shown(root)}: have the copies elsewhere")


def is_known(target: bytes, original: Original) -> bool:
    """Whether a file is as large and as old as an original, so that nobody need read it."""
    try:
        seen = os.stat(target, follow_symlinks=False)
    except OSError:
        return False
    wanted = original.modified_ns
    is_dated = wanted is not None and any(wanted - wanted % grain == seen.st_mtime_ns for grain in GRAINS)
    return seen.st_size == original.size and is_dated


def is_right(target: bytes, original: Original) -> bool:
    """Whether a file has the bytes of an original."""
    return os.path.lexists(target) and _digest(target) == bytes.fromhex(original.hash)


def _digest(path: bytes) -> bytes | None:
    """The BLAKE3 of a copy; None when it cannot be read, or is no file."""
    with suppress(OSError):
        return files.hash_file(*os.path.split(path))
    return None


def _set_aside(target: bytes) -> None:
    """A copy with other bytes may be the last of a photo that was edited: it gets another name, and stays."""
    digest = _digest(target)
    for aside in asides(target, digest):
        if not os.path.lexists(aside):
            os.rename(target, aside)
            return
        if digest is not None and _digest(aside) == digest:
            os.unlink(target)  # the same bytes were set aside before
            return


def asides(path: bytes, digest: bytes | None) -> Iterator[bytes]:
    """The names that a copy may have which other bytes took the place of, the first one first."""
    folder, name = os.path.split(path)
    ending = b"." + (digest.hex()[:16].encode() if digest else b"unreadable")
    for number in count(1):
        more = ending if number == 1 else ending + b"-%d" % number
        yield os.path.join(folder, name[: LONGEST_NAME - len(more)] + more)
