"""The SQL of API keys: their hashes, what each may do, and when it was used last."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from common.db import Connection, struct_row


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a user, without what opens."""

    key_id: int
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class HeldKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that somebody showed; `is_noted` says that its use was written down within the last minute."""

    key_id: int
    user_id: int
    scopes: list[str]
    is_noted: bool


async def save_key(
    conn: Connection, key_hash: bytes, *, user: int, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> Key | None:
    """A new key; None when its end is no time to come."""
    async with conn.cursor(row_factory=struct_row(Key)) as cursor:
        await cursor.execute(
            """
            insert into api_keys (user_id, key_hash, name, scopes, expires_at)
            select %(user)s::int, %(hash)s::bytea, %(name)s::text, %(scopes)s::text[], %(expires)s::timestamptz
            where %(expires)s::timestamptz is null or %(expires)s::timestamptz > now()
            returning key_id, name, scopes, created_at, expires_at, used_at
            """,
            {"user": user, "hash": key_hash, "name": name, "scopes": list(scopes), "expires": expires_at},
        )
        return await cursor.fetchone()


async def find_held(conn: Connection, key_hash: bytes) -> HeldKey | None:
    """The key of this hash, while it lasts."""
    async with conn.cursor(row_factory=struct_row(HeldKey)) as cursor:
        await cursor.execute(
            """
            select key_id, user_id, scopes, coalesce(used_at > now() - interval '1 minute', false) as is_noted
            from api_keys
            where key_hash = %s
              and (expires_at is null or expires_at > now())
            """,
            (key_hash,),
        )
        return await cursor.fetchone()


async def mark_used(conn: Connection, key_id: int) -> None:
    """The key was used just now."""
    await conn.execute("update api_keys set used_at = now() where key_id = %s", (key_id,))


async def list_keys(conn: Connection, *, user: int, before: int | None, limit: int) -> list[Key]:
    """The user's keys with smaller ids, the newest first; also those whose time is over."""
    async with conn.cursor(row_factory=struct_row(Key)) as cursor:
        await cursor.execute(
            """
            select key_id, name, scopes, created_at, expires_at, used_at
            from api_keys
            where user_id = %(user)s
              and (%(before)s::int is null or key_id < %(before)s)
            order by key_id desc
            limit %(limit)s
            """,
            {"user": user, "before": before, "limit": limit},
        )
        return await cursor.fetchall()


async def count_keys(conn: Connection, *, user: int) -> int:
    """How many keys the user has."""
    cursor = await conn.execute("select count(*) from api_keys where user_id = %s", (user,))
    return int((await cursor.fetchall())[0][0])


async def forget_key(conn: Connection, key_id: int, *, user: int) -> str | None:
    """Remove one of the user's keys; its name, None when there is none of that id."""
    cursor = await conn.execute(
        "delete from api_keys where key_id = %s and user_id = %s returning name", (key_id, user)
    )
    row: Any = await cursor.fetchone()
    return row and str(row[0])
