"""The SQL of what visitors of a share may see beyond pictures."""

from collections.abc import Sequence
from uuid import UUID

from common.db import Connection, struct_row
from gateway.queries.album_assets import Entry


async def find_entry(conn: Connection, album_id: int, asset_id: UUID) -> Entry | None:
    """An asset that an album shows."""
    async with conn.cursor(row_factory=struct_row(Entry)) as cursor:
        await cursor.execute(
            """
            select x.asset_id, a.owner_id, x.added_at, x.added_by, x.position::text as key
            from album_assets x
            join assets a on a.asset_id = x.asset_id
            where x.album_id = %(album)s
              and x.asset_id = %(asset)s
              and x.is_there
            """,
            {"album": album_id, "asset": asset_id},
        )
        return await cursor.fetchone()


async def find_downloadable(conn: Connection, token_hash: bytes, asset_id: UUID) -> int | None:
    """The owner of an asset whose original a link lets visitors have at this moment."""
    cursor = await conn.execute(
        """
        select a.owner_id
        from shares s
        join albums b on b.album_id = s.album_id
        join users u on u.user_id = b.owner_id
        join album_assets x on x.album_id = s.album_id
        join assets a on a.asset_id = x.asset_id
        where s.token_hash = %(token)s
          and s.allow_download
          and (s.expires_at is null or s.expires_at > now())
          and u.is_active
          and x.asset_id = %(asset)s
          and x.is_there
        """,
        {"token": token_hash, "asset": asset_id},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def list_silent(conn: Connection, asset_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the assets whose own bytes were read and do not say where they were taken."""
    cursor = await conn.execute(
        """
        select asset_id
        from asset_metadata
        where asset_id = any(%s)
          and version > 0
          and not facts ? 'gps_latitude'
        """,
        (list(asset_ids),),
    )
    return {asset for (asset,) in await cursor.fetchall()}


async def list_remade(conn: Connection, asset_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the assets that have a version for browsers, which says nothing but what it shows."""
    cursor = await conn.execute(
        "select asset_id from renditions where asset_id = any(%s) and kind = 'web'", (list(asset_ids),)
    )
    return {asset for (asset,) in await cursor.fetchall()}
