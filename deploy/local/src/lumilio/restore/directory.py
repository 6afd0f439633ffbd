"""A data directory that is restored: its secrets, its database server meanwhile, and a mark until all is whole."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import structs

from lumilio import data as directory
from lumilio import durable, ports, postgres
from lumilio.backup import record
from lumilio.data import Data, Secrets
from lumilio.logs import LogFile
from lumilio.postgres import Postgres
from lumilio.refusal import CannotStart
from lumilio.supervisor import Supervisor

STOPS_BY = 60.0


def check(data: Data, *, replace: bool) -> None:
    """Refuse to touch a directory with a catalogue, unless that is wished or an interrupted restore left it."""
    if os.path.exists(data.postgres) and not replace and not os.path.exists(data.restoring):
        raise CannotStart(
            f"there is a catalogue in {data.root}: with --replace it is kept beside, and the backup takes its place"
        )


def begin(data: Data, folder: Path) -> Secrets:
    """Mark the directory, and give it the secrets of the backup; what its own database server has stays."""
    durable.write(data.restoring, f"{folder}\n".encode(), mode=0o600)
    kept = _kept(folder)
    if kept is not None and not os.path.exists(data.secrets):
        ours = kept
    elif kept is not None:
        ours = structs.replace(
            directory.read_secrets(data), jwt_secret=kept.jwt_secret, first_password=kept.first_password
        )
    else:
        ours = structs.replace(directory.read_secrets(data), first_password=None)  # people have those of the backup
    directory.save_secrets(data, ours)
    return ours


def end(data: Data) -> None:
    """The directory can be served."""
    os.unlink(data.restoring)
    durable.sync(data.root)


@asynccontextmanager
async def serving(data: Data, secrets: Secrets) -> AsyncIterator[Postgres]:
    """The directory's database server, which runs for as long as the block."""
    server = Postgres(postgres.find_programs(), data.postgres, ports.choose(0), secrets.postgres_password)
    log = LogFile(data.log("postgres")).open()
    try:
        await postgres.prepare(server, log=log)
    finally:
        os.close(log)
    supervisor = Supervisor(data)
    try:
        await supervisor.start(postgres.program(server, stops_by=STOPS_BY)).until_ready()
        yield server
    finally:
        await supervisor.stop()


def _kept(folder: Path) -> Secrets | None:
    """The secrets in a backup, which one of a database elsewhere has not."""
    try:
        return msgspec.json.decode((folder / record.SECRETS).read_bytes(), type=Secrets)
    except FileNotFoundError:
        return None
