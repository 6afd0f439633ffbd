"""Sends many originals as one archive, in constant memory: of a length known before, and only what may be seen then."""

import os
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TypeAlias
from uuid import UUID

import msgspec
from litestar.types import Receive, Scope, Send

from common.db import Connection, Pool, glance
from common.files import Offline
from gateway import archive, archive_names, media, serving
from gateway.archive import Archive, Entry
from gateway.errors import Forbidden, NotFound

NOTE = "missing files.txt"
NOTHING = bytes(media.CHUNK)

OwnerOf: TypeAlias = Callable[[Connection, UUID], Awaitable[int | None]]
"""Whose an asset is, as long as whoever downloads may see it; asked anew before each file is opened."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An original that is to be in an archive; `sort_at` is when it was taken, by the clock on the wall there."""

    asset_id: UUID
    original_filename: str
    size: int
    sort_at: datetime


def length(items: Sequence[Item]) -> int:
    """How many bytes an archive of these originals is."""
    return archive.plan(_entries(items)).length


@dataclass(frozen=True)
class Packed:
    """An answer with an archive of originals.

    One that cannot be read when its turn comes is left out, and a note in the archive says so; the length stays what it
    was announced to be. When one may not be seen any more, or changes while it is read, the answer breaks off, so that
    nobody takes what they have for the whole.
    """

    pool: Pool
    items: Sequence[Item]
    owner_of: OwnerOf
    name: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, as fast as the client takes it."""
        entries = _entries(self.items)
        made = archive.plan(entries)
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": self._headers(made.length)})
        if scope.get("method") != "HEAD":
            await media.send_parts(self._body(made, entries), receive, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _headers(self, size: int) -> list[tuple[bytes, bytes]]:
        told = {
            "cache-control": "no-store",
            "content-disposition": media.disposition(self.name, "application/zip"),
            "content-length": str(size),
            "content-type": "application/zip",
        }
        return [(name.encode(), value.encode("latin-1")) for name, value in told.items()]

    async def _body(self, made: Archive, entries: Sequence[Entry]) -> AsyncGenerator[bytes, None]:
        left_out = []
        for item, entry in zip(self.items, entries, strict=True):
            try:
                descriptor = await self._open(item)
            except (NotFound, Offline) as reason:
                left_out.append(f"{entry.name}: {reason}\n")
                yield b""  # whether the client is still there is looked at between parts
                continue
            try:
                async with aclosing(_packed(made, entry, descriptor)) as parts:
                    async for part in parts:
                        yield part
            finally:
                os.close(descriptor)
        for part in _rest(made, left_out, entries[-1].at):
            yield part

    async def _open(self, item: Item) -> int:
        async with glance(self.pool) as conn:
            owner = await self.owner_of(conn, item.asset_id)
        if owner is None:
            raise Forbidden("the rest of the download may not be seen any more")
        found, descriptor = await serving.opened(self.pool, item.asset_id, owner=owner)
        if found.size != item.size:
            os.close(descriptor)
            raise NotFound("it was edited after the download had begun")
        return descriptor


def _entries(items: Sequence[Item]) -> list[Entry]:
    names = archive_names.unique((item.original_filename for item in items), taken=[NOTE])
    return [Entry(name, item.size, item.sort_at) for name, item in zip(names, items, strict=True)]


async def _packed(made: Archive, entry: Entry, descriptor: int) -> AsyncGenerator[bytes, None]:
    yield made.begin(entry)
    crc = 0
    async with aclosing(media.read(descriptor, range(entry.size))) as chunks:
        async for chunk in chunks:
            crc = zlib.crc32(chunk, crc)
            yield chunk
    yield made.end(entry, crc)


def _rest(made: Archive, left_out: Sequence[str], at: datetime) -> Iterator[bytes]:
    """What follows the files: a note if any was left out, what its bytes would have been, and the directory."""
    text = "".join(["These files could not be read:\n\n", *left_out]).encode()
    note = Entry(NOTE, len(text), at)
    if left_out and made.has_room(note):
        yield made.begin(note) + text + made.end(note, zlib.crc32(text))
    for start in range(0, missing := made.missing, len(NOTHING)):
        yield NOTHING[: missing - start]
    yield made.close()
