"""What one ingest of all does from time to time: staging leftovers, old events, and once a day the slow rest."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg

from common import files, folders, layout, log, marker, outbox_queries, trash
from common import lease_queries as leases
from common import queries as core
from common.db import Pool, glance
from ingest import counting, departures, keeping, leftovers, purge_queries, queries
from ingest.queries import Repository

LEASE = "housekeeping"
OUTBOX_BATCH = 5000
EXPIRY_BATCH = 500


@dataclass(frozen=True)
class Housekeeping:
    """Cleans up while it holds the lease that makes it the only one."""

    pool: Pool
    every_seconds: float
    abandoned_seconds: float
    failed_seconds: float = 30 * leftovers.DAY
    trash_days: int = 30
    holder: UUID = field(default_factory=uuid4)

    async def run(self, stop: asyncio.Event) -> None:
        """Clean up until told to stop, then let another ingest do it at once; an outage only delays it."""
        while not stop.is_set():
            try:
                if await self._is_leader():
                    await self.clean()
            except (psycopg.Error, OSError) as error:
                log.get().warning("housekeeping delayed", error=str(error).strip())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.every_seconds):
                    await stop.wait()
        with contextlib.suppress(psycopg.Error):  # then the lease runs out
            async with glance(self.pool) as conn:
                await leases.give(conn, LEASE, self.holder)

    async def clean(self) -> None:
        """One round over every repository that is there, and the outbox."""
        async with self.pool.connection() as conn:
            now = await core.find_now(conn)
            repositories = await queries.list_repositories(conn)
            while await outbox_queries.forget_published(conn, limit=OUTBOX_BATCH) == OUTBOX_BATCH:
                await conn.commit()
        for repository in repositories:
            with contextlib.suppress(files.Offline):
                await self._clean_staging(repository, now)
        if self.trash_days:
            await self._expire()
        await departures.go_on(self.pool)
        if await self._is_new_day():
            await leftovers.clean(self.pool, failed_seconds=self.failed_seconds)
            await counting.correct(self.pool)
            await keeping.write(self.pool)

    async def _expire(self) -> None:
        """What was thrown away long ago goes for good."""
        while True:
            async with self.pool.connection() as conn:
                expired = await purge_queries.list_expired(conn, days=self.trash_days, limit=EXPIRY_BATCH)
                wished = await trash.purge(conn, expired, asked_by=None, why="expired") if expired else 0
            if wished:
                log.get().info("trash expired", assets=wished)
            if wished < EXPIRY_BATCH:
                return

    async def _is_new_day(self) -> bool:
        """Whether a day has passed since anybody was told so: a lease that nobody holds on to."""
        async with glance(self.pool) as conn:
            return await leases.take(conn, "daily clean-up", uuid4(), seconds=leftovers.DAY)

    async def _is_leader(self) -> bool:
        async with glance(self.pool) as conn:
            return await leases.take(conn, LEASE, self.holder, seconds=self.every_seconds * 3)

    async def _clean_staging(self, repository: Repository, now: float) -> None:
        await asyncio.to_thread(marker.check, repository.root, repository.repository_id)
        for name in await asyncio.to_thread(folders.list_names, repository.root, layout.STAGING):
            await self._clean_staged(repository, name, now)

    async def _clean_staged(self, repository: Repository, name: bytes, now: float) -> None:
        """Decide and remove under the row's lock; whoever commits a row has its file open until then."""
        path = b"/".join((layout.STAGING, name))
        is_abandoned = await asyncio.to_thread(self._is_abandoned, repository, path, now)
        async with self.pool.connection() as conn:
            state = await queries.lock_upload_state(conn, name.decode(errors="replace"))
            if state == "staged" or (state is None and not is_abandoned):
                return
            await asyncio.to_thread(files.forget, repository.root, path)
        log.get().info("staging leftover removed", upload=state or "never finished")

    def _is_abandoned(self, repository: Repository, path: bytes, now: float) -> bool:
        with contextlib.suppress(FileNotFoundError):  # it was placed meanwhile
            touched_ns = files.touched_ns(repository.root, path)
            is_old = touched_ns is not None and now - touched_ns / 1e9 > self.abandoned_seconds
            if is_old and not _may_be_promised(repository, path):
                return not files.is_being_written(repository.root, path)
        return False


def _may_be_promised(repository: Repository, path: bytes) -> bool:
    """Whether bytes lay here when the database was restored: then they may have been acknowledged without a row now.

    A file that was copied to this disk since is as old as its content, and clocks of disks may be wrong by a day.
    """
    seen, restored = files.see(repository.root, path), repository.restored_at
    return restored is not None and seen is not None and seen.modified_ns / 1e9 < restored + leftovers.DAY
