"""Restores a backup beside what is there, makes it a history of its own, and lets it take the name only then."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from psycopg import AsyncConnection, Error, OperationalError, errors
from psycopg.conninfo import conninfo_to_dict

from common import migrate
from common.db import Connection
from lumilio import queries as databases
from lumilio.backup import proof, record, room, tools
from lumilio.backup import queries as backups
from lumilio.backup.record import Backup
from lumilio.refusal import CannotStart
from lumilio.restore import queries
from lumilio.terminal import say

FRESH = "_restoring"
AGAIN = "make room, then run the same `lumilio restore` again"
BEFORE = "_before_%Y%m%d_%H%M%S"


@dataclass(frozen=True)
class Restore:
    """A backup that was looked through, and the database that it is for."""

    folder: Path
    backup: Backup
    database_url: str
    replace: bool
    say: Callable[[str], None] = say
    disk: Path | None = None
    """Where the database lies, if that is known."""

    @property
    def name(self) -> str:
        return str(conninfo_to_dict(self.database_url)["dbname"])

    @property
    def _note(self) -> str:
        return f"restored from the backup {self.backup.parts[record.DUMP].hash}, not finished"

    async def run(self) -> None:
        """Have the database be what it was at the backup; one that is in use keeps all it has, under another name."""
        try:
            server = proof.elsewhere(self.database_url, "postgres")
            async with await AsyncConnection.connect(server, autocommit=True) as conn:
                await self._check_server(conn)
                if await self._is_restored(conn):
                    self.say("the catalogue was restored before the interruption: it goes on from there")
                    return
                in_use = await self._is_in_use(conn)
                if in_use and not self.replace:
                    raise CannotStart(
                        f"the database {self.name} is in use: with --replace it is kept under another name, "
                        "and the backup takes its place"
                    )
                await self._restore(conn, in_use=in_use)
        except errors.DiskFull as error:
            raise CannotStart(f"the disk of the database is full ({str(error).strip()}): {AGAIN}") from None
        except OperationalError as error:
            raise CannotStart(f"the database does not answer: {str(error).strip()}") from None

    async def end(self) -> None:
        """The restored database is whole, and nothing is left to be done to it."""
        async with await AsyncConnection.connect(self.database_url, autocommit=True) as conn:
            await queries.save_note(conn, self.name, None)

    async def _check_server(self, conn: Connection) -> None:
        version = await backups.find_version(conn)
        if version < self.backup.postgres:
            raise CannotStart(
                f"the backup is of Postgres {self.backup.postgres} and this is {version}: use a newer one"
            )
        if others := await queries.count_sessions(conn, self.name):
            raise CannotStart(f"{others} sessions use the database {self.name}: stop the services first")

    async def _is_restored(self, conn: Connection) -> bool:
        """Whether this backup already has the name, from a restore that was interrupted later and is unused so far."""
        if await queries.find_note(conn, self.name) != self._note:
            return False
        async with await AsyncConnection.connect(self.database_url, autocommit=True) as ours:
            return not await queries.is_signed_in(ours)

    async def _is_in_use(self, conn: Connection) -> bool | None:
        """Whether a database has anything that somebody could miss; None when there is no such database."""
        if not await databases.has_database(conn, self.name):
            return None
        async with await AsyncConnection.connect(self.database_url, autocommit=True) as ours:
            return await queries.has_tables(ours) and await queries.has_people(ours)

    async def _restore(self, conn: Connection, *, in_use: bool | None) -> None:
        if self.disk is not None:
            room.check(self.disk, self.backup.database_bytes or 0, "the catalogue", AGAIN)
        fresh = f"{self.name}{FRESH}"
        await backups.drop_database(conn, fresh)  # which an interrupted restore may have left
        await proof.create(conn, fresh)
        try:
            await queries.save_note(conn, fresh, self._note)
            await self._fill(proof.elsewhere(self.database_url, fresh))
            await self._take_over(conn, fresh, in_use=in_use)
        except BaseException:
            with suppress(Error):  # then the next restore does
                await backups.drop_database(conn, fresh)
            raise

    async def _fill(self, database_url: str) -> None:
        """Restore, count, bring up to date, and begin a new history."""
        self.say(f"restoring the catalogue of {self.backup.made_at.astimezone():%Y-%m-%d %H:%M}")
        programs = tools.find(self.backup.postgres)
        await proof.load(programs, self.folder / record.DUMP, database_url=database_url, counts=self.backup.counts)
        if applied := await migrate.migrate(database_url):
            self.say(f"brought up to date by {', '.join(applied)}")
        async with await AsyncConnection.connect(database_url) as conn:
            await queries.begin_anew(conn)
            purges, leaving = await queries.spare_the_trash(conn), await queries.keep_leaving(conn)
            alive = await queries.count_alive(conn, purges=purges, leaving=leaving)
        self.say("everybody has to sign in again")
        self.say(f"{alive.keys} keys and {alive.shares} links work as they did then: end those that were ended since")
        if alive.purges:
            self.say(f"{alive.purges} photos that were to go for good lie in the trash again")
        if alive.leaving:
            self.say(f"{alive.leaving} people who were to be deleted are still there: delete them again")

    async def _take_over(self, conn: Connection, fresh: str, *, in_use: bool | None) -> None:
        """One transaction gives the names, so that at every moment there is one database of the name or the other."""
        before = f"{self.name}{datetime.now(UTC).strftime(BEFORE)}"
        try:
            if in_use is False:
                await backups.drop_database(conn, self.name)
            async with conn.transaction():
                if in_use:
                    await queries.rename_database(conn, self.name, to=before)
                await queries.rename_database(conn, fresh, to=self.name)
        except errors.ObjectInUse:
            raise CannotStart(f"somebody uses the database {self.name}: stop the services first") from None
        if in_use:
            self.say(f"the database that was there is kept as {before}")


def look_through(folder: Path) -> Backup:
    """A backup that can be restored by this Lumilio; CannotStart when any of its files is not what was written."""
    backup = record.read(folder)
    if faults := record.faults(folder, backup):
        raise CannotStart(f"the backup is damaged, nothing was touched: {'; '.join(faults)}")
    known = {migration.name: migration.digest for migration in migrate.available()}
    if newer := sorted(backup.migrations.keys() - known.keys()):
        raise CannotStart(f"the backup was made by a newer Lumilio ({', '.join(newer)}): use that one")
    if other := sorted(name for name, digest in backup.migrations.items() if known[name] != digest):
        raise CannotStart(f"the backup was made by another Lumilio ({', '.join(other)} differ): use that one")
    return backup
