"""The SQL of the wish that an asset lies in the trash, or does not."""

from uuid import UUID

from common.db import Connection


async def lock_place(conn: Connection, asset_id: UUID) -> None:
    """Hold an asset's place stage: a worker that settles it sees the wish before, or is made to look again after."""
    await conn.execute("select 1 from asset_stages where asset_id = %s and stage = 'place' for update", (asset_id,))


async def mark_trashed(conn: Connection, asset_id: UUID, *, owner: int) -> bool:
    """Say since when one of the owner's assets belongs into the trash; False when it was there or is not known."""
    cursor = await conn.execute(
        """
        update assets
        set trashed_at = now()
        where asset_id = %s
          and owner_id = %s
          and trashed_at is null
        returning true
        """,
        (asset_id, owner),
    )
    return await cursor.fetchone() is not None


async def mark_restored(conn: Connection, asset_id: UUID, *, owner: int) -> bool:
    """Say that one of the owner's assets no longer belongs into the trash; False when it was not there."""
    cursor = await conn.execute(
        """
        update assets
        set trashed_at = null
        where asset_id = %s
          and owner_id = %s
          and trashed_at is not null
        returning true
        """,
        (asset_id, owner),
    )
    return await cursor.fetchone() is not None


async def is_known(conn: Connection, asset_id: UUID, *, owner: int) -> bool:
    """Whether the owner has this asset, in the trash or not."""
    cursor = await conn.execute("select 1 from assets where asset_id = %s and owner_id = %s", (asset_id, owner))
    return await cursor.fetchone() is not None
