"""Brings a database to the schema of this code: numbered files, forward only, each in one transaction."""

import asyncio
import hashlib
from importlib.resources import files
from typing import NamedTuple

from psycopg import errors, sql

from common import db, log
from common.db import Connection

LOCK = 7_015_811_420
IN_THE_WAY = (errors.DeadlockDetected, errors.LockNotAvailable)
LOCK_SECONDS = 2
"""So long a migration may wait for a table: whoever wants that table next waits behind it."""
REST_SECONDS, LONGEST_REST_SECONDS = 1.0, 30.0
MOST_TRIES = 30


class Migration(NamedTuple):
    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


class ChangedMigration(RuntimeError):
    """A migration that was already applied has been edited; migrations only ever go forward."""


class TablesInUse(RuntimeError):
    """Somebody keeps a table so long that a migration gave up, and nothing of it was done."""


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
    async with db.alone(database_url) as conn:
        await _wait_for_turn(conn)
        await conn.execute("create table if not exists migrations (number int primary key, name text, digest text)")
        applied = await _applied(conn)
        return [await _apply(conn, migration) for migration in available() if not _is_applied(migration, applied)]


async def check(conn: Connection) -> None:
    """Refuse a schema that is older than this code."""
    cursor = await conn.execute("select to_regclass('migrations') is not null")
    known = await cursor.fetchone()
    applied = await _applied(conn) if known and known[0] else {}
    if missing := [migration.name for migration in available() if migration.number not in applied]:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise OldSchema(f"the database lacks {missing[0]}{more}: run `lumilio migrate`")


async def _wait_for_turn(conn: Connection) -> None:
    cursor = await conn.execute("select pg_try_advisory_lock(%s)", (LOCK,))
    if await cursor.fetchone() != (True,):
        log.get().info("waiting for another migration", longest=await _find_longest(conn))
        await conn.execute("select pg_advisory_lock(%s)", (LOCK,))


async def _applied(conn: Connection) -> dict[int, str]:
    cursor = await conn.execute("select number, digest from migrations")
    return dict(await cursor.fetchall())


def _is_applied(migration: Migration, applied: dict[int, str]) -> bool:
    if migration.number in applied and applied[migration.number] != migration.digest:
        raise ChangedMigration(f"{migration.name} was applied with other contents")
    return migration.number in applied


async def _apply(conn: Connection, migration: Migration) -> str:
    """Services work meanwhile: where one is in the way, it goes first, and all of the migration is tried again."""
    for tried in range(MOST_TRIES):
        try:
            return await _attempt(conn, migration)
        except IN_THE_WAY as error:
            reason = f"{str(error).splitlines()[0]}; {await _find_longest(conn)}"
            log.get().info("migration tried again", migration=migration.name, error=reason)
            await asyncio.sleep(rest(tried))
    raise TablesInUse(f"{migration.name} found its tables in use {MOST_TRIES} times and is not applied: {reason}")


def rest(tried: int) -> float:
    """Seconds until the next try: ever more, since others wait behind each, and who is in the way may be for long."""
    return min(REST_SECONDS * 2.0**tried, LONGEST_REST_SECONDS)


async def _attempt(conn: Connection, migration: Migration) -> str:
    async with conn.transaction():
        await conn.execute(sql.SQL("set local lock_timeout = {}").format(f"{LOCK_SECONDS}s"))
        await conn.execute(sql.SQL(migration.text))
        await conn.execute(
            "insert into migrations (number, name, digest) values (%s, %s, %s)",
            (migration.number, migration.name, migration.digest),
        )
    return migration.name


async def _find_longest(conn: Connection) -> str:
    """Who has been in a transaction for longest, and so most likely keeps others waiting."""
    cursor = await conn.execute(
        """
        select format(
            'process %s of the database (%s) is in a transaction for %s s',
            pid,
            coalesce(nullif(application_name, ''), usename, backend_type),
            extract(epoch from now() - xact_start)::int
        )
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
        order by xact_start
        limit 1
        """
    )
    row = await cursor.fetchone()
    return row[0] if row else "nobody whose transactions can be seen by us is in one"
