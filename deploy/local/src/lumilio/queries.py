"""The SQL of the first start, and of what has failed."""

from datetime import datetime
from uuid import UUID

import msgspec
from psycopg import sql

from common.db import Connection, struct_row


async def has_database(conn: Connection, name: str) -> bool:
    cursor = await conn.execute("select exists (select from pg_database where datname = %s)", (name,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def create_database(conn: Connection, name: str) -> None:
    """A database of its own, so that it can be dumped and restored whole."""
    await conn.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


async def create_first_user(conn: Connection, *, username: str, email: str, password_hash: str) -> None:
    """An administrator, unless there is a user already."""
    await conn.execute(
        """
        insert into users (username, email, password_hash, is_admin)
        select %(username)s, %(email)s, %(hash)s, true
        where not exists (select from users)
        on conflict do nothing
        """,
        {"username": username, "email": email, "hash": password_hash},
    )


async def free_repositories(conn: Connection) -> None:
    """Whoever tended repositories of this machine died with the server that runs anew."""
    await conn.execute("delete from leases where name like 'repository %'")


class FailedStage(msgspec.Struct, frozen=True, kw_only=True):
    """Work that was given up, and why."""

    stage: str
    asset_id: UUID
    original_filename: str
    error: str
    changed_at: datetime


async def list_failed(conn: Connection) -> list[FailedStage]:
    """All that was given up, the latest first."""
    async with conn.cursor(row_factory=struct_row(FailedStage)) as cursor:
        await cursor.execute(
            """
            select stage, asset_id, original_filename, error, changed_at
            from asset_stages
            join assets using (asset_id)
            where pile = 'failed'
            order by changed_at desc
            """
        )
        return await cursor.fetchall()
