"""pg_dump and pg_restore: found where they are new enough for a server, and run so that nobody sees a password."""

import asyncio
import os
import re
import shutil
import subprocess
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM
from typing import NamedTuple

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lumilio import launch, postgres
from lumilio.refusal import CannotStart

NICENESS = 10
SAID = 3


class Tools(NamedTuple):
    """The folder of the programs, and their major version."""

    folder: str
    version: int

    async def dump(self, database_url: str, *, snapshot: str, to: Path) -> None:
        """Write a database as it is in a snapshot to a file."""
        arguments = ("--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={to}")
        await self._run("pg_dump", *arguments, database_url=database_url)

    async def load(self, dump: Path, *, database_url: str) -> None:
        """Restore a dump into an empty database."""
        arguments = ("--exit-on-error", "--no-owner", "--no-privileges", str(dump))
        await self._run("pg_restore", *arguments, database_url=database_url)

    async def _run(self, name: str, *arguments: str, database_url: str) -> None:
        target = conninfo_to_dict(database_url)
        password = target.pop("password", None)
        known = {"PGPASSWORD": str(password)} if password else {}
        command = [os.path.join(self.folder, name), "--no-password", f"--dbname={make_conninfo('', **target)}"]
        process = await asyncio.create_subprocess_exec(
            *launch.wrap([*command, *arguments], death_signal=SIGTERM),
            env={**os.environ, **known},
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
        )
        with suppress(OSError):  # people go first
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            _, said = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
        if process.returncode != 0:
            words = " ".join(said.decode(errors="replace").split("\n")[:SAID]).strip()
            raise CannotStart(f"{name} did not do it: {words or f'it ended with {process.returncode}'}")


def find(needed: int) -> Tools:
    """The oldest programs here that are new enough for a server, or for the programs that wrote a dump."""
    known = {folder: version for folder in _folders() if (version := _version(folder)) is not None}
    fit = sorted((version, folder) for folder, version in known.items() if version >= needed)
    if fit:
        return Tools(fit[0][1], fit[0][0])
    found = f"pg_dump {max(known.values())} is too old" if known else "there is no pg_dump"
    raise CannotStart(f"{found} for this database: install the client programs of Postgres {needed} here")


def _folders() -> list[str]:
    on_path = shutil.which("pg_dump")
    return [folder for folder in (on_path and os.path.dirname(on_path), postgres.find_folder()) if folder]


def _version(folder: str) -> int | None:
    """The major version of the programs in a folder that has both."""
    try:
        for name in ("pg_restore", "pg_dump"):
            answer = subprocess.run([f"{folder}/{name}", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\) (\d+)", answer.stdout)
    return int(found[1]) if found else None
