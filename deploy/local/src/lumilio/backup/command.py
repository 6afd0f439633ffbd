"""What `lumilio backup` does, from the folder to what it says."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from psycopg import Error

from common import settings
from lumilio import data
from lumilio.backup import check as checking
from lumilio.backup import copying, shelf
from lumilio.backup import make as making
from lumilio.backup.make import Source
from lumilio.backup.retention import BackupSettings
from lumilio.backup.schedule import Nightly
from lumilio.refusal import CannotStart
from lumilio.showing import for_hours
from lumilio.terminal import say

MB = 1 << 20
SAME_DISK = "it lies on the disk of the catalogue itself, and dies with it: another disk is better (--to)"


def make(arguments: argparse.Namespace) -> None:
    """Back up; then copy originals and remove old backups, as far as that is asked for."""
    source, to = source_of(arguments.data), place(arguments)
    try:
        folder = asyncio.run(making.make(source, to, say=say))
    except Error as error:
        raise CannotStart(f"the database does not answer: {str(error).strip()}") from None
    if source.disk is not None and os.stat(source.disk).st_dev == os.stat(to).st_dev:
        say(SAME_DISK)
    if arguments.keep:
        asyncio.run(Nightly(source, to, settings.load(BackupSettings, os.environ)).forget_old(folder))
    copies = arguments.originals
    if copies is not None and not copying.copy(folder, copies, deep=arguments.deep, say=say, screen=for_hours):
        sys.exit(1)


def tell(arguments: argparse.Namespace) -> None:
    """Say which backups there are, a line each."""
    to = place(arguments)
    found = shelf.whole(to, say=say)
    for path, backup in found:
        when = f"{backup.made_at.astimezone():%Y-%m-%d %H:%M}"
        say(f"{when}  {backup.originals:>9,} originals  {backup.size / MB:>9,.1f} MB  {path}")
    if not found:
        say(f"there is no backup in {to}")


def check(arguments: argparse.Namespace) -> None:
    """Say whether a backup is what was written; the exit status says it, too."""
    wish = checking.Wish(arguments.originals or arguments.deep, arguments.deep, arguments.copies)
    if not checking.check(arguments.folder, wish, say=say, screen=for_hours):
        sys.exit(1)


def source_of(root: str) -> Source:
    """What is backed up: the database of the environment, or the one that serves a directory right now."""
    if database_url := os.environ.get("LUMILIO_DATABASE_URL"):
        return Source(database_url)
    return Source(data.running_database(root), Path(root, "secrets.json"), Path(root))


def place(arguments: argparse.Namespace) -> Path:
    """The folder of backups: the one that was named, that of the settings, or one in the data directory."""
    wanted = settings.load(BackupSettings, os.environ).backup_to
    return (arguments.to or Path(wanted or os.path.join(arguments.data, "backups"))).resolve()
