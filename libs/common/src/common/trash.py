"""The trash as a wish: a transaction says whether an asset belongs there, and the place stage moves its originals."""

from uuid import UUID

from common import outbox, queries, trash_queries
from common.db import Connection
from common.messages import AssetRestored, AssetTrashed
from common.stages import Stage


class NoAsset(LookupError):
    """There is no such asset, or it belongs to somebody else."""


async def put(conn: Connection, asset_id: UUID, *, owner: int) -> None:
    """Hide an asset at once and have its originals moved away; nothing happens when it is in the trash already."""
    await trash_queries.lock_place(conn, asset_id)
    if await trash_queries.mark_trashed(conn, asset_id, owner=owner):
        await queries.reopen(conn, asset_id, Stage.PLACE)
        await outbox.add(conn, AssetTrashed(owner_id=owner, asset_id=asset_id))
    elif not await trash_queries.is_known(conn, asset_id, owner=owner):
        raise NoAsset(f"no asset {asset_id}")


async def take_back(conn: Connection, asset_id: UUID, *, owner: int) -> bool:
    """Show an asset again and have its originals moved back; False when it was not in the trash.

    Its version for browsers is made as well, if it was not because of that.
    """
    await queries.lock_stages(conn, asset_id)
    if await trash_queries.mark_restored(conn, asset_id, owner=owner):
        await queries.reopen(conn, asset_id, Stage.PLACE)
        await queries.redo(conn, asset_id, Stage.TRANSCODE)
        await outbox.add(conn, AssetRestored(owner_id=owner, asset_id=asset_id))
        return True
    if not await trash_queries.is_known(conn, asset_id, owner=owner):
        raise NoAsset(f"no asset {asset_id}")
    return False
