"""The SQL of albums: whose they are, what they are called, and who has part in them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row

Role = Literal["owner", "editor", "viewer"]
Whose = Literal["mine", "shared", "all"]


class Album(msgspec.Struct, frozen=True, kw_only=True):
    """An album as somebody sees it who has part in it; `role` says which, `user_id` and `owner_name` whose it is.

    The cover is the one that was given, as long as it can be shown, else the first asset. `asset_count` counts what is
    shown.
    """

    album_id: int
    user_id: int
    owner_name: str
    role: Role
    album_name: str
    description: str | None
    cover_asset_id: UUID | None
    asset_count: int
    created_at: datetime
    updated_at: datetime


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An album whose row is locked, as it is now."""

    album_id: int
    owner_id: int
    role: Role
    album_name: str
    description: str | None
    cover_asset_id: UUID | None


async def list_page(
    conn: Connection, *, user: int, whose: Whose, below: int | None, limit: int, offset: int
) -> list[int]:
    """The user's own albums, those that others share with them, or both; newest first."""
    cursor = await conn.execute(
        """
        select album_id
        from (
            select album_id from albums where owner_id = %(user)s and %(whose)s <> 'shared'
            union all
            select album_id from album_members where user_id = %(user)s and %(whose)s <> 'mine'
        ) known
        where %(below)s::int is null or album_id < %(below)s
        order by album_id desc
        limit %(limit)s
        offset %(offset)s
        """,
        {"user": user, "whose": whose, "below": below, "limit": limit, "offset": offset},
    )
    return [album for (album,) in await cursor.fetchall()]


async def count_albums(conn: Connection, *, user: int, whose: Whose) -> int:
    """How many albums all the pages have."""
    cursor = await conn.execute(
        """
        select (select count(*) from albums where owner_id = %(user)s and %(whose)s <> 'shared')
             + (select count(*) from album_members where user_id = %(user)s and %(whose)s <> 'mine')
        """,
        {"user": user, "whose": whose},
    )
    row = await cursor.fetchone()
    return row[0] if row else 0


async def list_albums(conn: Connection, album_ids: list[int], *, user: int) -> list[Album]:
    """These albums in their order; those that the user has no part in are left out."""
    async with conn.cursor(row_factory=struct_row(Album)) as cursor:
        await cursor.execute(
            """
            select b.album_id, b.owner_id as user_id, u.username as owner_name,
                   case when b.owner_id = %(user)s then 'owner' else m.role end as role,
                   b.album_name, b.description, b.created_at, b.updated_at,
                   coalesce(
                       (
                           select a.asset_id
                           from assets a
                           left join album_assets x on x.album_id = b.album_id and x.asset_id = a.asset_id
                           where a.asset_id = b.cover_asset_id
                             and a.trashed_at is null
                             and a.missing_since is null
                             and (x.asset_id is not null or a.owner_id = %(user)s)
                       ),
                       (
                           select asset_id
                           from album_assets
                           where album_id = b.album_id and is_there
                           order by position, asset_id
                           limit 1
                       )
                   ) as cover_asset_id,
                   (select count(*) from album_assets where album_id = b.album_id and is_there) as asset_count
            from unnest(%(albums)s::int[]) with ordinality wanted (album_id, place)
            join albums b on b.album_id = wanted.album_id
            join users u on u.user_id = b.owner_id
            left join album_members m on m.album_id = b.album_id and m.user_id = %(user)s
            where b.owner_id = %(user)s or m.user_id is not null
            order by wanted.place
            """,
            {"albums": album_ids, "user": user},
        )
        return await cursor.fetchall()


async def find_role(conn: Connection, album_id: int, *, user: int) -> Role | None:
    """What part the user has in an album; None where it does not exist for them."""
    cursor = await conn.execute(
        """
        select case when b.owner_id = %(user)s then 'owner' else m.role end
        from albums b
        left join album_members m on m.album_id = b.album_id and m.user_id = %(user)s
        where b.album_id = %(album)s
        """,
        {"album": album_id, "user": user},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def lock_album(conn: Connection, album_id: int, *, user: int) -> Held | None:
    """An album that the user has part in; until the transaction ends nobody else changes it or its order."""
    async with conn.cursor(row_factory=struct_row(Held)) as cursor:
        await cursor.execute(
            """
            select b.album_id, b.owner_id, b.album_name, b.description, b.cover_asset_id,
                   case when b.owner_id = %(user)s then 'owner' else m.role end as role
            from albums b
            left join album_members m on m.album_id = b.album_id and m.user_id = %(user)s
            where b.album_id = %(album)s
              and (b.owner_id = %(user)s or m.user_id is not null)
            for no key update of b
            """,
            {"album": album_id, "user": user},
        )
        return await cursor.fetchone()


async def save_new(conn: Connection, *, owner: int, name: str, description: str | None, cover: UUID | None) -> int:
    """A new album, empty; returns its id."""
    cursor = await conn.execute(
        """
        insert into albums (owner_id, album_name, description, cover_asset_id)
        values (%(owner)s, %(name)s, %(description)s, %(cover)s)
        returning album_id
        """,
        {"owner": owner, "name": name, "description": description, "cover": cover},
    )
    (row,) = await cursor.fetchall()
    return int(row[0])


async def save_album(conn: Connection, held: Held) -> None:
    """What a locked album is called from now on, and its cover."""
    await conn.execute(
        """
        update albums
        set album_name = %(name)s, description = %(description)s, cover_asset_id = %(cover)s, updated_at = now()
        where album_id = %(album)s
        """,
        {
            "album": held.album_id,
            "name": held.album_name,
            "description": held.description,
            "cover": held.cover_asset_id,
        },
    )


async def forget_album(conn: Connection, album_id: int) -> None:
    """There is no such album any more; its assets stay where they are."""
    await conn.execute("delete from albums where album_id = %s", (album_id,))
