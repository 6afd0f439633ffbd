"""`lumilio scan` against a gateway: what it asks for, what it shows meanwhile, and what it says in the end."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest
from rich.console import Console

from common.db import Pool
from lumilio import showing
from lumilio.following import Asking
from lumilio.scan import command
from lumilio.scan.server import Server, find
from lumilio.upload.patience import Gone, Patience
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask, do
from tests.support.runs import recorded
from tests.support.sending import sending
from tests.support.waiting import until

FOUND = """{"files": 1234, "folders": 56, "bytes": 5000, "new": 3, "gone": 1, "skipped": {"links": 2}}"""


@pytest.fixture
async def asking(api: Api, user: User, pool: Pool, tmp_path: Path) -> AsyncIterator[Asking]:
    """An administrator who is signed in as the command is."""
    await do(pool, "update users set is_admin = true")
    with sending(api.port, user, bytes(tmp_path / "photos")) as sender:
        yield Asking(sender.session, Patience(Event()))


@pytest.fixture
async def server(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The default repository as the command knows it, which looks at it without delay."""
    monkeypatch.setattr(showing, "LINE_SECONDS", 0.02)
    return (await asyncio.to_thread(find, asking, None, b""))[0]


class Run:
    """A run of the command that a test watches, in the part of the syncer."""

    def __init__(self, server: Server, pool: Pool, capfd: pytest.CaptureFixture[str], *, says: bool | None) -> None:
        self.pool, self.capfd, self.seen = pool, capfd, ""
        confirm = None if says is None else lambda _: says
        self.task = asyncio.create_task(asyncio.to_thread(self._run, server, confirm))

    def _run(self, server: Server, confirm: "command.Answer | None") -> int:
        return command.run(server, server.scan(b"", is_quick=False), Console(file=io.StringIO()), confirm)

    async def until_said(self, words: str) -> None:
        await until(lambda: words in self.said(), what=words)

    def said(self) -> str:
        self.seen += self.capfd.readouterr().out
        return self.seen

    async def does(self, state: str, more: str = "") -> None:
        """What the syncer writes of the run that is open."""
        await until(lambda: ask(self.pool, "select 1 from sync_operations where state in ('queued', 'running')"))
        await do(self.pool, f"update sync_operations set state = '{state}' {more} where state in ('queued', 'running')")


async def test_a_run_is_shown_live_and_told_in_a_table(
    server: Server, pool: Pool, repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    """First what is looked at, then what is left to be read, and in the end what was found and passed over."""
    run = Run(server, pool, capfd, says=None)
    await run.until_said("it waits for its turn")
    await run.does("running", f", counts = '{FOUND}'")
    await run.until_said("1,234 files in 56 folders looked at")
    for name in (b"a", b"b"):
        await recorded(pool, repository, name, "found", read_after=datetime.now(tz=UTC))
    await run.does("done")
    await run.until_said("0 of 2 read and registered")
    await do(pool, "update file_records set state = 'present', read_after = null where path = 'a'")
    await run.until_said("1 of 2 read and registered, ")
    await do(pool, "update file_records set state = 'present', read_after = null")

    assert await run.task == 0
    told = run.said()
    for line in ("looked at            1,234   5.0 kB", "new                      3", "passed over: links       2"):
        assert line in told
    assert "\nall was looked at\n" in told


async def test_a_run_that_asks_says_so_and_changes_nothing(
    server: Server, pool: Pool, capfd: pytest.CaptureFixture[str]
) -> None:
    """The status tells it to scripts, and a person sees how many files it is about, and some of them."""
    run = Run(server, pool, capfd, says=None)

    await run.does("asking", """, asks = 60, counts = '{"examples": ["a/1.jpg", "a/\\u001b2.jpg"]}'""")

    assert await run.task == 3
    assert "60 files are not where they were. Nothing was called missing." in run.said()
    assert "  a/1.jpg\n  a/\\x1b2.jpg\n" in run.said()
    assert await ask(pool, "select allowed from sync_operations") == [None]


async def test_a_person_says_that_they_are_gone(server: Server, pool: Pool, capfd: pytest.CaptureFixture[str]) -> None:
    """The same is done again, and may call as many missing as were counted; a no is one."""
    refused = Run(server, pool, capfd, says=False)
    await refused.does("asking", ", asks = 60")
    assert await refused.task == 3
    run = Run(server, pool, capfd, says=True)
    await run.does("asking", ", asks = 61")
    await run.does("done", """, counts = '{"gone": 61}'""")

    assert await run.task == 0
    assert "missing   " in run.said()
    assert await ask(pool, "select allowed from sync_operations order by operation_id") == [None, None, 61]


async def test_nobody_says_yes_where_there_is_no_terminal(
    server: Server, pool: Pool, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is piped in is no answer, be it a no; a script says `--yes`."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    run = Run(server, pool, capfd, says=None)
    await run.does("asking", ", asks = 60")
    await run.task

    assert command.ask_person(await asyncio.to_thread(server.look, 1)) is False
    assert "use --yes" in run.said()


@pytest.mark.parametrize(
    ("state", "more", "told"),
    [
        ("failed", ", error = 'the disk went away'", "nothing was called missing: the disk went away"),
        ("partial", """, counts = '{"troubles": ["a: Permission denied"]}'""", "  a: Permission denied\n"),
    ],
)
async def test_a_run_that_was_not_whole_is_told(
    server: Server, pool: Pool, capfd: pytest.CaptureFixture[str], state: str, more: str, told: str
) -> None:
    """Scripts hear it by the status, people by the reason."""
    run = Run(server, pool, capfd, says=True)

    await run.does(state, more)

    assert (await run.task, told in run.said()) == (1, True)


async def test_files_that_cannot_be_read_and_alarms_are_told(
    server: Server, pool: Pool, repository: Repository, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is wrong for an hour is not waited for, and what should not be so is called out."""
    await recorded(pool, repository, b"a", "found", read_after=datetime.now(tz=UTC), trouble="Permission denied")
    await recorded(pool, repository, b"b", "corrupt")
    run = Run(server, pool, capfd, says=None)

    await run.does("done")

    assert await run.task == 1
    assert "1 files could not be read so far" in run.said()
    assert "ATTENTION: 1 files hold other bytes" in run.said()


async def test_files_that_never_stand_still_are_left_to_the_server(
    server: Server,
    pool: Pool,
    repository: Repository,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file that is written for days keeps nobody at the terminal."""
    monkeypatch.setattr(command, "QUIET_SECONDS", 0.1)
    await recorded(pool, repository, b"a", "found", read_after=datetime.now(tz=UTC))
    run = Run(server, pool, capfd, says=None)

    await run.does("done")

    assert await run.task == 1
    assert "1 files are still being written, read or registered: the server goes on" in run.said()


async def test_the_repository_is_found_by_what_a_person_knows(
    asking: Asking, pool: Pool, repository: Repository
) -> None:
    """Its name or id, a folder as the disk has it, or nothing for the default; what is not clear is asked back."""
    root = os.fsdecode(repository.root)
    other = uuid4()
    await do(pool, f"insert into repositories (repository_id, name, root) values ('{other}', 'Other', '{root}2')")

    async def found(wanted: str | None, folder: bytes) -> tuple[str, bytes]:
        server, below = await asyncio.to_thread(find, asking, wanted, folder)
        return str(server.repository.id), below

    ours, theirs = str(repository.repository_id), str(other)
    assert await found(None, b"caf\xe9") == (ours, b"caf\xe9")
    assert await found("Other", b"") == (theirs, b"")
    assert await found(theirs, b"a/b") == (theirs, b"a/b")
    assert await found(None, repository.root + b"2/a/") == (theirs, b"a")
    assert await found(None, repository.root) == (ours, b"")
    with pytest.raises(Gone, match="does not lie in Other"):
        await found("Other", repository.root)
    with pytest.raises(Gone, match="lies in no repository: there is /"):
        await found(None, b"/etc")
    with pytest.raises(Gone, match="which repository is meant"):
        await found("nothing", b"")
    await do(pool, "update repositories set name = 'Other'")
    with pytest.raises(Gone, match="which repository is meant"):
        await found("Other", b"")
