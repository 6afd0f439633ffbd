"""The SQL of people who sign in."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from common.account_queries import Account
from common.db import Connection, struct_row


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may use this server."""

    user_id: int
    username: str
    email: str
    created_at: datetime
    is_active: bool
    is_admin: bool
    last_login: datetime | None


class Bearer(NamedTuple):
    """Whose sign-in a token names, and from when until when it counts, in seconds since 1970."""

    user_id: int
    session_id: UUID
    begins: int
    ends: int


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    user_id: int
    password_hash: str
    is_active: bool


async def find_user(conn: Connection, user_id: int) -> User | None:
    """An active user."""
    async with conn.cursor(row_factory=struct_row(User)) as cursor:
        await cursor.execute(
            """
            select user_id, username, email, created_at, is_active, is_admin, last_login
            from users
            where user_id = %s
              and is_active
            """,
            (user_id,),
        )
        return await cursor.fetchone()


async def find_bearer(conn: Connection, bearer: Bearer, *, leeway: int) -> User | None:
    """An active user whose sign-in lasts and whose token counts by the database's clock, whatever our own says."""
    async with conn.cursor(row_factory=struct_row(User)) as cursor:
        await cursor.execute(
            """
            select user_id, username, email, created_at, is_active, is_admin, last_login
            from users
            where user_id = %(user)s
              and is_active
              and exists (select from sessions s where s.session_id = %(session)s and s.user_id = users.user_id)
              and extract(epoch from now()) between %(begins)s::numeric - %(leeway)s and %(ends)s::numeric + %(leeway)s
            """,
            {
                "user": bearer.user_id,
                "session": bearer.session_id,
                "begins": bearer.begins,
                "ends": bearer.ends,
                "leeway": leeway,
            },
        )
        return await cursor.fetchone()


async def find_credentials(conn: Connection, username: str) -> Credentials | None:
    """What a password is compared with, also for a user who was deactivated."""
    async with conn.cursor(row_factory=struct_row(Credentials)) as cursor:
        await cursor.execute(
            """
            select user_id, password_hash, is_active
            from users
            where lower(username) = lower(%s)
            """,
            (username,),
        )
        return await cursor.fetchone()


async def lock_password(conn: Connection, user_id: int, password_hash: str) -> bool:
    """Whether that is the user's password still, which nobody changes until the transaction ends."""
    cursor = await conn.execute(
        "select from users where user_id = %s and password_hash = %s for no key update", (user_id, password_hash)
    )
    return cursor.rowcount > 0


async def mark_login(conn: Connection, user_id: int) -> None:
    """The user has just signed in."""
    await conn.execute("update users set last_login = now() where user_id = %s", (user_id,))


async def save_changes(conn: Connection, account: Account) -> None:
    """A user's address and quotas, as they are from now on."""
    await conn.execute(
        """
        update users
        set email = %(email)s, quota_bytes = %(bytes)s, quota_files = %(files)s, updated_at = now()
        where user_id = %(user)s
        """,
        {
            "user": account.user_id,
            "email": account.email,
            "bytes": account.quota_bytes,
            "files": account.quota_files,
        },
    )
