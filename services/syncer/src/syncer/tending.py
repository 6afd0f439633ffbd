"""Tends one repository while its lease is ours: scans when it is time or somebody asks, and reads what was found."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, TypeVar
from uuid import UUID

import psycopg

from common import log, metrics, outbox
from common.db import OUTAGES, Pool, glance
from common.files import Offline
from common.messages import RepositoryCameOnline, RepositoryWentOffline
from common.outbox import Relay
from syncer import area
from syncer.area import Area
from syncer.hints import Hints
from syncer.noticing import Noticing
from syncer.queries import operations, scanning
from syncer.quick import Quick
from syncer.readers import Readers
from syncer.scans import Holding, NotOurs, Scan, State
from syncer.schedule import Due
from syncer.scrub import Pace, Scrub
from syncer.taking import Taking

T = TypeVar("T")

AWAY_SECONDS = 10.0
INTERRUPTED = "it was interrupted"
KEPT_OPERATIONS = 50
MOST_SCANS = 8
DOUBT_SECONDS, LONGEST_DOUBT_SECONDS = 5.0, 20.0


@dataclass(eq=False)
class Tending:
    """Everything that is done for one repository; scans wait for one of `turns`, for each takes a connection."""

    pool: Pool
    database_url: str
    relay: Relay
    readers: Readers
    holding: Holding
    poll_seconds: float
    pace: Pace = field(default_factory=Pace)
    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_SCANS))
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    unread: asyncio.Event = field(default_factory=asyncio.Event)
    _scanning: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        repository = self.holding.repository
        self.noticing = Noticing(self.pool, repository)
        self._quick = Quick(self.pool, repository.repository_id, repository.root)

    async def run(self) -> None:
        """Tend it until cancelled, or until NotOurs."""
        async with glance(self.pool) as conn:
            await operations.put_back(conn, self._id)
        doubts = Hints(quiet=DOUBT_SECONDS, latest=LONGEST_DOUBT_SECONDS)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._scan_for_ever())
                group.create_task(self._heed_for_ever(self.noticing.hints, doubts))
                group.create_task(self._heed_for_ever(doubts))
                group.create_task(self._read_for_ever())
                group.create_task(self._scrub_for_ever())
        finally:
            await asyncio.shield(self.noticing.close())

    async def _scan_for_ever(self) -> None:
        while True:
            self.asked.clear()
            seconds = await self._persistently(self.scan_due)
            await self._persistently(self.scan_wished)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(seconds, self.poll_seconds)):
                    await self.asked.wait()

    async def _heed_for_ever(self, hints: Hints, doubts: Hints | None = None) -> None:
        """Look where something was heard; what could not be seen whole is in doubt, and looked at once more."""
        while True:
            batch = await hints.next()
            wanted = area.area(batch.trees, batch.folders)
            state = await self._persistently(partial(self.scan, wanted, "watch"))
            if state == "partial" and doubts is not None:
                doubts.add_all(batch)

    async def scan_due(self) -> float:
        """Do the scan whose time has come, having begun to listen; returns how many seconds the next one has."""
        await self.noticing.attend(await asyncio.to_thread(self.holding.look))
        due, now = await self._next_due()
        if due.at <= now:
            wanted = await self._quick.area() if due.is_quick else Area()
            await self.scan(wanted, due.reason, is_quick=due.is_quick)
            due, now = await self._next_due()
        return max((due.at - now).total_seconds(), 0)

    async def scan_wished(self) -> None:
        """Do the scans that somebody waits for."""
        while await self._scan_wish():
            pass

    async def _scan_wish(self) -> bool:
        async with self._scanning, self.turns:
            async with glance(self.pool) as conn:
                await operations.put_back(conn, self._id)  # what ended while the database was away
                wish = await operations.begin_wished(conn, self._id)
            if wish is None:
                return False
            wanted = await self._quick.area(wish.folder) if wish.is_quick else area.area([wish.folder])
            await self._run(wish.operation_id, wanted, wish.allowed, is_quick=wish.is_quick and not wish.folder)
            return True

    async def scan(self, wanted: Area, reason: str, *, is_quick: bool = False) -> State:
        """Do one scan that nobody asked for."""
        folder = area.common(wanted)
        async with self._scanning, self.turns:
            await asyncio.to_thread(self.holding.look)  # else every look at a disk that is away would be a run
            async with glance(self.pool) as conn:
                await operations.put_back(conn, self._id)
                operation = await operations.begin(conn, self._id, folder=folder, reason=reason, is_quick=is_quick)
            return await self._run(operation, wanted, None, is_quick=is_quick)

    async def _next_due(self) -> tuple[Due, datetime]:
        now = await self._now()
        return self.noticing.due(now), now

    async def _now(self) -> datetime:
        async with glance(self.pool) as conn:
            return await scanning.find_now(conn)

    async def _run(self, operation_id: int, wanted: Area, allowed: int | None, *, is_quick: bool) -> State:
        """One run with its outcome, also where that is an outage; `is_quick` when it stands for a quick one of all."""
        scan = Scan(self.pool, self.database_url, self.holding, operation_id, wanted, allowed)
        state: State | Literal["failed"] = "failed"
        error: str | None = INTERRUPTED
        started = time.monotonic()
        try:
            state, error = await scan.run(), None
            await self.mark_online()
        except Offline as outage:
            error = str(outage)
            raise
        except OUTAGES:  # whoever asked for it still waits
            raise
        except Exception as failure:
            error = _reason(failure)
            raise
        finally:
            if state != "done":
                self._quick.forget()
            await self._end(scan, state, error)
            metrics.SCANS.labels(state).observe(time.monotonic() - started)
            log.get().info(
                "scan ended",
                repository=str(self._id),
                state=state,
                error=error,
                files=scan.counts.files,
                ms=round((time.monotonic() - started) * 1000),
            )
        if wanted.is_whole or is_quick:
            took = timedelta(seconds=time.monotonic() - started)
            self.noticing.ended(await self._now(), took, is_quick=not wanted.is_whole)
        if scan.counts.gone and not wanted.is_whole:
            await self._miss()
        self.relay.wake()
        self.unread.set()
        return state

    async def _end(self, scan: Scan, state: str, error: str | None) -> None:
        # Else whoever tends the repository next sees to it; a run that was asked for and interrupted waits for that.
        with contextlib.suppress(psycopg.Error, NotOurs):
            async with self.pool.connection() as conn:
                await self.holding.check(conn)
                if error == INTERRUPTED:
                    await operations.put_back(conn, self._id)
                    return
                await operations.end(
                    conn, scan.operation_id, state=state, counts=scan.counts, error=error, asks=scan.asks
                )
                await operations.forget_old(conn, self._id, keep=KEPT_OPERATIONS)

    async def _read_for_ever(self) -> None:
        taking = Taking(self.pool, self.readers, self.holding)
        while True:
            self.unread.clear()
            seconds = await self._persistently(taking.run_once)
            if taking.has_lost:
                taking.has_lost = False
                await self._persistently(self._miss)
            if not seconds:
                self.relay.wake()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.unread.wait()

    async def _miss(self) -> None:
        """An asset may have no file left, which a scan of all is to say soon."""
        self.noticing.missed(await self._now())
        self.asked.set()

    async def _scrub_for_ever(self) -> None:
        scrub = Scrub(self.pool, self.readers, self.holding, self.pace, self.noticing.hints.add)
        while self.pace.days:
            seconds = await self._persistently(scrub.run_once)
            self.relay.wake()
            await asyncio.sleep(seconds)

    async def _persistently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do work as soon as the repository, the database and the machine let us."""
        while True:
            try:
                try:
                    return await work()
                except Offline as outage:
                    await self.mark_offline(str(outage))
                    await asyncio.sleep(AWAY_SECONDS)
            except (psycopg.Error, OSError) as error:
                log.get().warning("tending delayed", repository=str(self._id), error=str(error).strip())
                await asyncio.sleep(1)

    async def mark_offline(self, reason: str) -> None:
        """Say that the repository is not there; when it is again, all of it is looked at."""
        self.noticing.was_away = True
        async with self.pool.connection() as conn:
            await self.holding.check(conn)
            if await operations.mark_offline(conn, self._id, reason):
                event = RepositoryWentOffline(owner_id=self._owner, repository_id=self._id, reason=reason)
                await outbox.add(conn, event)
                log.get().warning("repository offline", repository=str(self._id), reason=reason)
        self.relay.wake()

    async def mark_online(self) -> None:
        """Say that the repository is there."""
        async with self.pool.connection() as conn:
            await self.holding.check(conn)
            if await operations.mark_online(conn, self._id):
                await outbox.add(conn, RepositoryCameOnline(owner_id=self._owner, repository_id=self._id))
                log.get().info("repository online", repository=str(self._id))

    @property
    def _id(self) -> UUID:
        return self.holding.repository.repository_id

    @property
    def _owner(self) -> int:
        return self.holding.repository.owner_id or 0


def _reason(failure: Exception) -> str:
    """What is wrong, without where on this machine."""
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror
    return f"{type(failure).__name__}: {failure}"[:1000]
