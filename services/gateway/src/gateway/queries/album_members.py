"""The SQL of whom an album is shared with."""

from datetime import datetime
from typing import Literal

import msgspec

from common.db import Connection, struct_row
from gateway.queries.albums import Role

Part = Literal["editor", "viewer"]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has part in an album, and since when."""

    user_id: int
    username: str
    role: Role
    added_at: datetime


async def list_members(conn: Connection, album_id: int) -> list[Member]:
    """Who has part in an album: its owner, then the others by name."""
    async with conn.cursor(row_factory=struct_row(Member)) as cursor:
        await cursor.execute(
            """
            select u.user_id, u.username, part.role, part.added_at
            from (
                select owner_id as user_id, 'owner' as role, created_at as added_at
                from albums
                where album_id = %(album)s
                union all
                select user_id, role, added_at
                from album_members
                where album_id = %(album)s
            ) part
            join users u on u.user_id = part.user_id
            order by part.role = 'owner' desc, u.username
            """,
            {"album": album_id},
        )
        return await cursor.fetchall()


async def find_user_id(conn: Connection, username: str) -> int | None:
    """Who is called exactly so and may sign in."""
    cursor = await conn.execute("select user_id from users where username = %s and is_active", (username,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def save_member(conn: Connection, album_id: int, *, user: int, role: Part) -> None:
    """Share an album with somebody, or change what they may do there."""
    await conn.execute(
        """
        insert into album_members (album_id, user_id, role)
        values (%(album)s, %(user)s, %(role)s)
        on conflict (album_id, user_id) do update
        set role = excluded.role
        """,
        {"album": album_id, "user": user, "role": role},
    )


async def forget_member(conn: Connection, album_id: int, *, user: int) -> None:
    """Share an album with somebody no longer."""
    await conn.execute(
        "delete from album_members where album_id = %(album)s and user_id = %(user)s", {"album": album_id, "user": user}
    )
