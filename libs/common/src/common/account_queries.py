"""The SQL of accounts that the gateway and the command on the machine share."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may use this server, as administrators see them; a quota of null is none.

    `leaving` says what becomes of the assets of somebody who is being deleted.
    """

    user_id: int
    username: str
    email: str
    created_at: datetime
    is_active: bool
    is_admin: bool
    last_login: datetime | None
    quota_bytes: int | None
    quota_files: int | None
    leaving: Literal["transfer", "trash_and_purge"] | None = None


async def save_account(
    conn: Connection,
    *,
    username: str,
    email: str,
    password_hash: str,
    is_admin: bool,
    quota_bytes: int | None = None,
    quota_files: int | None = None,
) -> Account | None:
    """A new user; None when the name or the address is taken, by whatever case of letters."""
    async with conn.cursor(row_factory=struct_row(Account)) as cursor:
        await cursor.execute(
            """
            insert into users (username, email, password_hash, is_admin, quota_bytes, quota_files)
            values (%(name)s, %(email)s, %(hash)s, %(admin)s, %(bytes)s, %(files)s)
            on conflict do nothing
            returning user_id, username, email, created_at, is_active, is_admin, last_login, quota_bytes, quota_files
            """,
            {
                "name": username,
                "email": email,
                "hash": password_hash,
                "admin": is_admin,
                "bytes": quota_bytes,
                "files": quota_files,
            },
        )
        return await cursor.fetchone()


async def find_account(conn: Connection, user_id: int) -> Account | None:
    """A user, active or not."""
    async with conn.cursor(row_factory=struct_row(Account)) as cursor:
        await cursor.execute(
            """
            select user_id, username, email, created_at, is_active, is_admin, last_login, quota_bytes, quota_files,
                   (select fate from departures d where d.user_id = users.user_id) as leaving
            from users
            where user_id = %s
            """,
            (user_id,),
        )
        return await cursor.fetchone()


async def list_accounts(conn: Connection, *, after: int, limit: int) -> list[Account]:
    """Users with larger ids, the oldest first."""
    async with conn.cursor(row_factory=struct_row(Account)) as cursor:
        await cursor.execute(
            """
            select user_id, username, email, created_at, is_active, is_admin, last_login, quota_bytes, quota_files,
                   (select fate from departures d where d.user_id = users.user_id) as leaving
            from users
            where user_id > %s
            order by user_id
            limit %s
            """,
            (after, limit),
        )
        return await cursor.fetchall()


async def find_id(conn: Connection, username: str) -> int | None:
    """Whose name this is, by whatever case of letters."""
    cursor = await conn.execute("select user_id from users where lower(username) = lower(%s)", (username,))
    row = await cursor.fetchone()
    return row and int(row[0])


async def lock_admins(conn: Connection) -> list[int]:
    """The administrators who can sign in, held so that nobody takes away the last two at once."""
    cursor = await conn.execute("select user_id from users where is_admin and is_active order by user_id for update")
    return [row[0] for row in await cursor.fetchall()]


async def save_password_hash(conn: Connection, user_id: int, password_hash: str) -> str:
    """The password from now on, and whose it is by name; whatever let the user choose one is used up."""
    await conn.execute("delete from password_resets where user_id = %s", (user_id,))
    cursor = await conn.execute(
        "update users set password_hash = %s, updated_at = now() where user_id = %s returning username",
        (password_hash, user_id),
    )
    return str((await cursor.fetchall())[0][0])


async def mark_active(conn: Connection, user_id: int, *, is_active: bool) -> None:
    """Whether the user may sign in; of one who may not, every sign-in ends."""
    await conn.execute("update users set is_active = %s, updated_at = now() where user_id = %s", (is_active, user_id))
    if not is_active:
        await conn.execute("delete from sessions where user_id = %s", (user_id,))


async def mark_admin(conn: Connection, user_id: int, *, is_admin: bool) -> None:
    """Whether the user administers this server; of one who does not, no key may do it later either."""
    await conn.execute("update users set is_admin = %s, updated_at = now() where user_id = %s", (is_admin, user_id))
    if not is_admin:
        await conn.execute("delete from api_keys where user_id = %s and scopes = array['admin']", (user_id,))
        await conn.execute(
            "update api_keys set scopes = array_remove(scopes, 'admin') where user_id = %s and 'admin' = any(scopes)",
            (user_id,),
        )


async def forget_sessions(conn: Connection, user_id: int, *, but: UUID | None = None) -> int:
    """End the user's sign-ins, all or all others; how many that were."""
    cursor = await conn.execute(
        """
        delete from sessions
        where user_id = %s and session_id is distinct from %s::uuid
        returning true
        """,
        (user_id, but),
    )
    return len(await cursor.fetchall())


async def forget_tries(conn: Connection, subject: bytes) -> None:
    """Whoever showed the right password has not guessed."""
    await conn.execute("delete from tries where subject = %s", (subject,))
