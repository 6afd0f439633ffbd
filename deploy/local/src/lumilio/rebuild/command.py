"""What `lumilio rebuild` does: starts the database of a data directory for itself, or fills the one it is told."""

import argparse
import asyncio
import os
from functools import partial

from psycopg import OperationalError

from lumilio import data as directory
from lumilio import migrations, ports, postgres
from lumilio.data import Data
from lumilio.logs import LogFile
from lumilio.postgres import Postgres
from lumilio.rebuild import run
from lumilio.rebuild.run import Where
from lumilio.refusal import CannotStart
from lumilio.supervisor import Program, Supervisor
from lumilio.terminal import say

STOPS_BY = 30.0


def rebuild(arguments: argparse.Namespace) -> None:
    """Make the catalogue anew, as far as it can be."""
    roots = [os.path.realpath(root) for root in arguments.roots]
    try:
        if database_url := os.environ.get("LUMILIO_DATABASE_URL"):
            private = os.environ.get("LUMILIO_PRIVATE_ROOTS")
            where = Where(roots, os.fsencode(private) if private else None)
            run.refuse_nothing(where)
            asyncio.run(_fill(database_url, where, is_trial=arguments.dry_run))
        else:
            with directory.hold(arguments.data) as data:
                asyncio.run(_fill_own(data, roots, is_trial=arguments.dry_run))
    except OperationalError as error:
        raise CannotStart(f"the database does not answer: {str(error).strip()}") from None


async def _fill(database_url: str, where: Where, *, is_trial: bool) -> None:
    await run.rebuild(database_url, where, is_trial=is_trial, say=say)


async def _fill_own(data: Data, roots: list[bytes], *, is_trial: bool) -> None:
    """The administrator of a new data directory gets the password that was made for them, which is told here."""
    secrets = directory.read_secrets(data)
    server = Postgres(postgres.find_programs(), data.postgres, ports.choose(0), secrets.postgres_password)
    supervisor = Supervisor(data)
    try:
        await _start(server, data, supervisor)
        where = Where([*_own(data), *roots], os.fsencode(data.private))
        await run.rebuild(server.url(), where, password=secrets.first_password, is_trial=is_trial, say=say)
        if not is_trial and secrets.first_password is not None:
            directory.forget_first_password(data, secrets)
    finally:
        await supervisor.stop()


async def _start(server: Postgres, data: Data, supervisor: Supervisor) -> None:
    log = LogFile(data.log("postgres")).open()
    try:
        await postgres.prepare(server, log=log)
    finally:
        os.close(log)
    program = Program(
        "postgres",
        server.command(),
        partial(postgres.answers, server),
        STOPS_BY,
        version=server.programs.version,
        account=server.programs.account,
        stop_signal=postgres.DEATH_SIGNAL,
        death_signal=postgres.DEATH_SIGNAL,
    )
    await supervisor.start(program).until_ready()
    await postgres.ensure_database(server)
    await migrations.apply(server.url())


def _own(data: Data) -> list[bytes]:
    """Repositories in the data directory itself."""
    with os.scandir(data.repositories) as entries:
        return sorted(os.fsencode(os.path.realpath(entry.path)) for entry in entries if entry.is_dir())
