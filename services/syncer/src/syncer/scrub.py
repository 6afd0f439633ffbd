"""Compares originals with what they were, slowly and for ever, so that damage is known while copies exist."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from common import files, log, metrics, outbox
from common.db import Pool, glance
from common.files import Seen
from common.names import shown
from syncer import events
from syncer.comparing import Kept
from syncer.queries import scrubbing as queries
from syncer.queries.scrubbing import Corrupted, Due
from syncer.readers import Readers
from syncer.reading import Reading
from syncer.scans import Holding

BATCH_FILES, BATCH_BYTES = 64, 64 << 20
IDLE_SECONDS = 30.0
BEHIND_SECONDS, MOST_BEHIND = 2.0, 60.0
BEGIN = 2 / 3
"""When to begin, as a part of the time in which all is to be compared: the rest is for doing it."""


@dataclass(frozen=True)
class Pace:
    """Within how many days all files are compared, 0 for never, and what part of a core's time that may take."""

    days: int = 30
    percent: float = 20.0

    def rest(self, seconds: float) -> float:
        """How long to rest after so much work."""
        return seconds * (100 / self.percent - 1)


@dataclass
class Scrub:
    """Compares what is due, some files at a time; `dirty` hears of folders in which something is missing."""

    pool: Pool
    readers: Readers
    holding: Holding
    pace: Pace
    dirty: Callable[[bytes], None]
    behind: float = 0

    async def run_once(self) -> float:
        """Compare some; returns for how many seconds to rest then. Offline when the repository is away."""
        async with glance(self.pool) as conn:
            if self.behind < MOST_BEHIND and await queries.is_reading(conn, self._repository_id):
                self.behind += BEHIND_SECONDS
                return BEHIND_SECONDS
            days = self.pace.days * BEGIN
            due = _some(await queries.list_due(conn, self._repository_id, days=days, limit=BATCH_FILES))
        self.behind = 0
        return await self._compare(due) if due else IDLE_SECONDS

    async def _compare(self, due: Sequence[Due]) -> float:
        repository = self.holding.repository
        await asyncio.to_thread(self.holding.look)
        with files.outages():
            kept = [self._kept(one) for one in due]
            compared = await self.readers.compare(repository.root, kept, is_probed=repository.private_root is None)
        await asyncio.to_thread(self.holding.look)
        await self._save(compared.readings, {one.file_record_id: one.content_hash for one in due})
        metrics.SCRUBBED.inc(sum(one.size for one in due))
        return self.pace.rest(compared.seconds)

    async def _save(self, readings: Sequence[Reading], known: dict[int, bytes]) -> None:
        done = [one for one in readings if one.outcome in {"read", "unreadable"}]
        gone = [one for one in readings if one.outcome == "gone"]
        async with self.pool.connection() as conn:
            await self.holding.check(conn)
            corrupted = await queries.save_compared(conn, done, [known[one.file_record_id] for one in done])
            await queries.read_again(conn, [one for one in readings if one.outcome == "busy"])
            await queries.leave_gone(conn, gone)
            await outbox.add(conn, *events.corrupted(self.holding.repository, corrupted))
        tell(self._repository_id, corrupted)
        for one in gone:
            self.dirty(os.path.dirname(one.path))

    def _kept(self, one: Due) -> Kept:
        seen = Seen(one.size, one.modified_ns, one.inode)
        return Kept(one.file_record_id, one.path, seen, one.content_hash, self.holding.keeps(one.path))

    @property
    def _repository_id(self) -> UUID:
        return self.holding.repository.repository_id


def tell(repository_id: UUID, corrupted: Sequence[Corrupted]) -> None:
    """One line for operators of each file that is corrupt since now."""
    for one in corrupted:
        path = shown(one.path)
        log.get().warning(
            "file corrupted", repository=str(repository_id), asset=str(one.asset_id), path=path, reason=one.trouble
        )


def _some(due: Sequence[Due]) -> list[Due]:
    """The first of them that can be read without resting."""
    some: list[Due] = []
    size = 0
    for one in due:
        some.append(one)
        size += one.size
        if size >= BATCH_BYTES:
            break
    return some
