"""The backup of each night: `lumilio up` makes it, and removes the old ones that need not be kept."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import AsyncConnection

from lumilio.backup import make, queries, record, retention, shelf
from lumilio.backup.make import Source
from lumilio.backup.retention import BackupSettings, kept
from lumilio.backup.shelf import Shelf
from lumilio.refusal import CannotStart
from lumilio.terminal import say

LOOK_SECONDS = 60.0
RETRY_SECONDS = retention.RETRY.total_seconds()


@dataclass(frozen=True)
class Nightly:
    """What is backed up each night, where to, and how many of such are kept."""

    source: Source
    to: Path
    settings: BackupSettings

    async def keep(self) -> None:
        """Make each backup when it is due, until cancelled; one that fails is tried again in an hour."""
        pause = LOOK_SECONDS
        while self.settings.backup_daily:
            await asyncio.sleep(pause)
            pause = LOOK_SECONDS if await self.look() else RETRY_SECONDS

    async def look(self) -> bool:
        """Make a backup if one is due, and remove old ones; False when there is none, which is told with its reason."""
        try:
            if await self._is_known_due():
                await self.forget_old(await self.make())
        except Exception as error:  # noqa: BLE001  # one that nobody foresaw must not end all nights after it
            say(f"there is no backup of tonight: {make.told(error)}; it is tried again in an hour")
            return False
        return True

    async def _is_known_due(self) -> bool:
        with suppress(psycopg.Error):  # whoever keeps the database running tells that it is away
            return await self.is_due()
        return False

    async def is_due(self) -> bool:
        """Whether it is time, by the clock of the database and the zone of this machine.

        A backup that is still to come by its date was made while the clock was wrong, and is none to wait for.
        """
        async with await AsyncConnection.connect(self.source.database_url, autocommit=True) as conn:
            now, since = await queries.find_now(conn), await queries.find_first_day(conn)
            last = await queries.find_last(conn)
        failed = last is not None and last.state != "made"
        began = last.began_at.astimezone() if last else None
        is_to_come = began is not None and began > now + retention.RETRY
        return is_to_come or retention.due(began, failed=failed, since=since.astimezone()) <= now

    async def make(self) -> Path:
        """Make one."""
        made = await make.make(self.source, self.to, say=_nothing)
        say(f"backed up to {made}")
        return made

    async def forget_old(self, made: Path) -> None:
        """Remove those that need not be kept beside the one just made; what cannot be removed stays for now."""
        try:
            with shelf.held(self.to) as held:
                await asyncio.to_thread(_forget_old, held, self.settings, made=made)
        except (CannotStart, OSError) as error:
            say(f"old backups stay for now: {error}")


def _forget_old(held: Shelf, wanted: BackupSettings, *, made: Path) -> None:
    """Remove the backups that need not be kept, but not the one just made, whatever date a clock gave it.

    Days are those of this machine's zone.
    """
    found = {backup.made_at.astimezone(): path for path, backup in shelf.whole(held.folder) if path != made}
    newest = record.read(made).made_at.astimezone()
    for at in found.keys() - kept([*found, newest], wanted):
        held.forget(found[at])
        say(f"{found[at]} was removed, newer ones are kept")


def beside(source: Source, data_root: str, settings: BackupSettings) -> Nightly:
    """The backups of what a data directory holds, in it unless another folder is named."""
    return Nightly(source, Path(settings.backup_to or Path(data_root, "backups")).resolve(), settings)


def _nothing(_: str) -> None:
    """Nobody watches at night."""
