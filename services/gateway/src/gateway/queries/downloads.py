"""The SQL of what goes into a download - assets one by one, an album, what a filter finds - and of who may have it."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.sql import SQL

from common.db import Connection, struct_row
from gateway.download_tickets import Holder
from gateway.filter_schemas import AssetFilter
from gateway.packing import Item
from gateway.queries import filters


async def list_chosen(conn: Connection, asset_ids: Sequence[UUID]) -> list[Item]:
    """These assets, whoever's they are, the oldest first."""
    async with conn.cursor(row_factory=struct_row(Item)) as cursor:
        await cursor.execute(
            """
            select a.asset_id, a.original_filename, a.size, a.sort_at
            from assets a
            where a.asset_id = any(%(assets)s)
            order by a.sort_at, a.asset_id
            """,
            {"assets": list(asset_ids)},
        )
        return await cursor.fetchall()


async def list_album(conn: Connection, album_id: int, *, limit: int) -> list[Item]:
    """What is shown of an album, in its order."""
    async with conn.cursor(row_factory=struct_row(Item)) as cursor:
        await cursor.execute(
            """
            select a.asset_id, a.original_filename, a.size, a.sort_at
            from album_assets x
            join assets a on a.asset_id = x.asset_id
            where x.album_id = %(album)s
              and a.trashed_at is null
              and a.missing_since is null
            order by x.position, x.asset_id
            limit %(limit)s
            """,
            {"album": album_id, "limit": limit},
        )
        return await cursor.fetchall()


async def list_found(conn: Connection, wanted: AssetFilter, *, owner: int, limit: int) -> list[Item]:
    """The owner's assets that a filter finds, the oldest first."""
    holds, values = filters.condition(wanted, owner=owner)
    async with conn.cursor(row_factory=struct_row(Item)) as cursor:
        await cursor.execute(
            SQL(
                """
                select a.asset_id, a.original_filename, a.size, a.sort_at
                from assets a
                where {}
                order by a.sort_at, a.asset_id
                limit %(limit)s
                """
            ).format(holds),
            {**values, "limit": limit},
        )
        return await cursor.fetchall()


async def find_album_name(conn: Connection, album_id: int, *, user: int) -> str | None:
    """What an album is called that the user owns or is a member of."""
    cursor = await conn.execute(
        """
        select album_name
        from albums b
        where b.album_id = %(album)s
          and (b.owner_id = %(user)s or exists (
              select from album_members m where m.album_id = b.album_id and m.user_id = %(user)s
          ))
        """,
        {"album": album_id, "user": user},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def holds(conn: Connection, holder: Holder) -> bool:
    """Whether somebody is active, and what they signed in by lasts."""
    cursor = await conn.execute(
        """
        select true
        from users u
        where u.user_id = %(user)s
          and u.is_active
          and (%(session)s::uuid is null or exists (
              select from sessions s where s.session_id = %(session)s and s.user_id = u.user_id
          ))
          and (%(key)s::int is null or exists (
              select
              from api_keys k
              where k.key_id = %(key)s
                and k.user_id = u.user_id
                and (k.expires_at is null or k.expires_at > now())
          ))
        """,
        {"user": holder.user_id, "session": holder.session_id, "key": holder.key_id},
    )
    return await cursor.fetchone() is not None
