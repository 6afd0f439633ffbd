"""The SQL of backups: one view of the whole database, what is in it, and what became of each backup."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from psycopg import sql

from common.db import Connection, struct_row

BATCH = 1000
LOCK = 7_015_811_444


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An original, and whose it is."""

    repository: UUID
    path: bytes
    hash: bytes
    size: int
    modified_ns: int | None
    owner: int
    asset: UUID


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a backup."""

    folder: str
    state: Literal["running", "made", "failed"]
    began_at: datetime
    ended_at: datetime | None
    error: str | None


async def be_alone(conn: Connection) -> bool:
    """Whether nobody else backs this database up, for as long as the connection lasts."""
    cursor = await conn.execute("select pg_try_advisory_lock(%s)", (LOCK,))
    return bool((await cursor.fetchall())[0][0])


async def find_version(conn: Connection) -> int:
    """The major version of the server."""
    cursor = await conn.execute("select current_setting('server_version_num')::int / 10000")
    return int((await cursor.fetchall())[0][0])


async def find_size(conn: Connection) -> int:
    """The bytes of the database on its disk."""
    cursor = await conn.execute("select pg_database_size(current_database())")
    return int((await cursor.fetchall())[0][0])


async def begin(conn: Connection, *, folder: str) -> int:
    """A backup begins; whichever began before and never ended has failed."""
    await conn.execute(
        "update backups set state = 'failed', ended_at = now(), error = 'it was interrupted' where state = 'running'"
    )
    cursor = await conn.execute("insert into backups (folder) values (%s) returning backup_id", (folder,))
    return int((await cursor.fetchall())[0][0])


async def save_made(conn: Connection, backup_id: int, *, folder: str, size: int, originals: int) -> None:
    """A backup is whole and proven."""
    await conn.execute(
        """
        update backups
        set state = 'made', ended_at = now(), folder = %s, bytes = %s, originals = %s
        where backup_id = %s
        """,
        (folder, size, originals, backup_id),
    )


async def save_failed(conn: Connection, backup_id: int, *, error: str) -> None:
    """There is no backup, for this reason."""
    await conn.execute(
        "update backups set state = 'failed', ended_at = now(), error = %s where backup_id = %s", (error, backup_id)
    )


async def find_last(conn: Connection) -> Made | None:
    """The latest backup that was begun."""
    async with conn.cursor(row_factory=struct_row(Made)) as cursor:
        await cursor.execute(
            """
            select folder, state, began_at, ended_at, error
            from backups
            order by backup_id desc
            limit 1
            """
        )
        return await cursor.fetchone()


async def find_first_day(conn: Connection) -> datetime:
    """Since when there is anything to lose."""
    cursor = await conn.execute("select coalesce(min(created_at), now()) from users")
    first: datetime = (await cursor.fetchall())[0][0]
    return first


async def export_snapshot(conn: Connection) -> str:
    """The name under which others see just what this transaction sees."""
    cursor = await conn.execute("select pg_export_snapshot()")
    return str((await cursor.fetchall())[0][0])


async def find_now(conn: Connection) -> datetime:
    """The time by the clock that counts."""
    cursor = await conn.execute("select now()")
    now: datetime = (await cursor.fetchall())[0][0]
    return now


async def list_migrations(conn: Connection) -> dict[str, str]:
    """What has been applied, each with the digest of its text."""
    cursor = await conn.execute("select name, digest from migrations order by number")
    return dict(await cursor.fetchall())


async def list_tables(conn: Connection) -> list[tuple[str, str]]:
    """Every table of ours, with its schema."""
    cursor = await conn.execute(
        """
        select n.nspname, c.relname
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r'
          and c.relpersistence <> 't'
          and n.nspname <> 'information_schema'
          and n.nspname not like 'pg\\_%%'
        order by n.nspname, c.relname
        """
    )
    return list(await cursor.fetchall())


async def count_rows(conn: Connection, schema: str, table: str) -> int:
    """How many rows a table has."""
    cursor = await conn.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table)))
    return int((await cursor.fetchall())[0][0])


async def list_originals(conn: Connection) -> AsyncIterator[Sequence[Row]]:
    """Every original that should be on a disk, and every upload that waits for its place, some at once."""
    async with conn.cursor(name="originals", row_factory=struct_row(Row)) as cursor:
        await cursor.execute(
            """
            select f.repository_id as repository, f.path, a.content_hash as hash, a.size, f.modified_ns,
                   a.owner_id as owner, a.asset_id as asset
            from file_records f
            join assets a on a.asset_id = f.asset_id
            where f.state = 'present'
            union all
            select u.repository_id, convert_to('.lumilio/staging/incoming/' || u.staged_name, 'UTF8'), a.content_hash,
                   a.size, null, a.owner_id, a.asset_id
            from uploads u
            join assets a on a.asset_id = u.asset_id
            where u.state = 'staged'
            """
        )
        while rows := await cursor.fetchmany(BATCH):
            yield rows


async def drop_database(conn: Connection, name: str) -> None:
    """Remove a database of ours that nobody needs, whoever looks at it."""
    await conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
