"""Brings files from one disk to another: each proven on its way, and what could not be brought is told in the end."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3
from rich.filesize import decimal

from common import files, folders
from common.names import shown
from lumilio.backup import manifest, record
from lumilio.backup.manifest import Original
from lumilio.backup.record import Backup
from lumilio.refusal import CannotStart
from lumilio.showing import LOOK_SECONDS, Draw
from lumilio.upload.progress import Sight, Speed, duration

CHUNK = 1 << 20
PART = b".lumilio-part"
SHOWN = 20


class Wrong(Exception):
    """A file is not what it should be; the text says what it is instead."""


@dataclass
class Troubles:
    """What could not be brought: all of it is counted, and the first of it kept in words."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """One more."""
        self.count += 1
        if self.count <= SHOWN:
            self.first.append(line)

    def note(self, place: bytes, error: OSError | Wrong, *, disk: bytes) -> None:
        """One more, with its reason; CannotStart when that is a full disk, to which nothing else can be brought."""
        if isinstance(error, OSError) and error.errno in files.FULL_DISK:
            todo = "make room, then run the same command again"
            raise CannotStart(f"the disk of {shown(disk)} is full: {todo}") from None
        self.add(f"{shown(place)}: {error.strerror if isinstance(error, OSError) else error}")

    def tell(self, what: str, say: Callable[[str], None]) -> None:
        """Say which, each behind a word or two."""
        for line in self.first:
            say(f"{what} {line}")
        if self.count > SHOWN:
            say(f"{' ' * len(what)} ... and {self.count - SHOWN:,} more")


def listed(folder: Path, backup: Backup, draw: Draw) -> Iterator[Original]:
    """Every original of a backup, to be carried one after the other; how far that is, is shown meanwhile."""
    size, speed, shown_at = 0, Speed(), time.monotonic()
    for number, original in enumerate(manifest.read(folder / record.ORIGINALS), start=1):
        yield original
        size += original.size
        if (now := time.monotonic()) - shown_at >= LOOK_SECONDS:
            shown_at = now
            draw(_sight(backup, number, size, speed.note(size, now=now)), None)


def _sight(backup: Backup, number: int, size: int, speed: float) -> Sight:
    left = max(0, backup.original_bytes - size)
    line = f"{number:,} of {backup.originals:,} originals, {decimal(size)} of {decimal(backup.original_bytes)}"
    rest = f", {decimal(int(speed))}/s, {duration(left / speed)} left" if speed else ""
    return Sight(min(size, backup.original_bytes), backup.original_bytes, line + rest)


def pour(source: BinaryIO, target: BinaryIO, *, known: Original | None = None, mode: int | None = None) -> None:
    """Have the bytes of one file in another, and its time; Wrong when they are not those of a known original."""
    digest, modified_ns = blake3(), os.fstat(source.fileno()).st_mtime_ns
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
    if known is not None and digest.hexdigest() != known.hash:
        raise Wrong("it has other bytes than the catalogue says; `lumilio verify` tells more")
    if known is not None and known.modified_ns is not None:
        modified_ns = known.modified_ns
    target.flush()
    if mode is not None:
        with suppress(PermissionError):  # some file systems know no modes
            os.fchmod(target.fileno(), mode)
    date(target.fileno(), modified_ns)


def date(file: int | bytes, modified_ns: int | None) -> None:
    """Give a file the time of its original, by which it is known later; without one it is read again then."""
    with suppress(PermissionError):  # some file systems let only others do so
        if modified_ns is not None:
            os.utime(file, ns=(modified_ns, modified_ns))


@contextmanager
def copied(to: bytes, path: bytes) -> Iterator[BinaryIO]:
    """A new file in a folder of copies; when the block ends well it takes the name of any before it, durably.

    Until then it is called as no original can be called there.
    """
    part, (parent, name) = os.path.join(to, PART), os.path.split(path)
    with folders.folder(to, parent, make=True) as folder:
        try:
            with open(part, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.rename(part, name, dst_dir_fd=folder)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(part)
        os.fsync(folder)
