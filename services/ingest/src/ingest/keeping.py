"""Writes beside the originals, once a day, what people made of them, so that it outlives the database."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from uuid import UUID

import msgspec
from blake3 import blake3

from common import derived_files, files, layout, log, marker, repository_queries
from common.db import Pool, glance
from common.people import Catalogue, End, Line, Thing
from common.repository_queries import Repository
from ingest import keeping_queries as queries
from ingest.keeping_queries import Page

PAGE = 1000
LONGEST_END = 4096


class Unchanged(Exception):  # an outcome, not an error
    """It says what was written before."""


async def write(pool: Pool) -> None:
    """Write it into every repository that is there, where it is not what was written last."""
    async with glance(pool) as conn:
        repositories = await repository_queries.list_repositories(conn)
    for repository in repositories:
        try:
            with files.outages():
                await asyncio.to_thread(
                    marker.check, repository.root, repository.repository_id, repository.private_root
                )
                await _write(pool, repository)
        except (files.Offline, OSError) as error:
            log.get().warning("catalogue not kept beside photos", repository=repository.name, error=str(error))


async def _write(pool: Pool, repository: Repository) -> None:
    async with glance(pool) as conn:
        first = await queries.begin(conn, repository.repository_id)
    before = await asyncio.to_thread(_is_of, repository.home, first.epoch)
    with suppress(Unchanged):
        with derived_files.renewing(repository.home, layout.PEOPLE, kept=before) as file:
            written = _Written(file)
            await asyncio.to_thread(written.write, first)
            async for page in _pages(pool):
                await asyncio.to_thread(written.add, page)
            await asyncio.to_thread(written.end, repository.home)
        log.get().info("catalogue kept beside photos", repository=repository.name, lines=written.lines)


@dataclass
class _Written:
    """A file that is being written, and what it says so far."""

    file: BinaryIO
    lines: int = 0
    digest: Any = field(default_factory=blake3)

    def write(self, line: Line) -> bytes:
        text = msgspec.json.encode(line) + b"\n"
        self.file.write(text)
        return text

    def add(self, things: Sequence[Thing]) -> None:
        for thing in things:
            self.digest.update(self.write(thing))
        self.lines += len(things)

    def end(self, home: bytes) -> None:
        """The last line; Unchanged when the file before has the same."""
        end = End(lines=self.lines, digest=self.digest.hexdigest())
        if _last(home) == self.write(end):
            raise Unchanged


async def _pages(pool: Pool) -> AsyncIterator[Sequence[Thing]]:
    for list_page in queries.PAGES:
        async for page in _all(pool, list_page):
            yield page


async def _all(pool: Pool, list_page: Callable[..., Awaitable[Page]]) -> AsyncIterator[Sequence[Thing]]:
    after = None
    while True:
        async with glance(pool) as conn:
            page = await list_page(conn, after, limit=PAGE)
        yield page.things
        if len(page.things) < PAGE:
            return
        after = page.last


def _is_of(home: bytes, epoch: UUID) -> bytes:
    """Where the file before goes: one of another history of the database is kept for whoever wants that back."""
    try:
        with open(files.open_original(home, layout.PEOPLE), "rb") as file:
            first = msgspec.json.decode(file.readline(LONGEST_END), type=Catalogue)
    except (OSError, msgspec.DecodeError):
        return layout.PEOPLE_BEFORE
    return layout.PEOPLE_BEFORE if first.epoch == epoch else layout.people_of(first.epoch)


def _last(home: bytes) -> bytes:
    """The last line of the file before, or nothing."""
    try:
        with open(files.open_original(home, layout.PEOPLE), "rb") as file:
            file.seek(-min(LONGEST_END, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return file.read().splitlines(keepends=True)[-1]
    except (OSError, IndexError):
        return b""
