"""What `lumilio restore` does, from looking through the backup to what is to be done next."""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from lumilio import data, first_start
from lumilio.backup.record import Backup
from lumilio.data import Data, Secrets
from lumilio.rebuild.run import adopt_missing
from lumilio.refusal import CannotStart
from lumilio.restore import derived, directory, originals
from lumilio.restore.originals import PutBack
from lumilio.restore.run import Restore, look_through
from lumilio.showing import for_hours
from lumilio.terminal import say

NOT_ALL = "not all of it could be: put right what was said, then `lumilio rebuild --missing` takes in the rest"

UNDONE = ("a repository is away", "a line was passed over", "not what it was", "an unknown upload")


def run(arguments: argparse.Namespace) -> None:
    """Restore into the database of the environment, or into a data directory that nothing serves."""
    folder = arguments.folder.resolve()
    backup = look_through(folder)
    if arguments.only_originals:
        _put_back_lost(folder, backup, arguments.originals)
        return
    if database_url := os.environ.get("LUMILIO_DATABASE_URL"):
        back = originals.plan(folder, backup, arguments.originals, data=None)
        originals.put_back(back, folder, backup, say=say, screen=for_hours)
        asyncio.run(_elsewhere(Restore(folder, backup, database_url, arguments.replace, say)))
        _end("restored: start the services", back)
        return
    with data.hold(arguments.data) as held:
        directory.check(held, replace=arguments.replace)
        back = originals.plan(folder, backup, arguments.originals, data=held.root)
        secrets = directory.begin(held, folder)
        originals.put_back(back, folder, backup, say=say, screen=for_hours)
        asyncio.run(_into(held, secrets, folder, arguments.replace))
    _end(f"restored: serve it with `lumilio up --data {arguments.data}`", back)


def _put_back_lost(folder: Path, backup: Backup, copies: Path | None) -> None:
    """Bring repositories back that are away, to where they were; nothing is asked of the database."""
    back = originals.plan(folder, backup, copies, data=None, only_lost=True)
    if back is None:
        raise CannotStart("--only-originals puts them back from their copies: name those with --originals")
    originals.put_back(back, folder, backup, say=say, screen=for_hours)
    _end("a server that runs finds them by itself; `lumilio verify` names what is not there", back)


def _end(line: str, back: PutBack | None) -> None:
    """Say that it is done; the exit status says whether anything was not put back."""
    say(line)
    if back is not None and back.troubles.count:
        say(f"{back.troubles.count:,} files could not be put back, as was said above")
        sys.exit(1)


async def _elsewhere(restore: Restore) -> None:
    await bring_back(restore)
    await restore.end()


async def _into(held: Data, secrets: Secrets, folder: Path, replace: bool) -> None:  # noqa: FBT001
    async with directory.serving(held, secrets) as server:
        restore = Restore(folder, look_through(folder), server.url(), replace, say, Path(held.root))
        await bring_back(restore, then=partial(first_start.prepare, server.url(), held, secrets))
        directory.end(held)
        await restore.end()  # last: until then the same command goes on where it was interrupted


async def bring_back(restore: Restore, *, then: Callable[[], Awaitable[None]] | None = None) -> None:
    """Restore, and take in what was uploaded after the backup, which lies on the disk."""
    await restore.run()
    if then is not None:
        await then()
    say("looking for what came after the backup")
    summary = await adopt_missing(restore.database_url, say=say)
    made = summary.counts["assets made"] + summary.counts["uploads brought back"]
    say(f"{made:,} photos that came after the backup are back")
    if any(summary.counts[kind] for kind in UNDONE):
        say(NOT_ALL)
    if again := await derived.make_again(restore.database_url):
        say(f"{again:,} thumbnails and versions for browsers are not there: they are made again when it serves")
