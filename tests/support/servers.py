"""Real servers for tests: one Postgres and one NATS per process of the test run, gone when it ends."""

import asyncio
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, Signals

import psycopg

from lumilio import launch, nats_server, ports, postgres
from lumilio.nats_server import NatsServer
from lumilio.postgres import Postgres
from tests.support import memory

START_SECONDS = 120
STOP_SECONDS = 60
PASSWORD = "a-password-for-tests"

# Tests lose nothing in a power cut.
QUICK = {
    **postgres.SETTINGS,
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_wal_size": "128MB",
}


@contextmanager
def running_postgres(folder: Path) -> Iterator[Postgres]:
    """A server with an empty cluster below `folder`."""
    open_way(folder)
    server = Postgres(postgres.find_programs(), str(folder / "postgres"), ports.choose(0), PASSWORD)
    with (folder / "postgres.log").open("ab") as log:
        asyncio.run(postgres.prepare(server, log=log.fileno(), sync=False))
    command = launch.wrap(server.command(QUICK), death_signal=SIGINT, account=server.programs.account)
    with _running(command, folder / "postgres.log", stop_signal=SIGINT) as process:
        _wait(lambda: accepts(server), process, folder / "postgres.log")
        yield server


@contextmanager
def running_replica(primary: Postgres, folder: Path) -> Iterator[Postgres]:
    """A server below `folder` that follows another one, and shows what that had written."""
    open_way(folder)
    replica = replace(primary, directory=str(folder / "replica"), port=ports.choose(0))
    os.mkdir(replica.directory, 0o700)
    if ":" in primary.programs.account:
        os.chown(replica.directory, *map(int, primary.programs.account.split(":")))
    copy = [
        os.path.join(primary.programs.folder, "pg_basebackup"),
        *("--dbname", primary.url("postgres"), "--pgdata", replica.directory),
        *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
    ]
    wrapped = launch.wrap(copy, death_signal=SIGINT, account=primary.programs.account)
    subprocess.run(wrapped, check=True, capture_output=True)
    command = launch.wrap(replica.command(QUICK), death_signal=SIGINT, account=replica.programs.account)
    with _running(command, folder / "replica.log", stop_signal=SIGINT) as process:
        _wait(lambda: accepts(replica), process, folder / "replica.log")
        yield replica


def open_way(folder: Path) -> None:
    """Let Postgres reach a private folder of a test where it runs as another account than we do."""
    if ":" in postgres.find_programs().account:
        ours = {Path(tempfile.gettempdir()).resolve(), memory.MEMORY}
        for level in (path for path in (folder, *folder.parents) if ours.intersection(path.parents)):
            level.chmod(level.stat().st_mode | 0o011)


@contextmanager
def running_nats(
    folder: Path,
    *,
    port: int = 0,
    password: str = PASSWORD,
    edit: Callable[[str], str] = lambda configuration: configuration,
) -> Iterator[NatsServer]:
    """A server with its store below `folder`, perhaps with another configuration; port 0 is any free one."""
    program = nats_server.find_program()
    configuration = str(folder / "nats.conf")
    listen, monitor = ports.choose(port), ports.choose(0)
    server = NatsServer(program, str(folder / "nats"), configuration, listen, monitor, password)
    nats_server.configure(server)
    Path(configuration).write_text(edit(Path(configuration).read_text()))
    command = launch.wrap(server.command, death_signal=SIGKILL)
    with _running(command, folder / "nats.log", stop_signal=SIGTERM) as process:
        _wait(lambda: _listens(server.port), process, folder / "nats.log")
        yield server


@contextmanager
def _running(command: list[str], log: Path, *, stop_signal: Signals) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    with process:
        try:
            yield process
        finally:
            process.send_signal(stop_signal)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, SIGKILL)


def _wait(answers: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server does not start: {log.read_text()[-2000:]}")
        time.sleep(0.02)


def accepts(server: Postgres) -> bool:
    """Whether a server takes connections."""
    try:
        psycopg.connect(server.url("postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
