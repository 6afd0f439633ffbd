"""Scrubbing: what a disk changes by itself is told and never repaired over, and nothing else is called corrupt."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from common import files
from common.files import Offline
from tests.support import placing
from tests.support.rows import ask, do
from tests.support.scanning import Disk
from tests.support.tending import tended
from tests.support.waiting import until


def jpeg(number: int, length: int = 3000) -> bytes:
    """As much of a photo as a scan looks at."""
    return (b"\xff\xd8\xff photo %d " % number).ljust(length, b"*")


def in_place(path: Path, content: bytes) -> None:
    """As a disk changes bytes: nothing else of the file tells."""
    status = path.stat()
    path.chmod(0o640)
    with path.open("r+b") as file:
        file.truncate(len(content))
        file.write(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def flip(path: Path) -> None:
    """One bit."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    in_place(path, bytes(content))


def cut(path: Path) -> None:
    """The second half is not there."""
    in_place(path, path.read_bytes()[: path.stat().st_size // 2])


def zero(path: Path) -> None:
    """Nothing but zeroes, of the same length."""
    in_place(path, bytes(path.stat().st_size))


async def placed(disk: Disk, number: int) -> Path:
    """An upload in its place."""
    before = set((disk.root / "inbox").rglob("*"))
    await placing.placed(disk.pool, disk.repository, disk.owner, jpeg(number))
    return next(path for path in set((disk.root / "inbox").rglob("*")) - before if path.is_file())


async def corrupt(disk: Disk) -> set[str]:
    """The names of files that are said to be corrupt."""
    return {os.path.basename(path).decode() for path, state in (await disk.catalogue()).items() if state == "corrupt"}


async def told(disk: Disk) -> list[str]:
    """The paths in the events that tell of corrupt files."""
    return await ask(
        disk.pool, "select body ->> 'path' from outbox where subject = 'lumilio.file.corrupted' order by 1"
    )


async def later(disk: Disk, days: float) -> None:
    """As if some days had passed."""
    await do(
        disk.pool,
        f"""
        update file_records
        set scrubbed_at = scrubbed_at - interval '{days} days', verified_at = verified_at - interval '{days} days'
        """,
    )


async def test_all_damage_is_found_in_one_pass_and_nothing_else(disk: Disk) -> None:
    """Ten of two hundred uploads were damaged, in three ways that leave times as they were: ten are corrupt."""
    paths = [await placed(disk, number) for number in range(200)]
    await disk.scrub()
    before = await corrupt(disk)
    damaged = dict(zip(paths[::20], [flip, cut, zero] * 4, strict=False))
    for path, damage in damaged.items():
        damage(path)

    await later(disk, 29)
    await disk.scrub()

    assert before == set()
    assert await corrupt(disk) == {path.name for path in damaged}
    assert len(await told(disk)) == 10


@pytest.mark.parametrize("damage", [flip, zero])
async def test_a_file_of_a_person_that_nobody_wrote_is_corrupt(disk: Disk, damage: Callable[[Path], None]) -> None:
    """Other bytes with the same size, time and inode are no edit; the asset keeps its hash, the file its bytes."""
    path = disk.write("Family/a.jpg", jpeg(1))
    await disk.settle()
    damage(path)
    damaged = path.read_bytes()

    await later(disk, 29)
    await disk.scrub()
    await disk.settle()

    assert await disk.catalogue() == {b"Family/a.jpg": "corrupt"}
    assert await told(disk) == ["Family/a.jpg"]
    assert await disk.assets() == ["a.jpg"]
    assert path.read_bytes() == damaged


async def test_an_edit_in_a_persons_folder_is_no_damage(disk: Disk) -> None:
    """A file whose time changed is read anew and is its asset's new content."""
    disk.write("a.jpg", jpeg(1))
    await disk.settle()
    disk.write("a.jpg", jpeg(2), age=30)

    await later(disk, 29)
    await disk.scrub()
    await disk.read()
    await disk.register()

    assert await disk.catalogue() == {b"a.jpg": "present"}
    assert await told(disk) == []
    assert len(await disk.assets()) == 1


@pytest.mark.parametrize("damage", [flip, cut, zero])
async def test_other_bytes_in_the_inbox_are_never_an_edit(disk: Disk, damage: Callable[[Path], None]) -> None:
    """Whatever time the file says, a scan calls it corrupt, and its asset is not renewed from it."""
    path = await placed(disk, 1)
    before = await ask(disk.pool, "select asset_id, content_hash from assets")
    damage(path)
    os.utime(path)

    for _ in range(2):
        await disk.settle()

    assert await corrupt(disk) == {path.name}
    assert len(await told(disk)) == 1
    assert await ask(disk.pool, "select asset_id, content_hash from assets") == before


async def test_a_touched_file_in_the_inbox_is_present(disk: Disk) -> None:
    """The time alone says nothing of the bytes."""
    path = await placed(disk, 1)
    os.utime(path)

    await disk.scrub()

    assert list((await disk.catalogue()).values()) == ["present"]
    assert await ask(disk.pool, "select modified_ns from file_records") == [path.stat().st_mtime_ns]


async def test_a_file_in_the_inbox_that_is_no_upload_is_not_adopted(disk: Disk) -> None:
    """Even one that has a record, of an asset that is gone."""
    path = await placed(disk, 1)
    await do(disk.pool, "update file_records set asset_id = null")
    await do(disk.pool, "delete from uploads")
    await do(disk.pool, "delete from assets")
    os.utime(path)

    await disk.settle()

    assert list((await disk.catalogue()).values()) == ["other"]
    assert await disk.assets() == []


async def test_an_asset_is_never_renewed_from_the_inbox(disk: Disk) -> None:
    """When an upload's file comes back whose asset was edited elsewhere meanwhile, it is an asset of its own."""
    upload = await placed(disk, 1)
    copy = disk.write("a.jpg", jpeg(1))
    await disk.settle()
    os.rename(upload, disk.root.parent / "away.jpg")
    await disk.settle()
    disk.write("a.jpg", jpeg(2), age=30)
    await disk.settle()
    renewed = await ask(disk.pool, "select asset_id from assets")

    copy.unlink()
    os.rename(disk.root.parent / "away.jpg", upload)
    for _ in range(2):
        await disk.settle()

    assert len(renewed) == 1
    assert await ask(disk.pool, "select size, missing_since is null from assets order by asset_id") == [
        (3000, False),
        (3000, True),
    ]


async def test_what_was_repaired_is_present_again(disk: Disk) -> None:
    """A person who puts the right bytes back, or a disk that does, is believed a day later, and by a scan at once."""
    first, second = await placed(disk, 1), await placed(disk, 2)
    for path in (first, second):
        flip(path)
    await disk.scrub()
    before = await corrupt(disk)

    flip(first)
    in_place(second, jpeg(2))
    os.utime(second)
    await disk.settle()
    by_scan = await corrupt(disk)
    await later(disk, 1.1)
    await disk.scrub()

    assert before == {first.name, second.name}
    assert by_scan == {first.name}
    assert await corrupt(disk) == set()


async def test_the_same_upload_again_stands_beside_the_damage(disk: Disk) -> None:
    """The bytes sent once more get a place of their own; what is corrupt stays for people to look at."""
    path = await placed(disk, 1)
    flip(path)
    damaged = path.read_bytes()
    await disk.scrub()

    await placing.placed(disk.pool, disk.repository, disk.owner, jpeg(1))

    assert sorted((await disk.catalogue()).values()) == ["corrupt", "present"]
    assert path.read_bytes() == damaged


async def test_what_returns_damaged_is_not_believed_for_long(disk: Disk) -> None:
    """A corrupt file that was away for a while is compared as soon as it is back."""
    path = disk.write("a.jpg", jpeg(1))
    disk.write("b.jpg", jpeg(2))
    await disk.settle()
    flip(path)
    await later(disk, 29)
    await disk.scrub()

    os.rename(path, disk.root.parent / "away.jpg")
    await disk.settle()
    os.rename(disk.root.parent / "away.jpg", path)
    await disk.settle()
    await disk.scrub()

    assert await disk.catalogue() == {b"a.jpg": "corrupt", b"b.jpg": "present"}


async def test_a_file_that_is_gone_is_left_to_a_scan(disk: Disk) -> None:
    """Where it was, is looked at; that it is gone is not for us to say."""
    path = disk.write("Family/a.jpg", jpeg(1))
    await disk.settle()
    path.unlink()

    await later(disk, 29)
    dirty = await disk.scrub()

    assert dirty == [b"Family"]
    assert await disk.catalogue() == {b"Family/a.jpg": "present"}


async def test_each_is_compared_once_and_again_in_time(disk: Disk) -> None:
    """What was read a moment ago need not be read; nothing waits longer than it may."""
    disk.write("a.jpg", jpeg(1))
    await disk.settle()
    before = await ask(disk.pool, "select scrubbed_at from file_records")

    await disk.scrub()
    young = await ask(disk.pool, "select scrubbed_at from file_records")
    await later(disk, 21)
    await disk.scrub()

    assert young == before
    assert await ask(disk.pool, "select scrubbed_at > now() - interval '1 minute' from file_records") == [True]


async def test_a_bad_sector_is_one_file(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read is corrupt while its disk takes others."""
    bad, _ = await placed(disk, 1), await placed(disk, 2)
    break_reading(monkeypatch, bad)

    await disk.scrub()

    assert await corrupt(disk) == {bad.name}
    assert await ask(disk.pool, "select trouble from file_records where state = 'corrupt'") == ["Input/output error"]


async def test_a_disk_that_fails_is_an_outage(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be read or written, nothing is called corrupt."""
    for number in range(3):
        await placed(disk, number)
    break_reading(monkeypatch, *(disk.root / "inbox").rglob("*.jpg"))
    monkeypatch.setattr("common.folders.probe", _broken)

    with pytest.raises(Offline):
        await disk.scrub()

    assert await corrupt(disk) == set()


async def test_without_the_repository_nothing_is_said(disk: Disk) -> None:
    """An empty folder in the place of a disk is an outage."""
    await placed(disk, 1)
    os.rename(disk.root, disk.root.with_name("unmounted"))
    disk.root.mkdir()

    with pytest.raises(Offline):
        await disk.scrub()

    assert list((await disk.catalogue()).values()) == ["present"]


async def test_new_files_are_read_first(disk: Disk) -> None:
    """While files wait to be read for the first time, comparing waits."""
    disk.write("a.jpg", jpeg(1))
    await disk.settle()
    await placed(disk, 2)
    disk.write("b.jpg", jpeg(3))
    await disk.scan()
    await do(disk.pool, "update file_records set read_after = now() where read_after is not null")

    await disk.scrub()

    assert await ask(disk.pool, "select count(*) from file_records where scrubbed_at is null") == [2]


async def test_whoever_tends_a_repository_compares_its_files(disk: Disk) -> None:
    """It goes on beside scans and reading, by itself."""
    path = await placed(disk, 1)
    flip(path)

    async with tended(disk):
        await until(lambda: corrupt(disk), what="the damage")

    assert await corrupt(disk) == {path.name}


def break_reading(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> None:
    """Let reading some files fail as bad sectors do."""
    bad, hash_open = {path.stat().st_ino for path in paths}, files.hash_open

    def failing(descriptor: int) -> bytes:
        if os.fstat(descriptor).st_ino in bad:
            _broken()
        return hash_open(descriptor)

    monkeypatch.setattr(files, "hash_open", failing)


def _broken(*_: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))
