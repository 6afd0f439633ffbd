"""One scan: the disk is looked at and compared, and what differs is applied unless it looks like an outage."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

import psycopg

from common import db, files, layout, marker, outbox
from common import lease_queries as leases
from common import queries as core
from common.db import Connection, Pool, glance
from common.messages import AssetReopened
from common.names import shown
from common.scan_queries import Counts
from common.stages import Stage
from syncer import area, events, ground, ignoring
from syncer.area import Area
from syncer.looking import Look
from syncer.queries import applying, beside, operations, scanning
from syncer.queries.beside import Sidecar
from syncer.queries.operations import Tended
from syncer.snapshot import Tally

REPORT_SECONDS = 1.0
LEAST_ALARMING, MOST_ALARMING, ALARMING_SHARE = 50, 1000, 0.05
EXAMPLES = 10
SIDECARS = 1000

State = Literal["done", "partial", "asking"]


class NotOurs(Exception):  # an outcome, not an error
    """Somebody else tends the repository by now: stop and touch nothing."""


@dataclass(frozen=True)
class Holding:
    """A repository and the lease under which it is tended."""

    repository: Tended
    lease: str
    holder: UUID

    async def check(self, conn: Connection) -> None:
        """NotOurs unless the lease is ours, and stays so until the transaction ends."""
        if not await leases.holds(conn, self.lease, self.holder):
            raise NotOurs

    def keeps(self, path: bytes) -> bool:
        """Whether a file lies where only the server puts files, and nobody edits them."""
        return self.repository.private_root is None and layout.is_managed(path)

    def look(self) -> marker.Marker:
        """The rules of the repository; Offline when it is not there."""
        with files.outages():
            return marker.check(self.repository.root, self.repository.repository_id, self.repository.private_root)


@dataclass
class Scan:
    """One run over an area of a repository; as many files as are `allowed` may be called missing unasked."""

    pool: Pool
    database_url: str
    holding: Holding
    operation_id: int
    area: Area = field(default_factory=Area)
    allowed: int | None = None
    counts: Counts = field(default_factory=Counts)
    asks: int | None = None

    async def run(self) -> State:
        """Make the records true to the disk; Offline when the repository is not there, NotOurs when it is not ours."""
        async with db.alone(self.database_url) as conn:
            await scanning.prepare(conn)
            began = await scanning.find_now(conn)
            look = await self._look(conn)
            return await self._apply(conn, look.tally, began)

    async def _look(self, conn: Connection) -> Look:
        """What the disk says; the repository must be there before and after, and be the directory that was walked."""
        with ground.held(self.holding.repository.root) as held:
            rules = await asyncio.to_thread(self.holding.look)
            known = await scanning.list_folders(conn, self._repository_id, parents=list(self.area.flat))
            ignored = ignoring.compiled(rules.sync_settings.ignore_patterns)
            look = Look(held.path, self.area, ignored, frozenset(known))
            reporting = asyncio.create_task(self._report_for_ever(look.tally))
            try:
                with files.outages():
                    await look.write_down(conn)
            finally:
                reporting.cancel()
            await asyncio.to_thread(self.holding.look)
            await asyncio.to_thread(held.check)
        self._tell(look.tally)
        await scanning.save_scope(conn, area.scope(self.area, look.changed_folders()))
        await scanning.settle_seen(conn)
        return look

    async def _apply(self, conn: Connection, tally: Tally, began: datetime) -> State:
        async with conn.transaction():
            await scanning.compare(conn, self._repository_id, began=began, is_whole=self.area.is_whole)
            await scanning.pair_moved(conn, self._repository_id)
            await scanning.drop_covered(conn, tally.covered)
            if self.holding.repository.private_root is None:
                self.counts.strays = await scanning.drop_strays(conn)
            gone = (await scanning.count_differences(conn)).get("gone", 0)
            if self.area.is_whole:  # much that went little by little is much all the same
                gone += await scanning.count_unconfirmed(conn, self._repository_id)
        is_alarming = await self._is_alarming(conn, gone, tally)
        sidecars = await beside.list_sidecars(conn)
        await self._each(conn, self._move)
        await self._reread(conn, [one for one in sidecars if one.changed_ns is not None])
        for apply in (self._return, self._change, self._add):
            await self._each(conn, apply)
        if is_alarming or not tally.is_whole:
            return await self._leave(conn, gone, "asking" if is_alarming and tally.is_whole else "partial")
        await self._each(conn, self._miss)
        await self._reread(conn, [one for one in sidecars if one.changed_ns is None])
        await self._finish(conn)
        return "done"

    async def _is_alarming(self, conn: Connection, gone: int, tally: Tally) -> bool:
        """Whether so much is gone that a person is to say whether that is so."""
        if not gone or (self.allowed is not None and gone <= self.allowed):
            return False
        if self.area.is_whole and not tally.files:
            return True
        known = await scanning.count_known(conn, self._repository_id)
        return gone > max(LEAST_ALARMING, min(MOST_ALARMING, int(known * ALARMING_SHARE)))

    async def _leave(self, conn: Connection, gone: int, state: State) -> State:
        """Call nothing missing, and say what would have been."""
        gone_paths = await scanning.list_gone(conn, self._repository_id, limit=EXAMPLES)
        self.counts.examples = [shown(path) for path in gone_paths]
        self.asks = gone if state == "asking" else None
        return state

    async def _finish(self, conn: Connection) -> None:
        async with conn.transaction():
            await self.holding.check(conn)
            await scanning.save_folders(conn, self._repository_id, is_whole=self.area.is_whole)
            if self.area.is_whole:
                await applying.count_missed(conn, self._repository_id)
                self.counts.hidden = await applying.hide_assets(conn, self._repository_id)
                await applying.forget_copies(conn, self._repository_id)

    async def _each(self, conn: Connection, apply: Callable[[Connection], Awaitable[int]]) -> None:
        """One kind of difference, some rows at a time, each time only while the repository is ours."""
        while True:
            async with conn.transaction():
                await self.holding.check(conn)
                if not await apply(conn):
                    return

    async def _move(self, conn: Connection) -> int:
        moved = await applying.apply_moved(conn, self.operation_id)
        await applying.rename_assets(conn, moved)
        await outbox.add(conn, *events.moved(self.holding.repository, moved))
        self.counts.moved += len(moved)
        return len(moved)

    async def _return(self, conn: Connection) -> int:
        returned = await applying.apply_returned(conn, self.operation_id)
        await outbox.add(conn, *events.returned(self.holding.repository, returned))
        self.counts.returned += len(returned)
        return len(returned)

    async def _change(self, conn: Connection) -> int:
        changed = await applying.apply_changed(conn, self.operation_id)
        self.counts.changed += changed
        return changed

    async def _add(self, conn: Connection) -> int:
        new = await applying.apply_new(conn, self._repository_id, self.operation_id)
        self.counts.new += new
        return new

    async def _miss(self, conn: Connection) -> int:
        gone = await applying.apply_gone(conn, self.operation_id)
        missing = [one for one in gone if one.asset_id is not None]
        await outbox.add(conn, *events.vanished(self.holding.repository, missing))
        self.counts.gone += len(missing)
        return len(gone)

    async def _reread(self, conn: Connection, sidecars: Sequence[Sidecar]) -> None:
        """Have the metadata read again of originals beside which other programs say something else now."""
        for start in range(0, len(sidecars), SIDECARS):
            async with conn.transaction():
                await self.holding.check(conn)
                spoken_of = await beside.list_spoken_of(conn, self._repository_id, sidecars[start : start + SIDECARS])
                for one in spoken_of:
                    await core.redo(conn, one.asset_id, Stage.RENDER)
                reopened = [AssetReopened(owner_id=one.owner_id, asset_id=one.asset_id) for one in spoken_of]
                await outbox.add(conn, *reopened)

    def _tell(self, tally: Tally) -> None:
        self.counts.folders, self.counts.files, self.counts.bytes = tally.folders, tally.files, tally.length
        self.counts.linked, self.counts.skipped = tally.linked, dict(tally.skipped)
        self.counts.troubles = list(tally.troubles)

    async def _report_for_ever(self, tally: Tally) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            self._tell(tally)
            with contextlib.suppress(psycopg.Error):
                async with glance(self.pool) as conn:
                    await operations.report(conn, self.operation_id, self.counts)

    @property
    def _repository_id(self) -> UUID:
        return self.holding.repository.repository_id
