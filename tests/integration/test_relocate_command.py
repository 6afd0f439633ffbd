"""`lumilio relocate`: whoever stands at the machine orders an inbox anew, and sees how far that is."""

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from common.db import Pool
from ingest.handlers import Ingest
from lumilio import main
from lumilio.refusal import CannotStart
from lumilio.relocate import command
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, paths, placed
from tests.support.relocating import fed, worked_off
from tests.support.rows import ask, do

Command = Callable[[command.Question], Awaitable[str]]
OTHER = PHOTO + b" of something else"


@pytest.fixture
async def told(database_url: str, capsys: pytest.CaptureFixture[str]) -> Command:
    """Does what the command does, and returns what it says."""

    async def run(question: command.Question) -> str:
        capsys.readouterr()
        await question(database_url)
        return capsys.readouterr().out

    return run


async def test_a_rehearsal_says_what_would_move_and_changes_nothing(
    pool: Pool, repository: Repository, user: User, told: Command
) -> None:
    """Neither a file, nor a row, nor the marker."""
    await placed(pool, repository, user, PHOTO)
    await placed(pool, repository, user, OTHER, "q.jpg")
    await do(pool, "update file_records set state = 'missing', missing_since = now() where path like '%q.jpg'")
    before = everything(repository)

    said = await told(command.rehearse(str(repository.repository_id), "flat"))

    assert "p.jpg -> inbox/p.jpg\n" in said
    assert "1 would move\n" in said
    assert "1 would be left: it is missing\n" in said
    assert everything(repository) == before
    assert await ask(pool, "select count(*) from relocations") == [0]


async def test_a_wish_is_shown_until_it_is_done(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, told: Command
) -> None:
    """Listed, moving, done; meanwhile nobody wishes something else."""
    await placed(pool, repository, user, PHOTO)
    (name,) = await ask(pool, "select name from repositories")

    began = await told(command.begin(name, "cas"))
    first = await told(command.tell)
    with pytest.raises(CannotStart, match="already"):
        await told(command.begin(name, "flat"))
    await fed(pool)
    second = await told(command.tell)
    await worked_off(pool, ingest)
    third = await told(command.tell)

    assert "are moved" in began
    assert "running, being listed, 0 so far" in first
    assert "running, 0 moved, 1 to do" in second
    assert "done, 1 moved, 0 to do" in third


async def test_what_is_called_off_stays_and_the_same_wish_goes_on(
    pool: Pool, repository: Repository, user: User, ingest: Ingest, told: Command
) -> None:
    """Nothing moves after it; whoever wishes it again has the rest moved."""
    await placed(pool, repository, user, PHOTO)
    before = paths(repository)
    name = str(repository.repository_id)
    await told(command.begin(name, "flat"))
    await fed(pool)

    await told(command.stop(name))
    await worked_off(pool, ingest)
    stopped = paths(repository)
    with pytest.raises(CannotStart, match="nothing is being moved"):
        await told(command.stop(name))
    await told(command.begin(name, "flat"))
    await worked_off(pool, ingest)

    assert stopped == before
    assert paths(repository) == {"p.jpg": PHOTO}


async def test_what_cannot_be_is_refused(pool: Pool, repository: Repository, told: Command) -> None:
    """Nobody's repository, one that may only be read, and one that is not there."""
    name = str(repository.repository_id)
    with pytest.raises(CannotStart, match="there is no repository"):
        await told(command.begin("nobody's", "flat"))
    os.unlink(os.path.join(repository.root, b".lumiliorepo"))
    with pytest.raises(CannotStart, match="lumiliorepo"):
        await told(command.begin(name, "flat"))
    await do(pool, "update repositories set private_root = '/elsewhere'")
    with pytest.raises(CannotStart, match="only be read"):
        await told(command.begin(name, "flat"))


@pytest.mark.parametrize("words", [["Photos"], ["Photos", "--dry-run"], ["Photos", "--to", "size"]])
def test_half_a_wish_is_none(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says what is missing before it asks anybody."""
    monkeypatch.setenv("LUMILIO_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setattr(sys, "argv", ["lumilio", "relocate", *words])

    with pytest.raises(SystemExit) as refused:
        main.main()

    assert refused.value.code == 2 or "--to" in str(refused.value.code)


def everything(repository: Repository) -> dict[str, bytes]:
    root = Path(os.fsdecode(repository.root))
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
