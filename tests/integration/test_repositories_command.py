import os
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from common.db import Pool
from lumilio import main, repositories
from lumilio.refusal import CannotStart
from tests.support.disks import fingerprints
from tests.support.given import Repository, User
from tests.support.rows import ask


def told(capsys: pytest.CaptureFixture[str], database_url: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """What the command says."""
    monkeypatch.setenv("LUMILIO_DATABASE_URL", database_url)
    monkeypatch.setattr(sys, "argv", ["lumilio", "repositories", *words])
    main.main()
    return capsys.readouterr().out


def test_the_command_adds_lists_and_examines(
    database_url: str,
    repository: Repository,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An operator makes a repository of a folder with photos, sees it, and breaks and mends it with the same words."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"mine")
    before = fingerprints(folder)

    added = told(capsys, database_url, monkeypatch, "add", str(folder))
    listed = told(capsys, database_url, monkeypatch, "list")
    validated = told(capsys, database_url, monkeypatch, "validate")
    (folder / "inbox").rmdir()
    repaired = told(capsys, database_url, monkeypatch, "repair", added.split()[0])

    assert added.endswith(f"{folder}: takes uploads\n")
    assert "(photos): takes uploads" in listed
    assert "(Test, the default): takes uploads" in listed
    assert validated.count("ok   ") == 2
    assert repaired.splitlines()[0] == "made inbox"
    assert fingerprints(folder) == before


@pytest.mark.parametrize("words", [("list", "--data", "elsewhere"), ("--data", "elsewhere", "list")])
def test_the_data_directory_is_named_before_or_behind_the_action(
    database_url: str,
    repository: Repository,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
) -> None:
    """Where people put an option that every other command takes at its end, it is understood."""
    assert "(Test, the default): takes uploads" in told(capsys, database_url, monkeypatch, *words)


async def test_a_repository_that_is_away_is_told(database_url: str, repository: Repository) -> None:
    """The operator hears which and why, and the answer is no."""
    os.rename(repository.root, repository.root + b".away")
    said: list[str] = []

    await repositories.tell(database_url, say=said.append)
    is_sound = await repositories.validate(database_url, say=said.append)

    assert "offline, the repository is not there" in said[0]
    assert (is_sound, said[1].startswith("WRONG")) == (False, True)


async def test_what_cannot_be_done_is_told_in_one_line(
    database_url: str, pool: Pool, repository: Repository, tmp_path: Path
) -> None:
    """A folder inside another repository and an unknown id end the command with advice, and change nothing."""
    inside = os.path.join(os.fsdecode(repository.root), "photos")
    with pytest.raises(CannotStart, match="inside another repository"):
        await repositories.add(database_url, path=inside, name=None, private_roots=str(tmp_path / "private"))
    with pytest.raises(CannotStart, match="nobody who may sign in here is called carla"):
        await repositories.add(
            database_url, path=str(tmp_path / "new"), name=None, private_roots=str(tmp_path / "private"), owner="carla"
        )
    with pytest.raises(CannotStart, match="there is no repository"):
        await repositories.repair(database_url, repository_id=uuid4(), rewrite_marker=False)

    assert await ask(pool, "select repository_id from repositories") == [repository.repository_id]
    assert not os.path.exists(inside)


async def test_what_lies_in_it_is_whose_the_operator_says(
    database_url: str, pool: Pool, user: User, tmp_path: Path
) -> None:
    """A name is all that it takes; without one it is the first administrator's."""
    for name, owner in (("hers", user.username), ("mine", None)):
        await repositories.add(
            database_url, path=str(tmp_path / name), name=None, private_roots=str(tmp_path / "private"), owner=owner
        )

    assert await ask(pool, "select name, owner_id from repositories order by 1") == [
        ("hers", user.user_id),
        ("mine", None),
    ]
