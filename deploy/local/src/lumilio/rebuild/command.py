"""What `lumilio rebuild` does: starts the database of a data directory for itself, or fills the one it is told."""

import argparse
import asyncio
import os

from psycopg import OperationalError

from lumilio import data as directory
from lumilio import migrations, postgres
from lumilio.data import Data
from lumilio.rebuild import run
from lumilio.rebuild.run import Where
from lumilio.refusal import CannotStart
from lumilio.restore.directory import serving
from lumilio.terminal import say


def rebuild(arguments: argparse.Namespace) -> None:
    """Make the catalogue anew, as far as it can be."""
    try:
        if database_url := os.environ.get("LUMILIO_DATABASE_URL"):
            private = os.environ.get("LUMILIO_PRIVATE_ROOTS")
            where = Where(_named(arguments), os.fsencode(private) if private else None)
            if not arguments.missing:
                run.refuse_nothing(where)
            asyncio.run(_fill(database_url, where, arguments))
        else:
            with directory.hold(arguments.data) as data:
                asyncio.run(_fill_own(data, arguments))
    except OperationalError as error:
        raise CannotStart(f"the database does not answer: {str(error).strip()}") from None


async def _fill(database_url: str, where: Where, arguments: argparse.Namespace, password: str | None = None) -> None:
    if arguments.missing:
        run.tell(await run.adopt_missing(database_url, say=say))
    else:
        await run.rebuild(database_url, where, password=password, is_trial=arguments.dry_run, say=say)


async def _fill_own(data: Data, arguments: argparse.Namespace) -> None:
    """The administrator of a new data directory gets the password that was made for them, which is told here."""
    secrets = directory.read_secrets(data)
    async with serving(data, secrets) as server:
        await postgres.ensure_database(server)
        await migrations.apply(server.url())
        where = Where([*_own(data), *_named(arguments)], os.fsencode(data.private))
        await _fill(server.url(), where, arguments, secrets.first_password)
        if not arguments.dry_run and not arguments.missing and secrets.first_password is not None:
            directory.forget_first_password(data, secrets)


def _named(arguments: argparse.Namespace) -> list[bytes]:
    return [os.path.realpath(root) for root in arguments.roots]


def _own(data: Data) -> list[bytes]:
    """Repositories in the data directory itself."""
    with os.scandir(data.repositories) as entries:
        return sorted(os.fsencode(os.path.realpath(entry.path)) for entry in entries if entry.is_dir())
