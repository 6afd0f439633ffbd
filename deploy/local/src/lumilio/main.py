"""The `lumilio` command."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from psycopg import OperationalError

from common import settings
from common.files import FULL_DISK
from lumilio import data, failures, first_start, migrations, repositories, verify, work
from lumilio.backup import options as backup
from lumilio.backup.retention import BackupSettings
from lumilio.ballast import BallastSettings
from lumilio.inference import InferenceSettings
from lumilio.ml import options as ml
from lumilio.rebuild import options as rebuild
from lumilio.refusal import CannotStart
from lumilio.relocate import options as relocate
from lumilio.reprocess import options as reprocess
from lumilio.restore import options as restore
from lumilio.scan import options as scan
from lumilio.status import options as status
from lumilio.terminal import end, say
from lumilio.trash import options as trash
from lumilio.up import Options, up
from lumilio.upload import options as upload
from lumilio.user import options as user
from lumilio.watching import WatchingSettings

Answer = TypeVar("Answer")


def main() -> None:
    """Do what the arguments say; what cannot be done is told in one line."""
    try:
        arguments = parser().parse_args()
        arguments.run(arguments)
    except CannotStart as error:
        sys.exit(f"lumilio: {error}")
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        sys.exit(f"lumilio: {error.filename or 'a disk'}: {error.strerror}: make room, then start again")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        end()


def parser() -> argparse.ArgumentParser:
    """What `lumilio` understands."""
    parser = argparse.ArgumentParser(prog="lumilio", description="A self-hosted photo server.")
    parser.add_argument("--version", action="version", version=f"lumilio {version('lumilio')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("up", help="serve: Postgres, NATS and all services on this machine")
    default = os.environ.get("LUMILIO_DATA", "data")
    serve.add_argument("--data", default=default, help="directory for everything (LUMILIO_DATA, or ./data)")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1; 0.0.0.0 for all)")
    serve.add_argument("--port", type=_port, default=8080, help="port to listen on (8080), or the next free one")
    serve.add_argument("--postgres-port", type=_port, default=0, help="port of the database (any free one)")
    serve.add_argument("--nats-port", type=_port, default=0, help="port of the NATS server (any free one)")
    serve.set_defaults(run=_up)

    migrate = commands.add_parser("migrate", help="bring LUMILIO_DATABASE_URL and LUMILIO_NATS_URL up to date")
    migrate.add_argument("--repository", metavar="PATH", help="where uploads shall go, while there is no such place")
    migrate.set_defaults(run=_migrate)

    check = commands.add_parser("verify", help="compare the catalogue with the disk, both ways, also while serving")
    check.add_argument(
        "--data", default=default, help="the directory that `lumilio up` serves (or LUMILIO_DATABASE_URL)"
    )
    check.add_argument("--acks", type=Path, help="a log of acknowledged uploads, a JSON object a line")
    check.set_defaults(run=_verify)

    failed = commands.add_parser("failed", help="say what could not be done to which photo, and why")
    failed.add_argument("--data", default=default, help="the directory that `lumilio up` serves")
    failed.add_argument("--retry", action="store_true", help="try all of it again")
    failed.set_defaults(run=_failed)

    left = commands.add_parser("stages", help="say what is left to do, since when, what is paused and what failed why")
    left.add_argument("--data", default=default, help="the directory that `lumilio up` serves")
    left.set_defaults(run=_stages)

    status.add_to(commands, default)
    _add_repositories(commands, default)
    upload.add_to(commands)
    reprocess.add_to(commands)
    trash.add_to(commands)
    scan.add_to(commands)
    ml.add_to(commands)
    backup.add_to(commands, default)
    restore.add_to(commands, default)
    rebuild.add_to(commands, default)
    user.add_to(commands, default, _ask)
    relocate.add_to(commands, default, _ask)
    return parser


def _add_repositories(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", default: str) -> None:
    known = commands.add_parser("repositories", help="where originals lie: list, add, validate, repair")
    known.add_argument("--data", default=default, help="the directory that `lumilio up` serves")
    actions = known.add_subparsers(required=True, metavar="ACTION")
    anywhere = argparse.ArgumentParser(add_help=False)
    anywhere.add_argument("--data", default=argparse.SUPPRESS, help="the directory that `lumilio up` serves")

    def action(name: str, what: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, help=what, parents=[anywhere])

    action("list", "which there are, and whether they work").set_defaults(run=_list)
    add = action("add", "make one of a directory; what lies in it stays as it is")
    add.add_argument("path", help="the directory, which may be new")
    add.add_argument("--name", help="what people call it (the directory's name)")
    add.add_argument("--owner", metavar="NAME", help="whose photos those in it become (the first administrator's)")
    add.set_defaults(run=_add)
    action("validate", "examine all on the disk; nothing is changed").set_defaults(run=_validate)
    repair = action("repair", "make missing folders of one")
    repair.add_argument("id", type=UUID, help="its id, as `list` tells it")
    repair.add_argument("--rewrite-marker", action="store_true", help="write its lost .lumiliorepo again, too")
    repair.set_defaults(run=_repair)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _up(arguments: argparse.Namespace) -> None:
    options = Options(
        arguments.host,
        arguments.port,
        arguments.postgres_port,
        arguments.nats_port,
        settings.load(BallastSettings, os.environ),
        settings.load(InferenceSettings, os.environ),
        settings.load(BackupSettings, os.environ),
        settings.load(WatchingSettings, os.environ),
    )

    async def serve(held: data.Data) -> None:
        stop = asyncio.Event()
        heed(stop)
        await up(options, held, stop)

    with data.hold(arguments.data) as held:
        asyncio.run(serve(held))


def heed(stop: asyncio.Event) -> None:
    """Set it when the process is to end; who was started by nohup lives on without its terminal."""
    ends = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ends.append(signal.SIGHUP)
    for number in ends:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)


def _migrate(arguments: argparse.Namespace) -> None:
    try:
        database_url, nats_url = os.environ["LUMILIO_DATABASE_URL"], os.environ["LUMILIO_NATS_URL"]
    except KeyError as error:
        raise CannotStart(f"the environment lacks {error.args[0]}: set it to the address of the server") from None
    wanted = settings.load(migrations.StreamSettings, os.environ)
    applied = asyncio.run(migrations.apply(database_url))
    asyncio.run(migrations.declare(nats_url, replicas=wanted.stream_replicas))
    if arguments.repository:
        asyncio.run(first_start.give_repository(database_url, arguments.repository))
    say(f"applied {', '.join(applied)}" if applied else "everything is up to date")


def _verify(arguments: argparse.Namespace) -> None:
    acks = _acks(arguments.acks)
    if not _ask(arguments.data, partial(verify.verify, acks=acks)):
        sys.exit(1)


def _stages(arguments: argparse.Namespace) -> None:
    _ask(arguments.data, work.tell)


def _failed(arguments: argparse.Namespace) -> None:
    _ask(arguments.data, partial(failures.tell, retry=arguments.retry))


def _list(arguments: argparse.Namespace) -> None:
    _ask(arguments.data, repositories.tell)


def _add(arguments: argparse.Namespace) -> None:
    private_roots = os.environ.get("LUMILIO_PRIVATE_ROOTS") or data.private_roots(arguments.data)
    add = partial(
        repositories.add,
        path=arguments.path,
        name=arguments.name,
        private_roots=private_roots,
        owner=arguments.owner,
    )
    _ask(arguments.data, add)


def _validate(arguments: argparse.Namespace) -> None:
    if not _ask(arguments.data, repositories.validate):
        sys.exit(1)


def _repair(arguments: argparse.Namespace) -> None:
    repair = partial(repositories.repair, repository_id=arguments.id, rewrite_marker=arguments.rewrite_marker)
    if not _ask(arguments.data, repair):
        sys.exit(1)


def _ask(root: str, question: Callable[[str], Coroutine[Any, Any, Answer]]) -> Answer:
    """What a question to the database of this machine, or to the one in the environment, is answered with."""
    database_url = os.environ.get("LUMILIO_DATABASE_URL") or data.running_database(root)
    try:
        return asyncio.run(question(database_url))
    except OperationalError as error:
        raise CannotStart(f"the database does not answer: {str(error).strip()}") from None


def _acks(path: Path | None) -> list[verify.Ack]:
    try:
        return verify.read_acks(path) if path else []
    except (OSError, msgspec.DecodeError) as error:
        raise CannotStart(f"the log of acknowledged uploads cannot be read: {error}") from None
