"""The SQL of sign-ins: where and when each began, when it was used last; ending one is deleting it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended."""

    used_at: Annotated[datetime, msgspec.Meta(tz=True)]
    session_id: UUID


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in: a browser, a phone, a program with a password."""

    session_id: UUID
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    user_agent: str
    address: str


async def save_session(
    conn: Connection, session_id: UUID, *, user: int, lives_seconds: int, user_agent: str, address: str
) -> None:
    """A sign-in begins."""
    await conn.execute(
        """
        insert into sessions (session_id, user_id, expires_at, user_agent, address)
        values (%(session)s, %(user)s, now() + make_interval(secs => %(seconds)s), %(agent)s, %(address)s)
        """,
        {"session": session_id, "user": user, "seconds": lives_seconds, "agent": user_agent, "address": address},
    )


async def mark_used(conn: Connection, session_id: UUID, *, lives_seconds: int, user_agent: str, address: str) -> None:
    """A sign-in goes on, as of now and from there."""
    await conn.execute(
        """
        update sessions
        set used_at = now(), expires_at = now() + make_interval(secs => %(seconds)s),
            user_agent = %(agent)s, address = %(address)s
        where session_id = %(session)s
        """,
        {"session": session_id, "seconds": lives_seconds, "agent": user_agent, "address": address},
    )


async def list_sessions(conn: Connection, *, user: int, after: Cursor | None, limit: int) -> list[Session]:
    """The user's sign-ins before the cursor that last still, the last used first."""
    async with conn.cursor(row_factory=struct_row(Session)) as cursor:
        await cursor.execute(
            """
            select session_id, created_at, used_at, expires_at, user_agent, address
            from sessions
            where user_id = %(user)s
              and expires_at > now()
              and (%(at)s::timestamptz is null or (used_at, session_id) < (%(at)s, %(session)s::uuid))
            order by used_at desc, session_id desc
            limit %(limit)s
            """,
            {"user": user, "at": after and after.used_at, "session": after and after.session_id, "limit": limit},
        )
        return await cursor.fetchall()


async def forget_session(conn: Connection, session_id: UUID, *, user: int) -> bool:
    """End one of the user's sign-ins, tokens and all; False when there is none of that id."""
    cursor = await conn.execute(
        "delete from sessions where session_id = %s and user_id = %s returning true", (session_id, user)
    )
    return await cursor.fetchone() is not None


async def forget_expired(conn: Connection, *, user: int) -> None:
    """Remove what a user's earlier sign-ins left behind."""
    await conn.execute("delete from sessions where user_id = %s and expires_at < now()", (user,))
