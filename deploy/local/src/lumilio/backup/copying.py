"""Copies of originals on another disk: only what is new, each proven while it is written, and none ever replaced."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import unquote_to_bytes
from uuid import UUID

from blake3 import blake3

from common import files
from common.names import shown
from lumilio import durable
from lumilio.backup import manifest, notes, record, shelf
from lumilio.backup.manifest import Original
from lumilio.refusal import CannotStart

CHUNK = 1 << 20
PART = ".lumilio-part"
SHOWN = 20
LONGEST_NAME = 255
GRAINS = (1, 100, 1000, 10**6, 10**7, 10**9, 2 * 10**9)
"""How coarsely file systems keep times, in ns, from those of Linux to FAT."""


class Wrong(Exception):
    """An original is not what the catalogue says, or cannot be read."""


@dataclass
class Copying:
    """One run: where repositories lie, where their copies go, and what has been done; `deep` believes no copy."""

    roots: dict[UUID, bytes]
    to: Path
    deep: bool = False
    copied: int = 0
    size: int = 0
    aside: int = 0
    failed: int = 0
    wrong: list[str] = field(default_factory=list)
    """The first of those that failed, in words."""
    _visited: set[tuple[UUID, bytes]] = field(default_factory=set)

    def bring(self, original: Original) -> None:
        """Have a copy of an original; one that is there already costs a look at its size and time."""
        root, target = self.roots[original.repository], self._target(original)
        if not self.deep and is_known(target, original):
            return
        try:
            if not is_right(target, original):
                self.aside += _copy(root, original, target, part=self.part)
                self.copied, self.size = self.copied + 1, self.size + original.size
            _date(target, original)
        except (OSError, Wrong) as error:
            self._fail(root, original.relative, error)

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
        kept = bytes(self.to / str(repository))
        try:
            for path in find():
                self._bring_note(root, kept, path)
        except OSError as error:
            self._fail(root, b"", error)

    def _bring_note(self, root: bytes, kept: bytes, path: bytes) -> None:
        try:
            notes.bring(root, kept, path, part=self.part)
        except OSError as error:
            self._fail(root, path, error)

    def _fail(self, root: bytes, path: bytes, error: Exception) -> None:
        if isinstance(error, OSError) and error.errno in files.FULL_DISK:
            raise CannotStart(f"the disk of {self.to} is full: make room, then do it again") from None
        self.failed += 1
        if self.failed <= SHOWN:
            self.wrong.append(f"{shown(root)}/{shown(path)}: {error}")

    @property
    def part(self) -> bytes:
        """What a copy is called until it is whole, where no original can be called so."""
        return bytes(self.to / PART)

    def _target(self, original: Original) -> bytes:
        return os.path.join(bytes(self.to / str(original.repository)), original.relative)


def copy(backup: Path, to: Path, *, deep: bool = False, say: Callable[[str], None] = print) -> bool:
    """Bring the copies up to date with the originals that a backup lists; True when each has its copy.

    With `deep` every copy is read, and one whose bytes are wrong makes room for a right one.
    """
    known = record.read(backup)
    run = Copying({tree.id: tree.place for tree in known.repositories}, to.resolve(), deep)
    _refuse_inside(run)
    with shelf.held(to):
        for original in manifest.read(backup / record.ORIGINALS):
            if not original.is_staged:
                run.bring(original)
                run.bring_beside(original)
        for tree in known.repositories:
            run.bring_notes(unquote_to_bytes(tree.home), tree.id)
    _tell(run, say)
    return not run.failed


def _tell(run: Copying, say: Callable[[str], None]) -> None:
    say(f"{run.copied:,} originals copied to {run.to}, {run.size / CHUNK:,.1f} MB")
    if run.aside:
        say(f"{run.aside:,} copies had other bytes, and are kept beside the new ones under another name")
    for line in run.wrong:
        say(f"NOT COPIED {line}")
    if run.failed > SHOWN:
        say(f"           ... and {run.failed - SHOWN:,} more")


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
    try:
        return files.hash_file(*os.path.split(path))
    except OSError:
        return None


def _copy(root: bytes, original: Original, target: bytes, *, part: bytes) -> bool:
    """Write a copy, which gets its name when it is on the disk with the right hash; whether another had that name."""
    folder = os.path.dirname(target)
    os.makedirs(folder, exist_ok=True)
    try:
        _write(root, original, part)
        if is_taken := os.path.lexists(target):
            _set_aside(target)
        os.rename(part, target)
    except BaseException:
        if os.path.lexists(part):
            os.unlink(part)
        raise
    durable.sync(os.fsdecode(folder))
    return is_taken


def _write(root: bytes, original: Original, part: bytes) -> None:
    source, digest = files.open_original(root, original.relative), blake3()
    with open(source, "rb") as reading, open(part, "wb") as writing:
        while chunk := reading.read(CHUNK):
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    if digest.hexdigest() != original.hash:
        raise Wrong("it has other bytes than the catalogue says; `lumilio verify` tells more")


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


def _date(target: bytes, original: Original) -> None:
    """A copy has the time of its original, by which it is known the next time."""
    if original.modified_ns is not None:
        os.utime(target, ns=(original.modified_ns, original.modified_ns))
