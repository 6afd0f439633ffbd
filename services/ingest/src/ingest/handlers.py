"""The place stage: staged bytes get their path once; further uploads of the same bytes are checked and dropped."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from common import files, outbox
from common import queries as core
from common.db import Connection, Pool, glance
from common.messages import AssetStored
from common.stages import Claim, LeaseLost, Reject, Stage, Wait
from ingest import place, queries
from ingest.place import Health, Placement
from ingest.queries import Asset, Original, StagedUpload

OFFLINE_RETRY_SECONDS = 10.0


@dataclass(frozen=True)
class Ingest:
    """Everything ingest needs to do its work."""

    pool: Pool

    async def place(self, claim: Claim) -> None:
        """Give an asset's staged bytes their place, unless a healthy original is there already."""
        async with glance(self.pool) as conn:
            asset = await queries.find_asset(conn, claim.asset_id)
            uploads = await queries.list_staged(conn, claim.asset_id)
            originals = await queries.list_originals(conn, claim.asset_id)
            paths = [path for upload in uploads for path in place.paths_of(upload)]
            foreign = set(await queries.list_foreign(conn, claim.asset_id, paths))
        if asset is None:  # and its stages with it
            raise LeaseLost
        try:
            health = await asyncio.to_thread(_examine, originals, asset)
            healthy = "present" in health.values()
            placement = None if healthy else await asyncio.to_thread(_place, asset, uploads, foreign)
        except files.Offline as outage:
            raise Wait(str(outage), after=OFFLINE_RETRY_SECONDS) from None

        async with claim.settle(self.pool) as conn:
            await _save_health(conn, health)
            await _save_uploads(conn, asset, uploads, placement)
            await queries.place_again_if_staged(conn, asset.asset_id)
        await asyncio.to_thread(place.forget, uploads)


def _examine(originals: Sequence[Original], asset: Asset) -> dict[Original, Health]:
    return {original: place.examine(original, asset) for original in originals}


def _place(asset: Asset, uploads: Sequence[StagedUpload], foreign: set[bytes]) -> Placement:
    with files.outages():
        placement = place.place_first(asset, uploads, foreign) or place.find_moved(asset, uploads, foreign)
    if placement is None:
        raise Reject("the uploaded bytes are no longer in staging as they were received; upload the file again")
    return placement


async def _save_health(conn: Connection, health: dict[Original, Health]) -> None:
    for original, state in health.items():
        if state != "present" or not original.verified_lately:
            await queries.save_health(conn, original.file_record_id, state)


async def _save_uploads(
    conn: Connection, asset: Asset, uploads: Sequence[StagedUpload], placement: Placement | None
) -> None:
    if placement is not None:
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
        await outbox.add(conn, _stored(asset, placement))
    rest = [upload.upload_id for upload in uploads if placement is None or upload != placement.upload]
    await queries.settle_uploads(conn, rest, state="duplicate")


def _stored(asset: Asset, placement: Placement) -> AssetStored:
    return AssetStored(
        owner_id=asset.owner_id,
        asset_id=asset.asset_id,
        repository_id=placement.upload.repository_id,
        kind=asset.kind,
    )
