"""Has due files of a repository read, and saves what they hold."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from common import files, outbox, tasks
from common.db import Connection, Pool, glance
from common.files import Seen
from syncer import events, listening, scrub
from syncer.queries import reading as queries
from syncer.queries import scrubbing
from syncer.queries.reading import Due
from syncer.readers import Readers
from syncer.reading import SETTLE_NS, Reading, Wanted
from syncer.scans import Holding

BATCH_FILES, SAVED_FILES = 2000, 500
TASK_FILES, TASK_BYTES = 64, 64 << 20
BUSY_SECONDS = 2.0
UNREADABLE_SECONDS = 3600.0
OUTCOMES = ("busy", "unreadable", "gone", "other", "read")
FAR_SETTLE_NS = 2 * 86400 * 1_000_000_000
"""The clocks of other machines, which date what lies on their disks, may be wrong by so much."""
LEAST_WAIT, MOST_WAIT = 0.05, 15.0


@dataclass
class Taking:
    """Reads what is due, some files at a time; `steady` is how files that were being written looked then.

    `has_lost` says that a file of an asset became something that we do not take.
    """

    pool: Pool
    readers: Readers
    holding: Holding
    steady: dict[int, Seen] = field(default_factory=dict)
    has_lost: bool = False

    async def run_once(self) -> float:
        """Read some; returns for how many seconds there is nothing more to do. Offline when the repository is away."""
        async with glance(self.pool) as conn:
            due = await queries.list_due(conn, self._repository_id, limit=BATCH_FILES)
            if not due:
                return self._rest(await queries.next_due(conn, self._repository_id))
        await asyncio.to_thread(self.holding.look)
        is_ours = await asyncio.to_thread(listening.tells_all, self.holding.repository.root)
        settle_ns = SETTLE_NS if is_ours else FAR_SETTLE_NS
        await self._take(due, settle_ns)
        return 0

    async def _take(self, due: Sequence[Due], settle_ns: int) -> None:
        """Save what was read while what follows is read."""
        chunks = [due[start : start + SAVED_FILES] for start in range(0, len(due), SAVED_FILES)]
        ahead = asyncio.create_task(self._read_all(chunks[0], settle_ns))
        try:
            for following in [*chunks[1:], []]:
                readings = await ahead
                ahead = asyncio.create_task(self._read_all(following, settle_ns))
                await asyncio.to_thread(self.holding.look)
                await self._save(readings)
        finally:
            await tasks.cancel(ahead)

    async def _read_all(self, due: Sequence[Due], settle_ns: int) -> list[Reading]:
        parts = await asyncio.gather(*(self._read(part, settle_ns) for part in _parts(due)))
        return [one for part in parts for one in part]

    def _rest(self, seconds: float | None) -> float:
        if seconds is None or seconds > BUSY_SECONDS:  # then none of those that were being written is still to be read
            self.steady.clear()
        return MOST_WAIT if seconds is None else min(max(seconds, LEAST_WAIT), MOST_WAIT)

    async def _read(self, part: Sequence[Due], settle_ns: int) -> list[Reading]:
        wanted = [Wanted(one.file_record_id, one.path, self.steady.get(one.file_record_id), settle_ns) for one in part]
        with files.outages():
            return await self.readers.read(self.holding.repository.root, wanted)

    async def _save(self, readings: Sequence[Reading]) -> None:
        kept = [one for one in readings if one.outcome in {"read", "other"} and self.holding.keeps(one.path)]
        ids = {one.file_record_id for one in kept}
        theirs = [one for one in readings if one.file_record_id not in ids]
        by = {outcome: [one for one in theirs if one.outcome == outcome] for outcome in OUTCOMES}
        async with self.pool.connection() as conn:
            await self.holding.check(conn)
            await queries.put_off(conn, by["busy"], seconds=BUSY_SECONDS)
            await queries.put_off(conn, by["unreadable"], seconds=UNREADABLE_SECONDS)
            await queries.forget_gone(conn, by["gone"])
            has_lost = await queries.save_other(conn, by["other"])
            await self._save_read(conn, by["read"])
            await self._save_kept(conn, kept)
        self.has_lost |= has_lost
        for one in readings:
            self.steady.pop(one.file_record_id, None)
        self.steady |= {one.file_record_id: one.seen for one in by["busy"] if one.seen is not None}

    async def _save_read(self, conn: Connection, read: Sequence[Reading]) -> None:
        news = await queries.save_read(conn, read)
        fresh = [one for one in news if one.asset_id is None]
        owner = self.holding.repository.owner_id
        moved = {one.path: one for one in await queries.take_over(conn, self._repository_id, fresh, owner=owner)}
        told = [moved.get(one.path, one) for one in news]
        await outbox.add(conn, *events.read(self.holding.repository, told))

    async def _save_kept(self, conn: Connection, kept: Sequence[Reading]) -> None:
        """Nobody edits what the server keeps: where it holds other bytes than it came with, it is corrupt."""
        corrupted = await scrubbing.save_compared(conn, kept, [None] * len(kept))
        await outbox.add(conn, *events.corrupted(self.holding.repository, corrupted))
        scrub.tell(self._repository_id, corrupted)

    @property
    def _repository_id(self) -> UUID:
        return self.holding.repository.repository_id


def _parts(due: Sequence[Due]) -> Iterator[list[Due]]:
    """Some files per process and task, of large ones fewer."""
    part: list[Due] = []
    size = 0
    for one in due:
        part.append(one)
        size += one.size
        if len(part) == TASK_FILES or size >= TASK_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part
