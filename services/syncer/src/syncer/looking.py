"""Writes down what the disk says, one part walked while another is on its way to the database."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct

from common.db import Connection
from syncer import snapshot
from syncer.area import Area, Folder, parent
from syncer.ignoring import Ignored
from syncer.queries import scanning
from syncer.snapshot import File, Listing, Tally

PART_FILES = 10_000
_head, _tail = Struct(">hi").pack, Struct(">iqiqiqiq").pack
_HEADS = [_head(5, length) for length in range(snapshot.LONGEST + 1)]  # to pack each anew takes longer


@dataclass
class Look:
    """A walk over an area of a repository; `known` are the folders that are recorded directly in its flat ones."""

    root: bytes
    area: Area
    ignored: Ignored
    known: frozenset[bytes]
    tally: Tally = field(default_factory=Tally)
    folders: dict[bytes, Folder] = field(default_factory=dict)
    children: set[bytes] = field(default_factory=set)

    async def write_down(self, conn: Connection) -> None:
        """Walk it all; Tally then says how whole it was."""
        parts = self._parts()
        walking = asyncio.create_task(asyncio.to_thread(next, parts, None))
        try:
            while (part := await walking) is not None:
                walking = asyncio.create_task(asyncio.to_thread(next, parts, None))
                await scanning.copy_files(conn, part)
        finally:
            await asyncio.wait({walking})
        await scanning.save_listed(conn, list(self.folders.values()))

    def changed_folders(self) -> set[bytes]:
        """Folders that appeared directly in flat ones, or went away from there."""
        return self.children ^ self.known

    def _parts(self) -> Iterator[bytes]:
        rows: list[bytes] = []
        for listing in self._walk():
            self._note(listing)
            rows += map(_row, listing.files)
            if len(rows) >= PART_FILES:
                yield b"".join(rows)
                rows = []
        yield b"".join(rows)

    def _walk(self) -> Iterator[Listing]:
        yield from snapshot.walk(self.root, self.area.trees, ignored=self.ignored, tally=self.tally)
        listed = self.area.trees & self.folders.keys()  # they may be new in flat ones, and are to be written down once
        known = self.known | self.area.flat | listed
        yield from snapshot.walk(self.root, self.area.flat, ignored=self.ignored, tally=self.tally, known=known)

    def _note(self, listing: Listing) -> None:
        self.folders[listing.folder] = Folder(listing.folder, parent(listing.folder), listing.modified_ns)
        if listing.folder in self.area.flat:
            self.children.update(listing.subfolders)


def _row(file: File) -> bytes:
    """A file as COPY takes it in binary: the number of columns, and each behind its length."""
    path, size, modified_ns, inode, changed_ns = file
    return _HEADS[len(path)] + path + _tail(8, size, 8, modified_ns, 8, inode, 8, changed_ns)
