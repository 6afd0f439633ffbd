"""The supervisor and the first start, piece by piece: deaths, order, locks and secrets."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL
from uuid import uuid4

import msgspec
import pytest

from common import lease_queries as leases
from common import passwords, roots
from common.db import Pool
from common.marker import Marker
from lumilio import data as directory
from lumilio import first_start, launch, ports, supervisor
from lumilio.data import Data
from lumilio.logs import LogFile, warning_in
from lumilio.refusal import CannotStart
from lumilio.supervisor import Program, Supervisor
from tests.support.processes import runs
from tests.support.waiting import until


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Data]:
    """A data directory that this test holds."""
    with directory.hold(str(tmp_path / "data")) as held:
        yield held


@pytest.fixture
async def children(data: Data, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    """A supervisor without patience, stopped at the end."""
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.02)
    running = Supervisor(data)
    yield running
    await running.stop()


def program(name: str, code: str, *, stops_by: float = 5) -> Program:
    """A child that runs some Python and is ready when its log says so."""

    async def ready() -> bool:
        return False

    return Program(name, [sys.executable, "-I", "-S", "-c", code], ready, stops_by)


def marking(data: Data, name: str, *, stubborn: bool = False) -> str:
    """Python that says that it lives, and leaves a line in a common file when it is told to end."""
    end = "" if stubborn else "sys.exit()"
    return f"""
import signal, sys, time
def end(*_):
    open({data.run("ends")!r}, "a").write("{name} ")
    {end}
signal.signal(signal.SIGTERM, end)
print("lives", flush=True)
while True:
    time.sleep(60)
"""


async def until_lives(data: Data, name: str) -> None:
    log = Path(data.log(name))
    await until(lambda: log.exists() and "lives" in log.read_text(), what=f"{name} lives")


async def test_a_program_that_keeps_dying_is_given_up_with_its_last_words(children: Supervisor) -> None:
    """Someone who cannot start is told why, and where to read more."""
    child = children.start(program("broken", "raise SystemExit('the disk is on fire')"))

    with pytest.raises(CannotStart, match=r"broken does not start: the disk is on fire \(see .*broken.log\)"):
        await child.until_ready()


async def test_a_log_that_somebody_took_away_ends_nothing(children: Supervisor, data: Data) -> None:
    """A child that dies is started again, whatever became of its log."""
    child = children.start(program("one", marking(data, "one")))
    await until_lives(data, "one")
    os.unlink(data.log("one"))
    first = int(Path(data.run("one.pid")).read_text())

    os.kill(first, SIGKILL)

    await until(lambda: child.deaths == 1 and int(Path(data.run("one.pid")).read_text() or first) != first)


async def test_a_program_that_runs_and_is_not_well_is_started_anew(
    children: Supervisor, data: Data, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broker whose disk was full lives on and takes nothing; nobody has to restart it by hand."""
    monkeypatch.setattr(supervisor, "WELL_SECONDS", 0.02)

    async def is_well() -> bool:
        return False

    child = children.start(replace(program("sick", marking(data, "sick")), well=is_well))

    await until(lambda: child.deaths > 0)
    assert "sick runs but is not well" in capsys.readouterr().out


async def test_programs_stop_in_their_order(children: Supervisor, data: Data) -> None:
    """Whoever takes requests ends first, whoever is needed by others last."""
    for name, stops_by in (("last", 3), ("first", 1), ("second", 2)):
        children.start(program(name, marking(data, name), stops_by=stops_by))
        await until_lives(data, name)

    await children.stop()

    assert Path(data.run("ends")).read_text().split() == ["first", "second", "last"]


async def test_a_program_that_does_not_stop_is_ended_by_force(
    children: Supervisor, data: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody can keep the server from stopping, and a person learns who tried."""
    children.start(program("stubborn", marking(data, "stubborn", stubborn=True), stops_by=0.3))
    await until_lives(data, "stubborn")

    await asyncio.wait_for(children.stop(), 60)

    assert "stubborn does not stop, so it is ended by force" in capsys.readouterr().out
    assert not os.path.exists(data.run("stubborn.pid"))


async def test_a_child_dies_with_its_parent() -> None:
    """A parent that is killed takes its children along, without a chance to tell them."""
    command = launch.wrap(["/bin/sh", "-c", "echo lives; exec sleep 60"], death_signal=SIGKILL)
    code = f"""
import os, subprocess, sys
command = {command!r}
command[4] = str(os.getpid())
child = subprocess.Popen(command, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
os.kill(os.getpid(), 9)
"""

    parent = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=20)

    await until(lambda: not runs(int(parent.stdout)))


def test_a_child_whose_parent_is_gone_does_not_start() -> None:
    """A parent that ends before it can be watched is noticed."""
    command = launch.wrap(["/bin/echo", "started"], death_signal=SIGKILL)
    command[4] = "1"

    assert subprocess.run(command, capture_output=True, check=False, timeout=20).stdout == b""


def test_a_directory_has_one_holder(data: Data) -> None:
    """Two servers never write one directory."""
    with pytest.raises(CannotStart, match="another `lumilio up` runs on"), directory.hold(data.root):
        pass


def test_a_directory_is_free_when_the_last_child_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new start waits for what a crashed one left, and never meets it."""
    with directory.hold(str(tmp_path)) as held:
        orphan = subprocess.Popen(["/bin/sleep", "0.5"], pass_fds=[held.held])

    with directory.hold(str(tmp_path)):
        assert not runs(orphan.pid)

    orphan.wait()
    assert "waiting for the processes of an earlier run to end" in capsys.readouterr().out


def test_a_crash_leaves_nothing_that_lasts(data: Data) -> None:
    """Half-written files and the notes of another run are gone with the next start; everything else stays."""
    secrets = directory.read_secrets(data)
    data.note("gateway.pid", "1")
    data.note("database.url", "postgresql://")
    for name in ("secrets.json.new", "run/nats.conf.new"):
        (Path(data.root) / name).write_text("half of it")

    directory._forget_earlier_run(data.root)

    assert sorted(path.name for path in Path(data.run("")).iterdir()) == ["children.lock", "lumilio.lock"]
    assert not list(Path(data.root).glob("*.new"))
    assert directory.read_secrets(data) == secrets


def test_secrets_are_made_once_and_private(data: Data) -> None:
    """Whoever may not read the file learns nothing; a second start finds the same."""
    made = directory.read_secrets(data)

    assert directory.read_secrets(data) == made
    assert os.stat(data.secrets).st_mode & 0o777 == 0o600
    assert made.first_password is not None
    assert len(made.first_password) >= 16


def test_lost_secrets_are_not_replaced(data: Data) -> None:
    """New secrets would not open the old database, so a person is asked for the old ones."""
    os.mkdir(data.postgres)

    with pytest.raises(CannotStart, match="put back the one from your backup"):
        directory.read_secrets(data)


def test_secrets_that_others_may_read_stop_the_start(data: Data) -> None:
    """What somebody may have read is no secret; only a person knows who could."""
    directory.read_secrets(data)
    os.chmod(data.secrets, 0o640)

    with pytest.raises(CannotStart, match="may be read by others"):
        directory.read_secrets(data)


@pytest.mark.parametrize("jwt_secret", ["", "short", None])
def test_secrets_that_are_none_stop_the_start(data: Data, jwt_secret: str | None) -> None:
    """A secret that can be guessed, or is the password of the database as well, was not made by us."""
    made = directory.read_secrets(data)
    wrong = {**msgspec.structs.asdict(made), "jwt_secret": made.postgres_password if jwt_secret is None else jwt_secret}
    Path(data.secrets).write_bytes(msgspec.json.encode(wrong))

    with pytest.raises(CannotStart, match="put back the one from your backup"):
        directory.read_secrets(data)


async def test_preparing_twice_has_one_effect(database_url: str, pool: Pool, data: Data) -> None:
    """A first start that crashed before it showed the password is repeated with the same password."""
    secrets = directory.read_secrets(data)

    await first_start.prepare(database_url, data, secrets)
    await first_start.prepare(database_url, data, directory.read_secrets(data))

    async with pool.connection() as conn:
        users = await (await conn.execute("select username, password_hash, is_admin from users")).fetchall()
        roots = await (await conn.execute("select root, is_default from repositories")).fetchall()
    assert [(name, admin) for name, _, admin in users] == [("admin", True)]
    assert passwords.matches(users[0][1], secrets.first_password or "")
    assert roots == [(os.fsencode(data.repository), True)]


async def test_a_server_that_starts_anew_waits_for_no_dead_syncer(database_url: str, pool: Pool, data: Data) -> None:
    """Who held its repositories died with it; what is done once a day is not done again for that."""
    for name in ("repository 1", "daily clean-up"):
        async with pool.connection() as conn:
            await leases.take(conn, name, uuid4(), seconds=60)

    await first_start.prepare(database_url, data, directory.read_secrets(data))

    async with pool.connection() as conn:
        assert await (await conn.execute("select name from leases")).fetchall() == [("daily clean-up",)]


def test_the_password_is_told_once(data: Data, capsys: pytest.CaptureFixture[str]) -> None:
    """After it was shown, the password is nowhere."""
    secrets = directory.read_secrets(data)

    first_start.tell_password(data, secrets)
    first_start.tell_password(data, directory.read_secrets(data))

    assert capsys.readouterr().out.count(secrets.first_password or "?") == 1
    assert (secrets.first_password or "?") not in Path(data.secrets).read_text()


def test_a_password_that_nobody_saw_is_kept(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the terminal takes nothing, the next start shows it."""
    secrets = directory.read_secrets(data)
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        first_start.tell_password(data, secrets)
        monkeypatch.undo()
        with suppress(OSError):
            full.close()

    assert directory.read_secrets(data).first_password == secrets.first_password


async def test_a_marker_without_a_row_is_adopted(database_url: str, pool: Pool, data: Data) -> None:
    """A repository keeps its identity when the database is new."""
    repository_id = uuid4()
    roots.create(os.fsencode(data.repository), Marker(id=repository_id, name="Primary Storage"))

    await first_start.prepare(database_url, data, directory.read_secrets(data))

    async with pool.connection() as conn:
        found = await (await conn.execute("select repository_id from repositories")).fetchall()
    assert found == [(repository_id,)]


async def test_a_moved_directory_takes_its_repository_along(database_url: str, pool: Pool, tmp_path: Path) -> None:
    """Moving the data directory is enough to move a server."""
    with directory.hold(str(tmp_path / "here")) as data:
        await first_start.prepare(database_url, data, directory.read_secrets(data))
    (tmp_path / "here").rename(tmp_path / "there")

    with directory.hold(str(tmp_path / "there")) as data:
        await first_start.prepare(database_url, data, directory.read_secrets(data))

    async with pool.connection() as conn:
        roots = await (await conn.execute("select root from repositories")).fetchall()
    assert roots == [(os.fsencode(data.repository),)]


async def test_a_missing_disk_is_an_outage(
    database_url: str, pool: Pool, data: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repository that is not there is never replaced by an empty one."""
    await first_start.prepare(database_url, data, directory.read_secrets(data))
    os.rename(data.repository, f"{data.repository}.unplugged")

    await first_start.prepare(database_url, data, directory.read_secrets(data))

    assert "is its disk mounted?" in capsys.readouterr().out
    assert not os.path.exists(data.repository)


def test_a_host_of_another_machine_is_refused() -> None:
    """A wrong address is told as such, not as a busy port."""
    with pytest.raises(CannotStart, match="name another --host"):
        ports.choose(8080, host="192.0.2.1")


def test_a_log_that_grows_large_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that runs for a year keeps its last lines, and no more than a disk can hold."""
    monkeypatch.setattr("lumilio.logs.LARGEST", 100)
    log = LogFile(str(tmp_path / "one.log"))
    with open(log.open(), "ab", buffering=0) as writer:
        for number in range(40):
            writer.write(b"line %d\n" % number)
            log.new_lines()
        size = os.path.getsize(log.path)
        writer.write(b"the last line\n")

    assert size < 200
    assert log.new_lines() == ["the last line"]
    assert os.path.getsize(f"{log.path}.1") > 100


def test_a_large_log_begins_anew_without_room_for_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that fills its disk is what must shrink first."""
    monkeypatch.setattr("lumilio.logs.LARGEST", 20)
    log = LogFile(str(tmp_path / "one.log"))
    os.mkdir(f"{log.path}.1")

    with open(log.open(), "ab", buffering=0) as writer:
        for _ in range(2):
            writer.write(b"a line of a log\n")
            log.new_lines()

    assert os.path.getsize(log.path) == 0


def test_a_service_runs_without_a_log(tmp_path: Path) -> None:
    """Where no file can be opened, its words are lost and nothing else."""
    os.mkdir(tmp_path / "one.log")

    with open(LogFile(str(tmp_path / "one.log")).open(), "ab", buffering=0) as writer:
        assert writer.write(b"a line\n") == 7


def test_a_large_log_is_put_aside(tmp_path: Path) -> None:
    """Logs do not fill the disk; the last one is kept."""
    path = tmp_path / "service.log"
    path.write_bytes(b"x" * (11 << 20))

    os.close(LogFile(str(path)).open())

    assert path.stat().st_size == 0
    assert (tmp_path / "service.log.1").stat().st_size == 11 << 20


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"event": "work done", "level": "info", "ms": 3}', None),
        ('{"event": "relay delayed", "level": "warning", "error": "away"}', "relay delayed: error=away"),
        ('{"event": "x", "level": "error", "exception": "Traceback\\n  a\\nValueError: b"}', "x: ValueError: b"),
        ("not JSON at all", None),
        ("42", None),
    ],
)
def test_warnings_are_told_in_one_line(line: str, told: str | None) -> None:
    """A person sees what a service warns of, and nothing of its chatter."""
    warning = warning_in(line)

    assert (warning and warning.text) == told
