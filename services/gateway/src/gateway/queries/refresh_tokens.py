"""The SQL of refresh tokens: hashes, whose sign-in each continues, and when each was used."""

from datetime import datetime
from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was given out; `is_retry` says that it was used a moment ago."""

    session_id: UUID
    user_id: int
    used_at: datetime | None
    is_dead: bool
    is_retry: bool


async def save_token(
    conn: Connection, token_hash: bytes, *, session_id: UUID, user_id: int, lives_seconds: int
) -> datetime:
    """Remember a token that is given out; returns the time by the database's clock."""
    cursor = await conn.execute(
        """
        insert into refresh_tokens (token_hash, family_id, user_id, expires_at)
        values (%(hash)s, %(session)s, %(user)s, now() + make_interval(secs => %(seconds)s))
        returning created_at
        """,
        {"hash": token_hash, "session": session_id, "user": user_id, "seconds": lives_seconds},
    )
    created_at: datetime = (await cursor.fetchall())[0][0]
    return created_at


async def lock_token(conn: Connection, token_hash: bytes, *, retry_seconds: int) -> RefreshToken | None:
    """A token, whose sign-in is held until the transaction ends: its uses and its end come one after the other."""
    await conn.execute(
        """
        select 1
        from sessions
        where session_id = (select family_id from refresh_tokens where token_hash = %s)
        for update
        """,
        (token_hash,),
    )
    async with conn.cursor(row_factory=struct_row(RefreshToken)) as cursor:
        await cursor.execute(
            """
            select family_id as session_id, user_id, used_at,
                   expires_at <= now() as is_dead,
                   coalesce(used_at > clock_timestamp() - make_interval(secs => %(seconds)s), false) as is_retry
            from refresh_tokens
            where token_hash = %(hash)s
            """,
            {"hash": token_hash, "seconds": retry_seconds},
        )
        return await cursor.fetchone()


async def mark_used(conn: Connection, token_hash: bytes) -> None:
    """A token buys one successor, once."""
    await conn.execute("update refresh_tokens set used_at = now() where token_hash = %s", (token_hash,))


async def forget_expired(conn: Connection, session_id: UUID) -> None:
    """Remove tokens of a sign-in whose time is over: they buy nothing, used or not."""
    await conn.execute("delete from refresh_tokens where family_id = %s and expires_at < now()", (session_id,))
