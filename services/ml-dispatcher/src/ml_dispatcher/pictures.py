"""What was rendered of an asset, as files that servers are to look at; what is lost is rendered again."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from blake3 import blake3

from common import files, marker, outbox
from common import queries as core
from common.db import Connection, Pool, glance
from common.messages import AssetReopened
from common.stages import Claim, Reject, Stage, Wait
from ml_dispatcher import queries
from ml_dispatcher.queries import Picture

RENDERING_SECONDS = 30.0
AWAY_SECONDS = 60.0
LARGEST = 64 << 20


class Unreadable(Exception):
    """A file of ours is not what its row says; the text says why."""


async def found(pool: Pool, size: str, asset_ids: Sequence[UUID]) -> list[list[Picture] | Exception]:
    """The thumbnail and the frames of each asset, none if there is nothing to see in it; Wait while it is rendered."""
    async with glance(pool) as conn:
        pictures = await queries.list_pictures(conn, asset_ids, size=size)
        of = {asset: list(them) for asset, them in groupby(pictures, attrgetter("asset_id"))}
        return [of.get(asset) or await _nothing(conn, asset) for asset in asset_ids]


async def _nothing(conn: Connection, asset_id: UUID) -> list[Picture] | Exception:
    rendering = await queries.find_rendering(conn, asset_id)
    if rendering is not None and rendering.state in {"done", "failed"}:
        return []
    return Wait("it is not rendered yet", after=RENDERING_SECONDS)


async def read(pool: Pool, claim: Claim, picture: Picture, *, size: str) -> bytes:
    """The bytes of a picture; Wait where they can come back, Reject where rendering did not help."""
    try:
        return await asyncio.to_thread(_read, picture)
    except Unreadable as trouble:
        reason = str(trouble)
    try:
        await asyncio.to_thread(marker.read, picture.home)
    except files.Offline as outage:
        raise Wait(str(outage), after=AWAY_SECONDS) from None
    async with pool.connection() as conn:
        outcome = await _rendered_again(conn, claim, picture, reason, size=size)
    raise outcome


async def _rendered_again(conn: Connection, claim: Claim, picture: Picture, reason: str, *, size: str) -> Exception:
    """Have the asset rendered again, unless that was just done, or it is not this picture any more."""
    if picture not in await queries.list_pictures(conn, [claim.asset_id], size=size):
        return Wait("it was rendered anew meanwhile", after=1.0)
    rendering = await queries.find_rendering(conn, claim.asset_id)
    if rendering is None or rendering.state == "failed":
        return Reject(f"{reason}, and it cannot be rendered again: `lumilio failed` says why")
    if rendering.state != "done":
        return Wait("it is rendered again", after=RENDERING_SECONDS)
    if rendering.is_recent:
        return Reject(f"{reason}, though it was rendered within the last hour: look after the disk, then try again")
    await core.redo(conn, claim.asset_id, Stage.RENDER)
    await outbox.add(conn, AssetReopened(owner_id=claim.owner_id, asset_id=claim.asset_id))
    return Wait(f"{reason}, so it is rendered again", after=RENDERING_SECONDS)


def _read(picture: Picture) -> bytes:
    try:
        with open(files.open_original(picture.home, picture.path), "rb") as file:
            content = file.read(LARGEST)
    except OSError as error:
        if error.errno in files.STARVED:
            raise
        raise Unreadable(f"its thumbnail cannot be read ({error.strerror})") from None
    if blake3(content).digest() != picture.hash:
        raise Unreadable("its thumbnail is not what was rendered")
    return content
