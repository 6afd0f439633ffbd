import asyncio
import os
from pathlib import Path

import pytest
from blake3 import blake3
from msgspec import structs

from common.db import Pool
from ingest.handlers import Ingest
from lumilio.backup import check, copying, make, manifest, proof, record, shelf, tools
from lumilio.backup.check import Wish
from lumilio.backup.make import Source
from lumilio.refusal import CannotStart
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, place_all, staged
from tests.support.rows import ask
from tests.support.stack import running
from tests.support.waiting import until


@pytest.fixture
async def photos(pool: Pool, repository: Repository, user: User, ingest: Ingest) -> None:
    """Three photos in their places, and a fourth that waits in staging."""
    for number in range(3):
        await staged(pool, repository, user, PHOTO + b"%d" % number, f"{number}.jpg")
    await place_all(pool, ingest)
    await staged(pool, repository, user, PHOTO + b"3", "3.jpg")


@pytest.fixture
async def backup(database_url: str, photos: None, tmp_path: Path) -> Path:
    """A backup of them."""
    return await make.make(Source(database_url), tmp_path / "backups", say=ignore)


def ignore(_: str) -> None:
    """Nobody listens."""


async def test_a_backup_lists_every_original_and_is_proven(backup: Path, repository: Repository, pool: Pool) -> None:
    """What is listed is each original with its hash, those that wait included, and the row says that all went well."""
    known = record.read(backup)
    listed = list(manifest.read(backup / record.ORIGINALS))

    found = {os.path.join(repository.root, one.relative): one.size for one in listed}
    assert found == {path: os.stat(path).st_size for path in found}
    assert (known.originals, len(listed), known.counts["public.assets"]) == (4, 4, 4)
    assert await ask(pool, "select state, originals from backups") == [("made", 4)]
    assert check.check(backup, Wish(deep=True, originals=True), say=ignore)


async def test_a_backup_of_one_moment_is_proven_while_uploads_go_on(
    pool: Pool, database_url: str, repository: Repository, user: User, photos: None, tmp_path: Path
) -> None:
    """Rows that come while it is made are not in it, and make it no less proven."""
    halt = asyncio.Event()

    async def send() -> int:
        number = 100
        while not halt.is_set():
            await staged(pool, repository, user, PHOTO + b"%d" % number, f"{number}.jpg")
            number += 1
        return number - 100

    sending = asyncio.create_task(send())
    backup = await make.make(Source(database_url), tmp_path / "backups", say=ignore)
    halt.set()

    assert await sending > 0
    assert record.read(backup).originals < 4 + await sending
    assert record.read(backup).counts["public.assets"] == record.read(backup).originals


@pytest.mark.parametrize("words", ["dumping the catalogue", "proving it by restoring it"])
async def test_a_backup_that_fails_leaves_nothing_that_looks_like_one(
    pool: Pool, database_url: str, photos: None, tmp_path: Path, words: str
) -> None:
    """Its row says why, its folder is gone, and so is the database that it was proven in."""

    def fail(line: str) -> None:
        if line == words:
            raise CannotStart("the disk is full")

    with pytest.raises(CannotStart):
        await make.make(Source(database_url), tmp_path / "backups", say=fail)

    assert list((tmp_path / "backups").iterdir()) == []
    assert await ask(pool, "select state, error from backups") == [("failed", "the disk is full")]
    assert (
        await ask(pool, "select datname from pg_database where datname = current_database() || '_backup_check'") == []
    )


@pytest.mark.parametrize("name", [record.DUMP, record.ORIGINALS])
async def test_a_killed_backup_is_none_and_the_next_one_cleans_up(
    pool: Pool, database_url: str, photos: None, tmp_path: Path, name: str
) -> None:
    """Whenever its process dies, no folder looks like a backup, and nothing of it is left after the next."""
    to = tmp_path / "backups"
    async with running("lumilio", "backup", "--to", str(to), LUMILIO_DATABASE_URL=database_url) as process:
        await until(lambda: any(to.glob(f"*.unfinished/{name}")), seconds=30)
        process.kill()
        await process.wait()
    killed = shelf.whole(to)
    await until_alone(pool)

    backup = await make.make(Source(database_url), to, say=ignore)

    assert killed == []
    assert list(to.iterdir()) == [backup]
    assert await ask(pool, "select state from backups order by backup_id") == ["failed", "made"]


async def until_alone(pool: Pool) -> None:
    """Wait until the server has noticed that the one who made a backup is gone."""

    async def is_alone() -> bool:
        return not await ask(pool, "select 1 from pg_locks where locktype = 'advisory'")

    await until(is_alone)


async def test_a_dump_that_lacks_rows_is_found_out(backup: Path, database_url: str) -> None:
    """The proof counts what was restored, table by table."""
    known = record.read(backup)
    counts = {**known.counts, "public.assets": known.counts["public.assets"] + 1}

    with pytest.raises(CannotStart, match=r"public.assets 4 instead of 5"):
        await proof.prove(tools.find(known.postgres), backup / record.DUMP, database_url=database_url, counts=counts)


def test_programs_that_are_too_old_are_told_in_words() -> None:
    """A dump by an older pg_dump than the server would fail, so nothing is begun."""
    with pytest.raises(CannotStart, match="install the client programs of Postgres 99"):
        tools.find(99)


@pytest.mark.parametrize("name", [record.DUMP, record.ORIGINALS])
async def test_a_damaged_backup_is_told(backup: Path, name: str) -> None:
    """One other byte in any file of it is found."""
    content = bytearray((backup / name).read_bytes())
    content[len(content) // 2] ^= 1
    (backup / name).write_bytes(content)
    said: list[str] = []

    assert not check.check(backup, Wish(), say=said.append)
    assert said == [f"WRONG {name} has other bytes than were written"]


async def test_originals_are_looked_for(backup: Path, repository: Repository) -> None:
    """A check tells one that is missing by its size, and one with other bytes by its hash."""
    inbox = sorted(Path(os.fsdecode(repository.root), "inbox").rglob("*.jpg"))
    inbox[0].unlink()
    inbox[1].chmod(0o600)
    inbox[1].write_bytes(PHOTO + b"?")
    quick, deep = list[str](), list[str]()

    assert not check.check(backup, Wish(originals=True), say=quick.append)
    assert not check.check(backup, Wish(originals=True, deep=True), say=deep.append)

    assert [line.split()[-1] for line in quick[1:]] == ["missing"]
    assert sorted(line.split()[-1] for line in deep[1:]) == ["bytes", "missing"]


async def test_only_new_originals_are_copied(
    pool: Pool, database_url: str, repository: Repository, ingest: Ingest, backup: Path, tmp_path: Path
) -> None:
    """The second run copies what came since; the copies are as good as the originals, with what tells of them."""
    to, said = tmp_path / "copies", list[str]()

    assert copying.copy(backup, to, say=said.append)
    await place_all(pool, ingest)
    backup = await make.make(Source(database_url), tmp_path / "backups", say=ignore)
    assert copying.copy(backup, to, say=said.append)

    assert [line.split()[0] for line in said] == ["3", "1"]
    assert check.check(backup, Wish(deep=True, copies=to), say=ignore)
    assert (to / str(repository.repository_id) / ".lumiliorepo").exists()
    assert list((to / str(repository.repository_id) / ".lumilio/manifests").iterdir())


async def test_a_good_copy_outlives_its_damaged_original(backup: Path, repository: Repository, tmp_path: Path) -> None:
    """Other bytes than the catalogue says are told and never copied."""
    to, said = tmp_path / "copies", list[str]()
    copying.copy(backup, to, say=ignore)
    original = next(Path(os.fsdecode(repository.root), "inbox").rglob("0.jpg"))
    original.chmod(0o600)
    original.write_bytes(b"rotten")
    copy = next(to.rglob("0.jpg"))
    os.utime(copy)  # as if it had been written by something else
    assert copying.copy(backup, to, say=ignore)
    assert copy.read_bytes() == PHOTO + b"0"
    copy.unlink()

    assert not copying.copy(backup, to, say=said.append)

    assert list(to.rglob("0.jpg*")) == []
    assert "other bytes than the catalogue says" in said[1]


async def test_the_copy_before_an_edit_stays(pool: Pool, backup: Path, repository: Repository, tmp_path: Path) -> None:
    """A copy that holds something else than its original does now is set aside under its hash."""
    to = tmp_path / "copies"
    copying.copy(backup, to, say=ignore)
    copy = next(to.rglob("0.jpg"))
    copy.write_bytes(b"before the edit")

    assert copying.copy(backup, to, say=ignore)

    assert copy.read_bytes() == PHOTO + b"0"
    assert [path.read_bytes() for path in copy.parent.glob("0.jpg.*")] == [b"before the edit"]


async def test_copies_do_not_lie_in_a_repository(backup: Path, repository: Repository) -> None:
    """There they would be taken for photos, and go when those are purged."""
    with pytest.raises(CannotStart, match="lies in the repository"):
        copying.copy(backup, Path(os.fsdecode(repository.root), "copies"), say=ignore)


async def test_a_name_may_be_as_long_as_the_disk_allows(backup: Path, repository: Repository, tmp_path: Path) -> None:
    """A copy needs no longer one while it is made."""
    name = "x" * 251 + ".jpg"
    Path(os.fsdecode(repository.root), name).write_bytes(PHOTO)
    original = structs.replace(next(manifest.read(backup / record.ORIGINALS)), path=name, size=len(PHOTO))
    run = copying.Copying({repository.repository_id: repository.root}, tmp_path)

    run.bring(structs.replace(original, hash=blake3(PHOTO).hexdigest()))

    assert (run.wrong, run.copied) == ([], 1)


async def test_what_cannot_be_copied_of_the_notes_keeps_nothing_else_back(
    backup: Path, repository: Repository, tmp_path: Path
) -> None:
    """It is told, and the manifests are there all the same."""
    kept, said = tmp_path / "copies" / str(repository.repository_id), list[str]()
    (kept / ".lumiliorepo" / "in the way").mkdir(parents=True)

    assert not copying.copy(backup, tmp_path / "copies", say=said.append)

    assert [line.split()[0] for line in said] == ["3", "NOT"]
    assert list((kept / ".lumilio/manifests").iterdir())
