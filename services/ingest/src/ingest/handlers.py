"""The place stage: every original lies where its asset belongs, and staged bytes become one where none is healthy."""

import asyncio
import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote_from_bytes

from common import files, outbox, tasks, trash
from common import queries as core
from common.db import Connection, Pool, glance
from common.messages import AssetStored, FileCorrupted
from common.stages import Claim, LeaseLost, Reject, Stage, Wait
from ingest import place, queries, relocation_queries, standing
from ingest.place import Occupied, Placed, Placement, Wish
from ingest.queries import Asset, Original, StagedUpload, Taken
from ingest.standing import Standing

OFFLINE_RETRY_SECONDS = 10.0
BUSY_RETRY_SECONDS = 0.5
LOST = "the uploaded bytes are no longer in staging as they were received; upload the file again"


@dataclass(frozen=True)
class Look:
    """What the record says of an asset that is to be placed, and who has the paths that it may get."""

    asset: Asset
    wishes: list[Wish]
    originals: list[Original]
    taken: list[Taken]


@dataclass(frozen=True)
class Ingest:
    """Everything ingest needs to do its work."""

    pool: Pool

    async def place(self, claim: Claim) -> None:
        """Have an asset's originals lie where they belong, and give staged bytes a place unless one is healthy."""
        with waiting():
            look = await self._look(claim)
        try:
            await self._make_so(claim, look)
        except (LeaseLost, asyncio.CancelledError):
            if look.originals:
                await self._look_again(look)
            raise

    async def _make_so(self, claim: Claim, look: Look) -> None:
        with waiting():
            standings = await tasks.to_the_end(_settle_originals, look) if look.originals else []
            is_healthy = any(found.is_healthy for found in standings)
            placed = Placed() if is_healthy else await self._place(look)
        save = partial(_save, look=look, standings=standings, placed=placed)
        if not is_healthy and placed.placement is None and (look.wishes or look.asset.stored_at is None):
            raise Reject(LOST, save=save)

        async with claim.settle(self.pool) as conn:
            await save(conn)
        await asyncio.to_thread(place.forget, [wish.upload for wish in look.wishes])

    async def _look(self, claim: Claim) -> Look:
        async with glance(self.pool) as conn:
            asset = await queries.find_asset(conn, claim.asset_id)
            uploads = await queries.list_staged(conn, claim.asset_id)
            originals = await queries.list_originals(conn, claim.asset_id)
        if asset is None:  # and its stages with it
            raise LeaseLost
        if asset.is_going:
            raise Wait("the photo is being purged", after=BUSY_RETRY_SECONDS)
        wishes = await asyncio.to_thread(_wishes, asset, uploads)
        spots = [spot for wish in wishes for spot in wish.spots()]
        spots += [
            (original.repository_id, path) for original in originals for path in standing.paths_of(asset, original)
        ]
        async with glance(self.pool) as conn:
            return Look(asset, wishes, originals, await queries.list_taken(conn, spots))

    async def _look_again(self, look: Look) -> None:
        """Somebody else is to decide, and we may have moved what they had moved: nobody's view is of now any more."""
        async with glance(self.pool) as conn:
            await queries.look_again(
                conn,
                look.asset.asset_id,
                was_trashed=look.asset.trashed_at is not None,
                relocation=max(one.relocation_id * one.is_wanted for one in look.originals),
            )

    async def _place(self, look: Look) -> Placed:
        try:
            return await asyncio.to_thread(_place, look)
        except Occupied as occupied:
            await self._trash_rival(look, occupied)
            raise Wait(str(occupied), after=BUSY_RETRY_SECONDS) from None

    async def _trash_rival(self, look: Look, occupied: Occupied) -> None:
        """Throw away, restorably, the owner's other asset whose name an upload takes over."""
        for taken in look.taken:
            if taken.spot == occupied.spot and taken.asset_id is not None:
                with suppress(trash.NoAsset):
                    async with self.pool.connection() as conn:
                        await trash.put(conn, taken.asset_id, owner=look.asset.owner_id, reason=trash.BY_UPLOAD)


@contextmanager
def waiting(after: float = OFFLINE_RETRY_SECONDS) -> Iterator[None]:
    """A disk that is away, full or failing, or a file that somebody else moves just now, costs no attempt."""
    try:
        with files.outages():
            yield
    except files.Offline as outage:
        raise Wait(str(outage), after=after) from None
    except BlockingIOError:
        raise Wait("the file is just being moved", after=BUSY_RETRY_SECONDS) from None


def _wishes(asset: Asset, uploads: Sequence[StagedUpload]) -> list[Wish]:
    return [place.wish(asset, upload) for upload in uploads]


def _settle_originals(look: Look) -> list[Standing]:
    try:
        return [
            standing.settle(
                look.asset,
                original,
                {taken.spot for taken in look.taken if taken.file_record_id != original.file_record_id},
            )
            for original in look.originals
        ]
    except FileNotFoundError:  # it was there a moment ago
        raise BlockingIOError(errno.EAGAIN, "somebody has just moved the file") from None


def _place(look: Look) -> Placed:
    foreign = [taken for taken in look.taken if taken.asset_id != look.asset.asset_id]
    rivals = {
        taken.spot
        for taken in foreign
        if taken.owner_id == look.asset.owner_id and (taken.is_moving or not taken.is_trashed)
    }
    placed = place.place_first(
        look.asset,
        look.wishes,
        foreign={taken.spot for taken in foreign},
        rivals=rivals,
        own={taken.spot for taken in look.taken if taken.asset_id == look.asset.asset_id},
    )
    for upload in placed.failed:
        place.set_aside(look.asset, upload, LOST)
    return placed


async def _save(conn: Connection, *, look: Look, standings: Sequence[Standing], placed: Placed) -> None:
    if look.asset.trashed_at is None:  # what was said while it was in the trash may have no sidecar yet
        await core.redo(conn, look.asset.asset_id, Stage.SIDECAR)
    for found in standings:
        if found.is_news:
            await queries.save_standing(
                conn,
                found.original.file_record_id,
                state=found.health,
                path=found.path,
                trashed_from=found.trashed_from,
            )
            if found.health == "corrupt":
                await outbox.add(conn, _corrupted(look.asset, found))
    moves = [
        (found.original.relocation_id, found.original.file_record_id, found.path, standing.left(look.asset, found))
        for found in standings
        if found.original.is_wanted
    ]
    if moves:
        await relocation_queries.settle_moves(conn, moves)
    if placed.placement is not None:
        await _save_placement(conn, look.asset, placed.placement)
    rest = [wish.upload for wish in look.wishes if wish.upload not in placed.settled]
    await queries.settle_uploads(conn, [upload.upload_id for upload in placed.failed], state="failed", error=LOST)
    await queries.settle_uploads(conn, [upload.upload_id for upload in rest], state="duplicate")
    await queries.follow_wish(conn, look.asset.asset_id)
    await queries.place_again_if_needed(conn, look.asset.asset_id)


def _corrupted(asset: Asset, found: Standing) -> FileCorrupted:
    return FileCorrupted(
        owner_id=asset.owner_id,
        asset_id=asset.asset_id,
        repository_id=found.original.repository_id,
        path=quote_from_bytes(found.path),
    )


async def _save_placement(conn: Connection, asset: Asset, placement: Placement) -> None:
    await queries.save_original(
        conn,
        asset.asset_id,
        repository_id=placement.upload.repository_id,
        path=placement.path,
        display_name=placement.path.decode(errors="replace"),
        seen=placement.seen,
    )
    await queries.settle_uploads(conn, [placement.upload.upload_id], state="stored")
    await core.release(conn, asset.asset_id, Stage.RENDER)
    stored = AssetStored(
        owner_id=asset.owner_id,
        asset_id=asset.asset_id,
        repository_id=placement.upload.repository_id,
        kind=asset.kind,
    )
    await outbox.add(conn, stored)
