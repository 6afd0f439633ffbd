"""Has the originals of an inbox lie by another strategy: lists them, and lets the place stage move some at a time."""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import psycopg

from common import files, folders, layout, log, marker, relocating, relocation_queries
from common import lease_queries as leases
from common import queries as core
from common.db import Pool, glance
from ingest import relocation_queries as queries
from ingest.relocation_queries import Relocation

LEASE, LEASE_SECONDS = "relocations", 60.0
ROUNDS = 2
AT_ONCE = 500
"""So many wait for their turn at most: a wish that is called off ends soon, and people's uploads go first anyway."""
PAGE = 2000
BUSY_SECONDS = 1.0
OURS = re.compile(rb"inbox/(\d{4}(/\d{2})?|[0-9a-f]{2}(/[0-9a-f]{2}){0,2})")
"""The folders that strategies make."""


@dataclass(frozen=True)
class Relocations:
    """Works off what is wished while it is the only one, by a lease; `wake` lets this ingest look for work."""

    pool: Pool
    idle_seconds: float
    wake: Callable[[], None]
    holder: UUID = field(default_factory=uuid4)

    async def run(self, stop: asyncio.Event) -> None:
        """Go on until told to stop, then let another ingest do so at once; an outage only delays it."""
        while not stop.is_set():
            is_busy = False
            try:
                is_busy = await self.go_on()
            except psycopg.Error as error:
                log.get().warning("relocating delayed", error=str(error).strip())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BUSY_SECONDS if is_busy else self.idle_seconds):
                    await stop.wait()
        with contextlib.suppress(psycopg.Error):  # then the lease runs out
            async with glance(self.pool) as conn:
                await leases.give(conn, LEASE, self.holder)

    async def go_on(self) -> bool:
        """One step of everything that is wished; False when nothing is, or it is for another ingest."""
        async with glance(self.pool) as conn:
            wished = await queries.list_open(conn)
            if not wished or not await leases.take(conn, LEASE, self.holder, seconds=LEASE_SECONDS):
                return False
        for one in wished:
            try:
                await self._step(one)
                trouble = None
            except (files.Offline, OSError) as error:
                trouble = str(error)
            async with glance(self.pool) as conn:
                await queries.tell_trouble(conn, one.relocation_id, trouble)
        return True

    async def _step(self, one: Relocation) -> None:
        with files.outages():
            rules = await asyncio.to_thread(marker.check, one.root, one.repository_id)
        if one.state == "stopped":
            await self._end(one)
        elif not one.is_marked:
            await self._mark(one)
        elif one.listed_to is not None:
            await self._list(one, rules, one.listed_to)
        elif await self._feed(one):
            self.wake()
        elif one.round < ROUNDS:
            await self._look_once_more(one)
        else:
            await self._end(one)

    async def _mark(self, one: Relocation) -> None:
        """Uploads first, so that nothing more comes that is to be moved; a marker that is changed later is honoured."""
        strategy = relocating.strategy_of(one.strategy)
        rules = await asyncio.to_thread(marker.choose, one.root, one.repository_id, strategy)
        clash = "rename" if rules.local_settings.handle_duplicate_filenames == "rename" else "uuid"
        async with glance(self.pool) as conn:
            await queries.mark(conn, one.relocation_id, clash=clash)

    async def _list(self, one: Relocation, rules: marker.Marker, after: bytes) -> None:
        """Write down for each original where it belongs; a page and how far that is are one transaction."""
        listed_to: bytes | None = after
        while listed_to is not None:
            async with self.pool.connection() as conn:
                page = await relocation_queries.list_stored(conn, one.repository_id, after=listed_to, limit=PAGE)
                listed_to = page[-1].path if page else None
                planned = [relocating.plan(rules, one.strategy, stored) for stored in page]
                moves = [move for move in planned if move is not None]
                await queries.save_moves(conn, one, moves, listed_to=listed_to)

    async def _feed(self, one: Relocation) -> bool:
        """Have the next ones placed anew; False when there are none."""
        async with self.pool.connection() as conn:
            await queries.leave_others(conn, one.relocation_id, limit=AT_ONCE)
        async with self.pool.connection() as conn:
            return await queries.reopen(conn, one.relocation_id, limit=AT_ONCE)

    async def _look_once_more(self, one: Relocation) -> None:
        async with self.pool.connection() as conn:
            if not await queries.is_placing(conn, one):
                await queries.look_once_more(conn, one)

    async def _end(self, one: Relocation) -> None:
        """Folders that were left empty go, some at a time, then the wish."""
        async with glance(self.pool) as conn:
            now = datetime.fromtimestamp(await core.find_now(conn)).astimezone()
        after, busy = 0, layout.dated(b"", now) if relocating.strategy_of(one.strategy) == "date" else b""
        while True:
            async with glance(self.pool) as conn:
                page = await queries.list_sources(conn, one.relocation_id, after=after, limit=PAGE)
            if not page:
                break
            await asyncio.to_thread(_tidy, one.root, [source for _, source in page], busy)
            after = page[-1][0]
        async with glance(self.pool) as conn:
            await queries.end(conn, one.relocation_id)
        log.get().info("originals relocated", repository=str(one.repository_id), strategy=one.strategy)


def _tidy(root: bytes, sources: list[bytes], busy: bytes) -> None:
    """Remove folders of ours in which nothing lies any more, the lowest first, but not where uploads go just now."""
    for path in sorted(_folders(sources), key=len, reverse=True):
        if not busy.startswith(path + b"/"):
            folders.remove_empty(root, path)


def _folders(sources: list[bytes]) -> set[bytes]:
    """The folders in which some originals lay, and those above, as far as a strategy made them."""
    parts = [source.split(b"/") for source in sources]
    found = {b"/".join(part[:depth]) for part in parts for depth in range(2, len(part))}
    return {path for path in found if OURS.fullmatch(path)}
