"""The private file that an upload is written to before anybody hears of it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from blake3 import blake3

from common import files, folders, layout, tracks
from common.formats import Format, taken_formats
from common.sniff import HEAD_BYTES, sniff
from gateway.errors import Unknown, Unusable


@dataclass
class StagedFile:
    """The bytes of one upload under a private name, and what is known of them so far."""

    root: bytes
    name: str
    descriptor: int
    size: int = 0
    head: bytes = b""
    format: Format | None = None
    digest: blake3 = field(default_factory=blake3)
    is_kept: bool = False

    def write(self, chunk: bytes) -> None:
        """Add bytes; Unknown as soon as the first few thousand are of no family that we know."""
        self.digest.update(chunk)
        self.size += len(chunk)
        if self.format is None:
            self.head += chunk[: HEAD_BYTES - len(self.head)]
            if len(self.head) == HEAD_BYTES:
                self.format = _recognise(self.head)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def check(self, expected: bytes | None) -> Format:
        """The format of the whole file; Unusable when it is empty or not the bytes that were announced."""
        if self.size == 0:
            raise Unusable("the file is empty")
        self.format = self.format or _recognise(self.head)
        if expected is not None and self.digest.digest() != expected:
            raise Unusable("other bytes arrived than the announced hash says: send the file again")
        return self.format

    def look(self, known: Format) -> Format:
        """The format of the whole file that starts like one with tracks: whether it moves or only sounds."""
        return _known(tracks.settled(known, self._read, self.size))

    def date(self, modified_ns: int | None) -> None:
        """Let the file be as old as a client says; a time before 1970 or still to come says nothing."""
        seen = os.fstat(self.descriptor)
        if modified_ns is not None and 0 < modified_ns < seen.st_mtime_ns:
            os.utime(self.descriptor, ns=(seen.st_atime_ns, modified_ns))

    def sync(self) -> None:
        """The bytes and their name survive a power cut from here on; an error is final, for it is told only once."""
        os.fsync(self.descriptor)
        folders.sync(self.root, layout.STAGING)
        seen = files.see(self.root, layout.staged(self.name))
        if seen is None or seen.inode != files.seen(os.fstat(self.descriptor)).inode:
            raise files.Offline("the repository was changed while the file arrived: send it again")

    def _read(self, start: int, length: int) -> bytes:
        return os.pread(self.descriptor, length, start)

    def keep(self) -> None:
        """Leave the bytes for whoever finds their row, or for the clean-up that finds none."""
        self.is_kept = True


@asynccontextmanager
async def staged(root: bytes) -> AsyncIterator[StagedFile]:
    """A new staged file, which is removed in the end unless it was kept."""
    name = f"{uuid4()}.part"
    file = StagedFile(root, name, await asyncio.to_thread(files.create, root, layout.staged(name)))
    try:
        yield file
    finally:
        os.close(file.descriptor)
        if not file.is_kept:
            await asyncio.to_thread(files.forget, root, layout.staged(name))


def _recognise(head: bytes) -> Format:
    return _known(sniff(head))


def _known(found: Format | None) -> Format:
    if found is None:
        raise Unknown(f"the file is none of {taken_formats()}, whatever its name says; nothing was stored")
    return found
