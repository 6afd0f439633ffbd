"""Copies of originals on another disk: only what is new, each proven while it is written, and none ever replaced."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote_to_bytes
from uuid import UUID

from blake3 import blake3

from common import files, folders, layout
from common.names import shown
from lumilio import durable
from lumilio.backup import manifest, record, shelf
from lumilio.backup.manifest import Original
from lumilio.refusal import CannotStart

CHUNK = 1 << 20
PART = ".lumilio-part"
SHOWN = 20


class Wrong(Exception):
    """An original is not what the catalogue says, or cannot be read."""


@dataclass
class Copying:
    """One run: where repositories lie, where their copies go, and what has been done."""

    roots: dict[UUID, bytes]
    to: Path
    copied: int = 0
    size: int = 0
    wrong: list[str] = field(default_factory=list)

    def bring(self, original: Original) -> None:
        """Have a copy of an original; one that is there already costs a look at its size and time."""
        root, target = self.roots[original.repository], self._target(original)
        if _is_known(target, original):
            return
        try:
            if os.path.lexists(target) and not _is_right(target, original):
                _set_aside(target)
            if not os.path.lexists(target):
                _copy(root, original, target, part=self.part)
                self.copied, self.size = self.copied + 1, self.size + original.size
            _date(target, original)
        except (OSError, Wrong) as error:
            if isinstance(error, OSError) and error.errno in files.FULL_DISK:
                raise
            self.wrong.append(f"{shown(root)}/{shown(original.relative)}: {error}")

    def bring_notes(self, root: bytes, repository: UUID) -> None:
        """What the server knows of its originals: the marker, the manifests, and what people say in sidecars."""
        kept = bytes(self.to / str(repository))
        for path in (layout.MARKER, *_below(root, layout.MANIFESTS), *_below(root, layout.SIDECARS)):
            try:
                self._bring_note(os.path.join(root, path), os.path.join(kept, path))
            except OSError as error:
                if error.errno in files.FULL_DISK:
                    raise
                self.wrong.append(f"{shown(root)}/{shown(path)}: {error}")

    def _bring_note(self, source: bytes, target: bytes) -> None:
        if os.path.isfile(source) and not _is_same_age(source, target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(source, self.part)
            os.rename(self.part, target)

    @property
    def part(self) -> bytes:
        """What a copy is called until it is whole, where no original can be called so."""
        return bytes(self.to / PART)

    def _target(self, original: Original) -> bytes:
        return os.path.join(bytes(self.to / str(original.repository)), original.relative)


def copy(backup: Path, to: Path, *, say: Callable[[str], None] = print) -> bool:
    """Bring the copies up to date with the originals that a backup lists; True when each has its copy."""
    known = record.read(backup)
    run = Copying({tree.id: tree.place for tree in known.repositories}, to.resolve())
    _refuse_inside(run)
    with shelf.held(to):
        for original in manifest.read(backup / record.ORIGINALS):
            if not original.relative.startswith(layout.STAGING + b"/"):  # which has its place in a moment
                run.bring(original)
        for tree in known.repositories:
            run.bring_notes(unquote_to_bytes(tree.home), tree.id)
    say(f"{run.copied:,} originals copied to {run.to}, {run.size / CHUNK:,.1f} MB")
    for line in run.wrong[:SHOWN]:
        say(f"NOT COPIED {line}")
    if len(run.wrong) > SHOWN:
        say(f"           ... and {len(run.wrong) - SHOWN:,} more")
    return not run.wrong


def _refuse_inside(run: Copying) -> None:
    """Copies in a repository would be taken for photos of it, and go when those are purged."""
    for root in run.roots.values():
        if (bytes(run.to) + b"/").startswith(root + b"/"):
            raise CannotStart(f"{run.to} lies in the repository {shown(root)}: have the copies elsewhere")


def _is_known(target: bytes, original: Original) -> bool:
    try:
        seen = os.stat(target, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (seen.st_size, seen.st_mtime_ns) == (original.size, original.modified_ns)


def _is_right(target: bytes, original: Original) -> bool:
    folder, name = os.path.split(target)
    return files.hash_file(folder, name) == bytes.fromhex(original.hash)


def _set_aside(target: bytes) -> None:
    """A copy with other bytes may be the last of a photo that was edited: it gets another name, and stays."""
    folder, name = os.path.split(target)
    aside = target + b"." + (files.hash_file(folder, name) or b"").hex()[:16].encode()
    if os.path.lexists(aside):
        os.unlink(target)  # the same bytes were set aside before
    else:
        os.rename(target, aside)
    durable.sync(os.fsdecode(folder))


def _copy(root: bytes, original: Original, target: bytes, *, part: bytes) -> None:
    """Write a copy under a name of its own; it gets its final one when it is on the disk with the right hash."""
    folder = os.path.dirname(target)
    os.makedirs(folder, exist_ok=True)
    source, digest = files.open_original(root, original.relative), blake3()
    with open(source, "rb") as reading, open(part, "wb") as writing:
        while chunk := reading.read(CHUNK):
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    if digest.hexdigest() != original.hash:
        os.unlink(part)
        raise Wrong("it has other bytes than the catalogue says; `lumilio verify` tells more")
    os.rename(part, target)
    durable.sync(os.fsdecode(folder))


def _date(target: bytes, original: Original) -> None:
    """A copy has the time of its original, by which it is known the next time."""
    if original.modified_ns is not None:
        os.utime(target, ns=(original.modified_ns, original.modified_ns))


def _below(root: bytes, path: bytes) -> list[bytes]:
    return [path for path, _ in folders.walk(root, path)]


def _is_same_age(source: bytes, target: bytes) -> bool:
    try:
        ours, theirs = os.stat(source), os.stat(target)
    except FileNotFoundError:
        return False
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)
