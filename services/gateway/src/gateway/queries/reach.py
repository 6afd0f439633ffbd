"""The SQL of who may see an asset: its owner, and whoever has part in an album that it is in."""

from uuid import UUID

from psycopg.sql import SQL

from common.db import Connection

IN_REACH = SQL(
    """(
        a.owner_id = %(user)s
        or a.trashed_at is null and a.missing_since is null and exists (
            select
            from album_assets x
            join albums b on b.album_id = x.album_id
            where x.asset_id = a.asset_id
              and (b.owner_id = %(user)s or exists (
                  select from album_members m where m.album_id = b.album_id and m.user_id = %(user)s
              ))
        )
    )"""
)
"""Whether a user may see an asset `a`."""


async def find_owner(conn: Connection, asset_id: UUID, user_id: int) -> int | None:
    """The owner of an asset that the user may see; None for one that does not exist for them."""
    return (await list_owners(conn, [asset_id], user_id)).get(asset_id)


async def list_owners(conn: Connection, asset_ids: list[UUID], user_id: int) -> dict[UUID, int]:
    """The owners of those of the assets that the user may see."""
    statement = SQL("select a.asset_id, a.owner_id from assets a where a.asset_id = any(%(assets)s) and {}")
    cursor = await conn.execute(statement.format(IN_REACH), {"assets": asset_ids, "user": user_id})
    return dict(await cursor.fetchall())
