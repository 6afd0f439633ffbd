"""What `lumilio restore` does, from looking through the backup to what is to be done next."""

import argparse
import asyncio
import os
from pathlib import Path

from lumilio import data
from lumilio.data import Data
from lumilio.restore import directory
from lumilio.restore.run import Restore, look_through
from lumilio.terminal import say

NEXT = "what was uploaded after the backup lies on the disk: `lumilio rebuild --missing` takes it in"


def run(arguments: argparse.Namespace) -> None:
    """Restore into the database of the environment, or into a data directory that nothing serves."""
    folder = arguments.folder.resolve()
    backup = look_through(folder)
    if database_url := os.environ.get("LUMILIO_DATABASE_URL"):
        asyncio.run(Restore(folder, backup, database_url, arguments.replace, say).run())
        say("restored: start the services")
        say(NEXT)
        return
    with data.hold(arguments.data) as held:
        directory.check(held, replace=arguments.replace)
        asyncio.run(_into(held, folder, arguments))
    say(f"restored: serve it with `lumilio up --data {arguments.data}`")
    say(NEXT)


async def _into(held: Data, folder: Path, arguments: argparse.Namespace) -> None:
    secrets = directory.begin(held, folder)
    async with directory.serving(held, secrets) as server:
        await Restore(folder, look_through(folder), server.url(), arguments.replace, say).run()
    directory.end(held)
