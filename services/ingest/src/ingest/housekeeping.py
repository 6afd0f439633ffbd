"""What one ingest of all does from time to time: staging leftovers, old events, and once a day the slow rest."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias
from uuid import UUID, uuid4

import psycopg

from common import files, folders, layout, log, marker, outbox_queries, trash
from common import lease_queries as leases
from common import queries as core
from common.db import Pool, glance, is_away
from ingest import counting, departures, keeping, leftovers, purge_queries, queries
from ingest.queries import Repository

LEASE = "housekeeping"
OUTBOX_BATCH = 5000
EXPIRY_BATCH = 500
AGAIN_SECONDS = leftovers.DAY / 4
Work: TypeAlias = Callable[[], Awaitable[None]]


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
            except psycopg.Error as error:
                log.get().warning("housekeeping delayed", error=str(error).strip())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.every_seconds):
                    await stop.wait()
        with contextlib.suppress(psycopg.Error):  # then the lease runs out
            async with glance(self.pool) as conn:
                await leases.give(conn, LEASE, self.holder)

    async def clean(self) -> None:
        """One round: what cannot be done keeps nothing else from being done, unless the database is away for all."""
        for work in (
            self._forget_events,
            self._clean_all_staging,
            self._expire,
            partial(departures.go_on, self.pool),
            partial(self._once_a_day, "daily notes", partial(keeping.write, self.pool)),
            partial(self._once_a_day, "daily count", partial(counting.correct, self.pool)),
            partial(
                self._once_a_day,
                "daily clean-up",
                partial(leftovers.clean, self.pool, failed_seconds=self.failed_seconds),
            ),
        ):
            try:
                await work()
            except (psycopg.Error, OSError) as error:
                if is_away(error):
                    raise
                log.get().warning("housekeeping delayed", error=str(error).strip())

    async def _forget_events(self) -> None:
        async with self.pool.connection() as conn:
            while await outbox_queries.forget_published(conn, limit=OUTBOX_BATCH) == OUTBOX_BATCH:
                await conn.commit()

    async def _clean_all_staging(self) -> None:
        async with self.pool.connection() as conn:
            now = await core.find_now(conn)
            repositories = await queries.list_repositories(conn)
        for repository in repositories:
            with contextlib.suppress(files.Offline):
                await self._clean_staging(repository, now)

    async def _expire(self) -> None:
        """What was thrown away long ago goes for good."""
        while self.trash_days:
            async with self.pool.connection() as conn:
                expired = await purge_queries.list_expired(conn, days=self.trash_days, limit=EXPIRY_BATCH)
                wished = await trash.purge(conn, expired, asked_by=None, why="expired") if expired else 0
            if wished:
                log.get().info("trash expired", assets=wished)
            if wished < EXPIRY_BATCH:
                return

    async def _once_a_day(self, name: str, work: Work) -> None:
        """Nobody holds on to a lease of this name, which lasts a day; what failed, or died, is done hours later."""
        nobody = uuid4()
        async with glance(self.pool) as conn:
            if not await leases.take(conn, name, nobody, seconds=AGAIN_SECONDS):
                return
        await work()
        async with glance(self.pool) as conn:
            await leases.take(conn, name, nobody, seconds=leftovers.DAY)

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
