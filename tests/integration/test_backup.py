import asyncio
from functools import partial
from pathlib import Path

import pytest

from common import db
from common.db import Pool
from ingest.handlers import Ingest
from lumilio.backup import check, make, manifest, proof, record, room, shelf, tools
from lumilio.backup.check import Wish
from lumilio.backup.make import Source
from lumilio.refusal import CannotStart
from tests.support import volumes
from tests.support.backups import Kept, ignore
from tests.support.given import Repository, User
from tests.support.placing import PHOTO, place_all, staged
from tests.support.rows import ask
from tests.support.stack import running
from tests.support.waiting import until

SCRATCH = "select datname from pg_database where datname = current_database() || '_backup_check'"


@pytest.fixture
async def photos(pool: Pool, repository: Repository, user: User, ingest: Ingest) -> None:
    """A photo in its place, and another that waits in staging."""
    await staged(pool, repository, user, PHOTO + b"0", "0.jpg")
    await place_all(pool, ingest)
    await staged(pool, repository, user, PHOTO + b"1", "1.jpg")


async def test_a_backup_lists_every_original_and_is_proven(shelved: Kept) -> None:
    """What is listed is each original with its hash, those that wait included, and the row says that all went well."""
    known = record.read(shelved.folder)
    listed = list(manifest.read(shelved.folder / record.ORIGINALS))

    root = known.repositories[0].place
    assert {one.size for one in listed} == {len(PHOTO) + 1}
    assert all(Path(root.decode(), one.relative.decode()).stat().st_size == one.size for one in listed)
    assert (known.originals, len(listed), known.counts["public.assets"]) == (3, 3, 3)
    async with db.open_pool(shelved.database_url) as pool:
        assert await ask(pool, "select state, originals from backups") == [("made", 3)]
    assert check.check(shelved.folder, Wish(deep=True, originals=True), say=ignore)


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
    assert record.read(backup).originals < 2 + await sending
    assert record.read(backup).counts["public.assets"] == record.read(backup).originals


async def test_of_two_backups_at_once_one_is_made(pool: Pool, database_url: str, photos: None, tmp_path: Path) -> None:
    """The other is told so, as by a timer on two machines, and leaves no row of a failure and no folder."""
    both = (make.make(Source(database_url), tmp_path / name, say=ignore) for name in ("one", "two"))
    ended = await asyncio.gather(*both, return_exceptions=True)
    made, refused = sorted(ended, key=lambda one: isinstance(one, CannotStart))

    assert isinstance(made, Path)
    assert isinstance(refused, CannotStart)
    assert str(refused) == "another backup of this database is going on: wait for its end"
    assert await ask(pool, "select state from backups") == ["made"]
    assert list(tmp_path.glob("*/????-??-??T*")) == [made]


@pytest.mark.parametrize("words", ["dumping the catalogue", "proving it by restoring it"])
async def test_a_backup_that_fails_leaves_nothing_that_looks_like_one(
    pool: Pool, database_url: str, photos: None, tmp_path: Path, words: str
) -> None:
    """Its row says why, its folder is gone, and so is the database that it was proven in."""

    def fail(line: str) -> None:
        if line == words:
            raise CannotStart("the dog has eaten it")

    with pytest.raises(CannotStart):
        await make.make(Source(database_url), tmp_path / "backups", say=fail)

    assert list((tmp_path / "backups").iterdir()) == []
    assert await ask(pool, "select state, error from backups") == [("failed", "the dog has eaten it")]
    assert await ask(pool, SCRATCH) == []


@pytest.mark.parametrize("words", ["dumping the catalogue", "proving it by restoring it"])
async def test_a_disk_that_fills_is_told_and_leaves_no_half_of_a_backup(
    pool: Pool, database_url: str, photos: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    """Its row says so as well, and the database goes on as if nothing had been."""
    monkeypatch.setattr(room, "SPARE", 0)
    with volumes.mounted(tmp_path / "small", megabytes=64) as disk:
        with pytest.raises(CannotStart, match=r"the disk of .*small is full|No space left on device"):
            await make.make(Source(database_url), disk.path, say=lambda line: disk.fill() if line == words else None)

        assert [path.name for path in disk.path.iterdir()] == ["filling"]
    assert await ask(pool, "select state, error <> '' from backups") == [("failed", True)]
    assert await ask(pool, SCRATCH) == []


async def test_a_backup_for_which_there_is_no_room_is_not_begun(
    database_url: str, photos: None, tmp_path: Path
) -> None:
    """Whoever reads the line knows how much is lacking, and where."""
    with volumes.mounted(tmp_path / "small", megabytes=8) as disk:
        with pytest.raises(CannotStart, match=r"the backup may need \d+ MB in .*small, where \d MB are free"):
            await make.make(Source(database_url), disk.path, say=ignore)

        assert list(disk.path.iterdir()) == []


async def test_a_killed_backup_is_none_and_the_next_one_cleans_up(
    pool: Pool, database_url: str, photos: None, tmp_path: Path
) -> None:
    """Whenever its process dies, no folder looks like a backup, and nothing of it is left after the next."""
    to = tmp_path / "backups"
    for name in (record.DUMP, record.ORIGINALS):
        async with running("lumilio", "backup", "--to", str(to), LUMILIO_DATABASE_URL=database_url) as process:
            await until(partial(is_begun, to, name), seconds=60)
            process.kill()
            await process.wait()
        assert shelf.whole(to) == []
        await until_alone(pool)

    backup = await make.make(Source(database_url), to, say=ignore)

    assert list(to.iterdir()) == [backup]
    assert await ask(pool, "select state from backups order by backup_id") == ["failed", "failed", "made"]


def is_begun(to: Path, name: str) -> bool:
    """Whether a file of a backup that is being made is there."""
    return any(to.glob(f"*.unfinished/{name}"))


async def until_alone(pool: Pool) -> None:
    """Wait until the server has noticed that the one who made a backup is gone."""

    async def is_alone() -> bool:
        return not await ask(pool, "select 1 from pg_locks where locktype = 'advisory'")

    await until(is_alone, seconds=60)


async def test_a_dump_that_lacks_rows_is_found_out(kept: Kept) -> None:
    """The proof counts what was restored, table by table."""
    known, dump = record.read(kept.folder), kept.folder / record.DUMP
    counts = {**known.counts, "public.assets": known.counts["public.assets"] + 1}

    with pytest.raises(CannotStart, match=r"public.assets 3 instead of 4"):
        await proof.prove(tools.find(known.postgres), dump, database_url=kept.database_url, counts=counts)


def test_programs_that_are_too_old_are_told_in_words() -> None:
    """A dump by an older pg_dump than the server would fail, so nothing is begun."""
    with pytest.raises(CannotStart, match="install the client programs of Postgres 99"):
        tools.find(99)


@pytest.mark.parametrize("name", [record.DUMP, record.ORIGINALS])
def test_a_damaged_backup_is_told(kept: Kept, name: str) -> None:
    """One other byte in any file of it is found."""
    content = bytearray((kept.folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (kept.folder / name).write_bytes(content)
    said: list[str] = []

    assert not check.check(kept.folder, Wish(), say=said.append)
    assert said == [f"WRONG {name} has other bytes than were written"]


def test_a_backup_that_makes_no_sense_hides_no_other(kept: Kept, tmp_path: Path) -> None:
    """It is told, and those beside it are listed as ever."""
    for name in ("2026-01-01T03-00-00Z", "2026-01-02T03-00-00Z"):
        (tmp_path / "shelf" / name).mkdir(parents=True)
        record.write(tmp_path / "shelf" / name, record.read(kept.folder))
    (tmp_path / "shelf" / name / record.RECORD).write_bytes(b"half of")
    said: list[str] = []

    found = shelf.whole(tmp_path / "shelf", say=said.append)

    assert [path.name for path, _ in found] == ["2026-01-01T03-00-00Z"]
    assert [name in line for line in said] == [True]


def test_a_folder_of_backups_is_told_from_a_backup(kept: Kept) -> None:
    """Whoever names the folder that they lie in is told how to see them."""
    with pytest.raises(CannotStart, match=f"holds backups: .* backup list --to {kept.folder.parent}`"):
        check.check(kept.folder.parent, Wish(), say=ignore)


def test_originals_are_looked_for(kept: Kept) -> None:
    """A check tells one that is missing by its size, and one with other bytes by its hash."""
    inbox = sorted(kept.inbox.rglob("*.jpg"))
    inbox[0].unlink()
    inbox[1].chmod(0o600)
    inbox[1].write_bytes(PHOTO + b"?")
    quick, deep = list[str](), list[str]()

    assert not check.check(kept.folder, Wish(originals=True), say=quick.append)
    assert not check.check(kept.folder, Wish(originals=True, deep=True), say=deep.append)

    assert [line.split()[-1] for line in quick[1:]] == ["missing"]
    assert sorted(line.split()[-1] for line in deep[1:]) == ["bytes", "missing"]


def test_an_upload_that_waited_for_its_place_and_has_it_is_not_missed(kept: Kept) -> None:
    """The list has it where it lay at the backup, and by now it lies elsewhere."""
    (staged_file,) = kept.inbox.parent.joinpath(".lumilio/staging/incoming").iterdir()
    staged_file.unlink()

    assert check.check(kept.folder, Wish(deep=True, originals=True), say=ignore)
