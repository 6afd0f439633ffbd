"""Brings a database to the schema of this code: numbered files, forward only, each in one transaction."""

import asyncio
import hashlib
from importlib.resources import files
from typing import NamedTuple

from psycopg import AsyncConnection, errors, sql

from common import log
from common.db import Connection

LOCK = 7_015_811_420
IN_THE_WAY = (errors.DeadlockDetected, errors.LockNotAvailable)
LOCK_SECONDS = 2
"""So long a migration may wait for a table: whoever wants that table next waits behind it."""
REST_SECONDS = 1.0
MOST_TRIES = 200


class Migration(NamedTuple):
    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


class ChangedMigration(RuntimeError):
    """A migration that was already applied has been edited; migrations only ever go forward."""


class OldSchema(RuntimeError):
    """The database is older than this code: run `lumilio migrate`."""


def available() -> list[Migration]:
    """Every migration of this code, in order."""
    found = [entry for entry in files("common").joinpath("migrations").iterdir() if entry.name.endswith(".sql")]
    return [
        Migration(int(entry.name[:4]), entry.name, entry.read_text()) for entry in sorted(found, key=lambda e: e.name)
    ]


async def migrate(database_url: str) -> list[str]:
    """Apply what is missing, one process at a time; returns the names of what was applied."""
    async with await AsyncConnection.connect(database_url, autocommit=True) as conn:
        await conn.execute("select pg_advisory_lock(%s)", (LOCK,))
        await conn.execute("create table if not exists migrations (number int primary key, name text, digest text)")
        applied = await _applied(conn)
        return [await _apply(conn, migration) for migration in available() if not _is_applied(migration, applied)]


async def check(conn: Connection) -> None:
    """Refuse a schema that is older than this code."""
    cursor = await conn.execute("select to_regclass('migrations') is not null")
    known = await cursor.fetchone()
    applied = await _applied(conn) if known and known[0] else {}
    if missing := [migration.name for migration in available() if migration.number not in applied]:
        raise OldSchema(f"the database lacks {', '.join(missing)}: run `lumilio migrate`")


async def _applied(conn: Connection) -> dict[int, str]:
    cursor = await conn.execute("select number, digest from migrations")
    return dict(await cursor.fetchall())


def _is_applied(migration: Migration, applied: dict[int, str]) -> bool:
    if migration.number in applied and applied[migration.number] != migration.digest:
        raise ChangedMigration(f"{migration.name} was applied with other contents")
    return migration.number in applied


async def _apply(conn: Connection, migration: Migration) -> str:
    """Services work meanwhile: where one is in the way, it goes first, and all of the migration is tried again."""
    for _ in range(MOST_TRIES):
        try:
            return await _attempt(conn, migration)
        except IN_THE_WAY as error:
            log.get().info("migration tried again", migration=migration.name, error=str(error).splitlines()[0])
            await asyncio.sleep(REST_SECONDS)
    return await _attempt(conn, migration)


async def _attempt(conn: Connection, migration: Migration) -> str:
    async with conn.transaction():
        await conn.execute(sql.SQL("set local lock_timeout = {}").format(f"{LOCK_SECONDS}s"))
        await conn.execute(sql.SQL(migration.text))
        await conn.execute(
            "insert into migrations (number, name, digest) values (%s, %s, %s)",
            (migration.number, migration.name, migration.digest),
        )
    return migration.name
