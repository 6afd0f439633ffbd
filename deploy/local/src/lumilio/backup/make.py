"""Makes a backup: a dump and a list of originals of one moment, proven before anything looks like a backup."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote_from_bytes

import psycopg
from msgspec import structs
from psycopg import AsyncConnection, IsolationLevel

from common import db, migrate, outbox_queries, repository_queries
from common.db import Connection
from common.files import FULL_DISK
from lumilio.backup import manifest, proof, queries, record, room, shelf, tools
from lumilio.backup.record import Backup, Tree
from lumilio.backup.shelf import Shelf
from lumilio.backup.tools import Tools
from lumilio.refusal import CannotStart
from lumilio.terminal import say

# A dump may take hours, in which its snapshot must last.
PATIENT = "-c idle_in_transaction_session_timeout=0 -c statement_timeout=0 -c transaction_timeout=0 -c timezone=UTC"
MB = 1 << 20


@dataclass(frozen=True)
class Source:
    """What is backed up: a database, with the secrets and the disk that it has where `lumilio up` serves it."""

    database_url: str
    secrets: Path | None = None
    disk: Path | None = None


async def make(source: Source, to: Path, *, say: Callable[[str], None] = say) -> Path:
    """A whole, proven backup below a folder; CannotStart, and nothing that looks like one, when that cannot be."""
    async with db.alone(source.database_url) as conn:
        if not await queries.be_alone(conn):
            raise CannotStart("another backup of this database is going on: wait for its end")
        try:
            await migrate.check(conn)
        except migrate.OldSchema as error:
            raise CannotStart(str(error)) from None
        backup_id = await queries.begin(conn, folder=str(to))
        try:
            path, backup = await _begin(conn, source, to, say)
        except BaseException as error:
            with suppress(psycopg.Error):  # then the next backup says that this one was interrupted
                await queries.save_failed(conn, backup_id, error=told(error))
            raise
        await queries.save_made(conn, backup_id, folder=str(path), size=backup.size, originals=backup.originals)
        return path


def told(error: BaseException) -> str:
    """Why there is no backup, in words; an error that nobody foresaw is called by its name."""
    if isinstance(error, (CannotStart, OSError, psycopg.Error)):
        return str(error).strip()
    return repr(error) if isinstance(error, Exception) else "it was interrupted"


async def _begin(conn: Connection, source: Source, to: Path, say: Callable[[str], None]) -> tuple[Path, Backup]:
    """Make it where nobody else does, if there is room and a program for it."""
    with shelf.held(to) as held, _filled(to):
        held.clean()
        found = tools.find(await queries.find_version(conn))
        _check_room(source, held, await queries.find_size(conn))
        return await _make(source, found, held, say)


@contextmanager
def _filled(to: Path) -> Iterator[None]:
    """A disk that is full is told by its name; what was written so far is gone by then."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        raise CannotStart(f"the disk of {to} is full: make room, or name another disk with --to") from None


def _check_room(source: Source, held: Shelf, size: int) -> None:
    """Refuse to fill the disk of the backups, or that of the database, on which it is restored to prove the dump."""
    room.check(held.folder, size, "the backup", "make room, or name another disk with --to")
    if source.disk is not None:
        room.check(source.disk, size, "proving it by restoring it", "make room")


async def _make(source: Source, found: Tools, held: Shelf, say: Callable[[str], None]) -> tuple[Path, Backup]:
    async with await AsyncConnection.connect(source.database_url, options=PATIENT) as conn:
        await conn.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await conn.set_read_only(True)
        snapshot = await queries.export_snapshot(conn)
        made_at = (await queries.find_now(conn)).astimezone(UTC)
        with held.new(made_at) as folder:
            say("dumping the catalogue")
            await found.dump(source.database_url, snapshot=snapshot, to=folder / record.DUMP)
            os.chmod(folder / record.DUMP, 0o600)
            backup = await _describe(conn, folder, found)
            await conn.rollback()  # nothing is held back any more while the dump is proven
            say("proving it by restoring it")
            await proof.prove(found, folder / record.DUMP, database_url=source.database_url, counts=backup.counts)
            _keep_secrets(source, folder)
            backup = await asyncio.to_thread(_measured, folder, backup)
            record.write(folder, backup)
            final = held.folder / folder.name.removesuffix(shelf.UNFINISHED)
    say(f"{final}: {backup.originals:,} originals listed, {backup.size / MB:,.1f} MB")
    return final, backup


async def _describe(conn: Connection, folder: Path, found: Tools) -> Backup:
    """List the originals, and say what the database was, all within the snapshot of the dump."""
    listed = manifest.Writer(folder / record.ORIGINALS)
    async for rows in queries.list_originals(conn):
        await asyncio.to_thread(listed.add, rows)
    listed.close()
    return Backup(
        made_at=await queries.find_now(conn),
        lumilio=version("lumilio"),
        postgres=found.version,
        epoch=await outbox_queries.find_epoch(conn),
        migrations=await queries.list_migrations(conn),
        counts=await proof.count(conn),
        database_bytes=await queries.find_size(conn),
        originals=listed.count,
        original_bytes=listed.size,
        repositories=[
            Tree(id=one.repository_id, name=one.name, root=quote_from_bytes(one.root), home=quote_from_bytes(one.home))
            for one in await repository_queries.list_repositories(conn)
        ],
        parts={},
    )


def _keep_secrets(source: Source, folder: Path) -> None:
    """Without them nobody's links and keys would work after a restore."""
    if source.secrets is not None:
        content = source.secrets.read_bytes()
        descriptor = os.open(folder / record.SECRETS, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)


def _measured(folder: Path, backup: Backup) -> Backup:
    names = (record.DUMP, record.ORIGINALS, record.SECRETS)
    parts = {name: record.measure(folder / name) for name in names if (folder / name).exists()}
    return structs.replace(backup, parts=parts)
