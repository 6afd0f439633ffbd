"""`lumilio trash` against a gateway: it shows what lies there, and nothing goes that a person did not agree to."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest

from common.db import Pool
from ingest.handlers import Ingest
from lumilio.following import Asking
from lumilio.trash import command
from lumilio.trash.server import Server
from lumilio.upload.patience import Gone, Patience
from lumilio_client.api import TrashPurged
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, placed
from tests.support.purging import purge_all, throw
from tests.support.rows import ask
from tests.support.sending import sending


@pytest.fixture
async def server(api: Api, user: User, tmp_path: Path) -> AsyncIterator[Server]:
    """A server as the command knows it."""
    with sending(api.port, user, bytes(tmp_path / "photos")) as sender:
        yield Server(Asking(sender.session, Patience(Event())))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the command says."""
    lines: list[str] = []
    monkeypatch.setattr(command, "say", lines.append)
    return lines


@pytest.fixture
async def thrown(pool: Pool, repository: Repository, user: User, ingest: Ingest) -> list[UUID]:
    """Thirty photos in the trash."""
    found = [await placed(pool, repository, user, PHOTO + b"%d" % number) for number in range(30)]
    await throw(pool, user, *found)
    return found


async def test_what_lies_there_is_told(server: Server, thrown: list[UUID], told: list[str]) -> None:
    """A line each, with until when, and how much it is."""
    await asyncio.to_thread(command.tell, server)

    *lines, total = told
    assert {line.split()[0] for line in lines} == {str(one) for one in thrown}
    assert all("until 2" in line and line.endswith("p.jpg") for line in lines)
    assert total.startswith("30 in the trash, ")


async def test_much_goes_when_a_person_agrees(server: Server, pool: Pool, thrown: list[UUID], told: list[str]) -> None:
    """They hear first how many and how much; whoever says no keeps all."""
    seen: list[TrashPurged] = []

    def agrees(counted: TrashPurged) -> bool:
        seen.append(counted)
        return len(seen) > 1

    await asyncio.to_thread(command.purge, server, [], agrees=agrees)
    assert await ask(pool, "select 1 from purges") == []
    await asyncio.to_thread(command.purge, server, [], agrees=agrees)
    await purge_all(pool)
    await asyncio.to_thread(command.purge, server, [], agrees=agrees)

    assert [one.count for one in seen] == [30, 30]
    assert (told[0], told[2]) == ("nothing was purged", "nothing lies in the trash")
    assert told[1].startswith("30 go for good, as soon as possible; that frees ")
    assert await ask(pool, "select 1 from assets") == []


async def test_some_are_taken_back(server: Server, pool: Pool, thrown: list[UUID]) -> None:
    """By their ids; one that is not there stops all, in the server's words."""
    with pytest.raises(Gone, match=r"no asset 0{8}-.*nothing was done"):
        await asyncio.to_thread(server.restore, [thrown[0], UUID(int=1)])

    assert await asyncio.to_thread(server.restore, thrown[:2]) == 2
    assert sorted(await ask(pool, "select asset_id from assets where trashed_at is null")) == sorted(thrown[:2])


async def test_nothing_goes_where_nobody_can_be_asked(
    api: Api, user: User, pool: Pool, thrown: list[UUID], tmp_path: Path
) -> None:
    """A script has to say so."""
    (tmp_path / "password").write_text(user.password)
    options = ["--user", user.username, "--server", f"http://127.0.0.1:{api.port}"]
    options += ["--password-file", str(tmp_path / "password")]

    async def run(*arguments: str) -> str:
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lumilio", "trash", *arguments, *options), stdin=DEVNULL, stderr=PIPE, stdout=PIPE
        )
        return b"".join(await program.communicate()).decode()

    assert "use --yes" in await run("purge", "--all")
    assert await ask(pool, "select 1 from purges") == []
    await run("purge", str(thrown[0]), "--yes")
    await run("restore", "--all")
    assert len(await ask(pool, "select 1 from assets where trashed_at is null")) == 30


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1_500_000, "1.5 MB"), (12e15, "12,000.0 TB")]
)
def test_sizes_are_for_people(count: float, text: str) -> None:
    """Three digits and a unit."""
    assert command.size(count) == text
