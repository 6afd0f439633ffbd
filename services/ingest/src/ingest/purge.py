"""The purge stage: what was thrown away goes for good, exactly the files that were listed and nothing else."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from common import files, layout, marker, outbox, sidecars, tasks
from common import queries as core
from common.db import Connection, Pool, glance
from common.files import Condemned
from common.messages import AssetPurged
from common.stages import Claim, LeaseLost, Reject, Stage, Wait
from ingest import purge_queries as queries
from ingest.handlers import BUSY_RETRY_SECONDS, waiting
from ingest.purge_queries import Derived, Listed

READ_ONLY = "a file of it lies in a repository that is only read: remove it there yourself, or take the asset back"
REFUSED = "a file of it may not be removed, its folder refuses: give the server the right to, then purge it again"
MOVED = "a file of it came or was moved since the purge was wished: purge it again to have that go as well"
AWAY_RETRY_SECONDS = 300.0
"""Nobody waits for what is to go, and while a disk is away it may be thousands of assets."""
IN_TRASH = "its bytes are not those that were thrown away, so it was not purged"


@dataclass(frozen=True)
class Purge:
    """Everything that purging needs."""

    pool: Pool

    async def purge(self, claim: Claim) -> None:
        """Remove an asset for good if that is wished still: its listed files first, its rows after them."""
        if not await self._begin(claim):
            return
        async with glance(self.pool) as conn:
            listed = await queries.list_files(conn, claim.asset_id)
            derived = await queries.list_derived(conn, claim.asset_id)
        gone = []
        for file in listed:
            try:
                with waiting(AWAY_RETRY_SECONDS):
                    if await self._remove(claim, file):
                        gone.append(file)
            except PermissionError:
                raise Reject(REFUSED, save=partial(_stop, claim=claim, gone=gone)) from None
        await self._end(claim, gone, derived)

    async def _begin(self, claim: Claim) -> bool:
        """Pass the point of no return; False when nobody wants it any more, and the stage is settled."""
        async with self.pool.connection() as conn:
            await _lock(conn, claim)
            wish = await queries.find_wish(conn, claim.asset_id)
            if wish is None or wish.is_wanted_back:
                await _call_off(conn, claim)
                return False
            if not wish.has_begun:
                if wish.is_moving:
                    raise Wait("its files are still being moved into the trash", after=BUSY_RETRY_SECONDS)
                if wish.is_read_only:
                    raise Reject(READ_ONLY)
                await queries.begin(conn, claim.asset_id)
        return True

    async def _remove(self, claim: Claim, file: Listed) -> bool:
        """Have one file gone; False when the record has another path by now, or other bytes lie there."""
        await asyncio.to_thread(marker.check, file.root, file.repository_id)
        try:
            condemned = await tasks.opened(_condemn, file, close=Condemned.close)
        except FileNotFoundError:  # gone already, or its disk went away meanwhile
            await asyncio.to_thread(marker.check, file.root, file.repository_id)
            await asyncio.to_thread(_forget_beside, file)
            return True
        except files.OtherBytes:
            await self._release(file)
            return False
        try:
            return await self._remove_listed(claim, file, condemned)
        finally:
            condemned.close()

    async def _remove_listed(self, claim: Claim, file: Listed, condemned: Condemned) -> bool:
        """Decide and remove under the lock of the record, so that nobody gives it another path in between."""
        async with self.pool.connection() as conn:
            if not await queries.lock_listed(conn, claim.asset_id, file.file_record_id, epoch=claim.epoch):
                return False
            await tasks.to_the_end(condemned.remove)
        await asyncio.to_thread(_forget_beside, file)
        return True

    async def _release(self, file: Listed) -> None:
        """What is not the photo that was thrown away is something new, or in the trash something that nobody knows."""
        async with glance(self.pool) as conn:
            if layout.is_trashed(file.path):
                await queries.leave_in_trash(conn, file.file_record_id, path=file.path, trouble=IN_TRASH)
            else:
                await queries.release(conn, file.file_record_id, path=file.path)

    async def _end(self, claim: Claim, gone: Sequence[Listed], derived: Sequence[Derived]) -> None:
        """The rows go too, unless the asset is wanted back or has other files by now, all in one transaction."""
        async with self.pool.connection() as conn:
            await _lock(conn, claim)
            wish = await queries.find_wish(conn, claim.asset_id)
            await queries.forget_records(conn, claim.asset_id, _records(gone))
            if wish is None or wish.is_wanted_back:
                await _call_off(conn, claim)
                return
            failed = await queries.list_failed_uploads(conn, claim.asset_id)
            is_gone = await queries.delete_asset(conn, claim.asset_id)
            if is_gone:
                await outbox.add(conn, AssetPurged(owner_id=claim.owner_id, asset_id=claim.asset_id))
        if not is_gone:
            raise Reject(MOVED, save=partial(_stop, claim=claim, gone=gone))
        await asyncio.to_thread(_forget_derived, claim.asset_id, gone, [*derived, *failed])


async def _lock(conn: Connection, claim: Claim) -> None:
    """Hold all stages of the asset, as everybody does who changes its wishes; LeaseLost when the claim is over."""
    await queries.lock_stages(conn, claim.asset_id)
    if not await queries.is_ours(conn, claim.asset_id, epoch=claim.epoch):
        raise LeaseLost


async def _call_off(conn: Connection, claim: Claim) -> None:
    """Leave the asset as it is, and have what came for it meanwhile placed."""
    await queries.forget_wish(conn, claim.asset_id)
    await core.reopen(conn, claim.asset_id, Stage.PLACE)
    await core.settle_done(conn, claim.asset_id, Stage.PURGE, epoch=claim.epoch)


async def _stop(conn: Connection, *, claim: Claim, gone: Sequence[Listed]) -> None:
    """What is left of an asset stays in the trash and can be taken back."""
    await queries.forget_records(conn, claim.asset_id, _records(gone))
    await queries.stop(conn, claim.asset_id)


def _records(gone: Sequence[Listed]) -> list[int]:
    return [file.file_record_id for file in gone]


def _condemn(file: Listed) -> Condemned:
    return files.condemn(file.root, file.path, content_hash=file.content_hash)


def _forget_beside(file: Listed) -> None:
    """What we keep beside an original goes with it; in a person's own folders nothing else does."""
    if layout.is_trashed(file.path):
        files.forget(file.root, layout.sidecar(file.path))
    if layout.is_managed(file.path):
        sidecars.forget(file.root, file.path)


def _forget_derived(asset_id: UUID, gone: Sequence[Listed], derived: Sequence[Derived]) -> None:
    """What was made of an asset goes after its rows; what a crash leaves of that, housekeeping removes."""
    for one in derived:
        files.forget(one.home, one.path)
    for root in {file.root for file in gone}:
        files.forget(root, layout.apart(asset_id))
