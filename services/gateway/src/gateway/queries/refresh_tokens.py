"""The SQL of refresh tokens: hashes, families, and when each was used."""

from datetime import datetime
from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class RefreshToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was given out; `is_retry` says that it was used a moment ago."""

    family_id: UUID
    user_id: int
    used_at: datetime | None
    is_dead: bool
    is_retry: bool


async def save_token(
    conn: Connection, token_hash: bytes, *, family_id: UUID, user_id: int, lives_seconds: int
) -> datetime:
    """Remember a token that is given out; returns the time by the database's clock."""
    cursor = await conn.execute(
        """
        insert into refresh_tokens (token_hash, family_id, user_id, expires_at)
        values (%(hash)s, %(family)s, %(user)s, now() + make_interval(secs => %(seconds)s))
        returning created_at
        """,
        {"hash": token_hash, "family": family_id, "user": user_id, "seconds": lives_seconds},
    )
    created_at: datetime = (await cursor.fetchall())[0][0]
    return created_at


async def lock_token(conn: Connection, token_hash: bytes, *, retry_seconds: int) -> RefreshToken | None:
    """A token, whose family is held until the transaction ends: its uses and its end come one after the other."""
    await conn.execute(
        "select pg_advisory_xact_lock(hashtextextended(family_id::text, 0)) from refresh_tokens where token_hash = %s",
        (token_hash,),
    )
    async with conn.cursor(row_factory=struct_row(RefreshToken)) as cursor:
        await cursor.execute(
            """
            select family_id, user_id, used_at,
                   revoked_at is not null or expires_at <= now() as is_dead,
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


async def revoke_family(conn: Connection, family_id: UUID) -> None:
    """No token of this sign-in is worth anything any more."""
    await conn.execute(
        "update refresh_tokens set revoked_at = now() where family_id = %s and revoked_at is null", (family_id,)
    )


async def forget_expired(conn: Connection, user_id: int) -> None:
    """Remove what a user's earlier sign-ins left behind."""
    await conn.execute("delete from refresh_tokens where user_id = %s and expires_at < now()", (user_id,))
