"""The SQL of what lets people in once: invitations, new passwords, and being the very first."""

from datetime import datetime

import msgspec

from common.db import Connection, struct_row


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a new user is let in as."""

    is_admin: bool = False
    quota_bytes: int | None = None
    quota_files: int | None = None


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that nobody has used."""

    invited_by: int
    is_admin: bool
    quota_bytes: int | None
    quota_files: int | None


class OpenInvite(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation that still lets somebody in: who made it, and as what; what it says was told once."""

    invite_id: int
    invited_by: int
    username: str
    is_admin: bool
    quota_bytes: int | None
    quota_files: int | None
    created_at: datetime
    expires_at: datetime


async def lock_first(conn: Connection) -> None:
    """Of several who want to be the first user one is, and the others hear of it."""
    await conn.execute("select pg_advisory_xact_lock(hashtextextended('the first user', 0))")


async def has_users(conn: Connection) -> bool:
    """Whether anybody uses this server."""
    cursor = await conn.execute("select exists (select from users)")
    return bool((await cursor.fetchall())[0][0])


async def save_invite(
    conn: Connection, token_hash: bytes, *, invited_by: int, terms: Terms, lives_seconds: int
) -> datetime:
    """A new invitation; returns when it ends. Those whose time is over go."""
    await conn.execute("delete from invites where expires_at < now()")
    cursor = await conn.execute(
        """
        insert into invites (token_hash, invited_by, is_admin, quota_bytes, quota_files, expires_at)
        values (%(hash)s, %(by)s, %(admin)s, %(bytes)s, %(files)s, now() + make_interval(secs => %(seconds)s))
        returning expires_at
        """,
        {
            "hash": token_hash,
            "by": invited_by,
            "admin": terms.is_admin,
            "bytes": terms.quota_bytes,
            "files": terms.quota_files,
            "seconds": lives_seconds,
        },
    )
    expires_at: datetime = (await cursor.fetchall())[0][0]
    return expires_at


async def lock_invite(conn: Connection, token_hash: bytes) -> Invite | None:
    """An invitation that lasts and whose maker is an administrator still, held."""
    async with conn.cursor(row_factory=struct_row(Invite)) as cursor:
        await cursor.execute(
            """
            select i.invited_by, i.is_admin, i.quota_bytes, i.quota_files
            from invites i
            join users u on u.user_id = i.invited_by and u.is_active and u.is_admin
            where i.token_hash = %s
              and i.expires_at > now()
            for update of i
            """,
            (token_hash,),
        )
        return await cursor.fetchone()


async def list_open(conn: Connection, *, below: int | None, limit: int) -> list[OpenInvite]:
    """Invitations that nobody has used and that count, the newest first."""
    async with conn.cursor(row_factory=struct_row(OpenInvite)) as cursor:
        await cursor.execute(
            """
            select i.invite_id, i.invited_by, u.username, i.is_admin, i.quota_bytes, i.quota_files, i.created_at,
                   i.expires_at
            from invites i
            join users u on u.user_id = i.invited_by and u.is_active and u.is_admin
            where i.expires_at > now()
              and (%(below)s::int is null or i.invite_id < %(below)s)
            order by i.invite_id desc
            limit %(limit)s
            """,
            {"below": below, "limit": limit},
        )
        return await cursor.fetchall()


async def take_back(conn: Connection, invite_id: int) -> bool:
    """The invitation lets nobody in any more; False where there is none."""
    cursor = await conn.execute("delete from invites where invite_id = %s", (invite_id,))
    return cursor.rowcount > 0


async def forget_invite(conn: Connection, token_hash: bytes) -> None:
    """It was used."""
    await conn.execute("delete from invites where token_hash = %s", (token_hash,))


async def save_reset(conn: Connection, token_hash: bytes, *, user: int, lives_seconds: int) -> datetime:
    """Let somebody choose a new password, once; an earlier token for that is worth nothing any more."""
    cursor = await conn.execute(
        """
        insert into password_resets (user_id, token_hash, expires_at)
        values (%(user)s, %(hash)s, now() + make_interval(secs => %(seconds)s))
        on conflict (user_id) do update
        set token_hash = excluded.token_hash, expires_at = excluded.expires_at
        returning expires_at
        """,
        {"user": user, "hash": token_hash, "seconds": lives_seconds},
    )
    expires_at: datetime = (await cursor.fetchall())[0][0]
    return expires_at


async def lock_reset(conn: Connection, token_hash: bytes) -> int | None:
    """Who may choose a new password with this token, held so that nobody does it twice."""
    cursor = await conn.execute(
        "select user_id from password_resets where token_hash = %s and expires_at > now() for update", (token_hash,)
    )
    row = await cursor.fetchone()
    return row and int(row[0])
