"""The oracle and people's own folders: what is theirs to change is no alarm, what contradicts itself is."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lumilio import verify as oracle
from lumilio.verify import verify
from tests.support import placing
from tests.support.rows import do
from tests.support.scanning import Disk

PHOTO, OTHER = b"\xff\xd8\xff a photo", b"\xff\xd8\xff another"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moves in these tests, so the second look need not wait."""
    monkeypatch.setattr(oracle, "SECOND_LOOK_SECONDS", 0)


@pytest.fixture
async def path(disk: Disk) -> Path:
    """A photo of anna's in a folder of her own, beside another one."""
    disk.write("Family/b.jpg", OTHER)
    found = disk.write("Family/a.jpg", PHOTO)
    await disk.settle()
    return found


async def wrong(disk: Disk) -> set[str]:
    """The numbers of the invariants that do not hold."""
    said: list[str] = []
    await verify(disk.database_url, say=said.append)
    return {line.split()[1] for line in said if line.startswith("WRONG")}


def nothing(_: Path) -> None:
    pass


def edit(path: Path) -> None:
    path.write_bytes(OTHER + b"!")


def touch(path: Path) -> None:
    os.utime(path)


def take_away(path: Path) -> None:
    path.unlink()


def replace_by_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere")


def rename_the_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("Friends"))


def add(path: Path) -> None:
    path.with_name("c.jpg").write_bytes(PHOTO + b"c")
    path.with_name("notes.txt").write_bytes(b"notes")


@pytest.mark.parametrize(
    "deed", [nothing, edit, touch, take_away, replace_by_a_link, rename_the_folder, add], ids=lambda deed: deed.__name__
)
async def test_what_people_do_is_no_alarm(disk: Disk, path: Path, deed: Callable[[Path], None]) -> None:
    """Neither before a scan has seen it, nor after, nor while what it found waits to be read."""
    deed(path)

    before = await wrong(disk)
    await disk.scan()
    amid = await wrong(disk)
    await disk.settle()
    await disk.settle()

    assert (before, amid, await wrong(disk)) == (set(), set(), set())


async def test_what_people_took_is_told(disk: Disk, path: Path) -> None:
    """It is theirs to take; but whoever put a copy of a disk back wants to know what the copy lacked."""
    path.unlink()
    said: list[str] = []

    await verify(disk.database_url, say=said.append)
    await disk.settle()
    await verify(disk.database_url, say=said.append)

    assert [line.strip() for line in said if " (1 " in line] == [
        "(1 file of people's own folders cannot be found; the next scan looks, or asks)",
        "(1 asset hidden, for no file of them is left where they were)",
    ]


async def test_damage_that_no_scan_sees_is_an_alarm(disk: Disk, path: Path) -> None:
    """Other bytes with the same size, time and inode are nobody's edit; once it is known, it is one as well."""
    status = path.stat()
    path.write_bytes(PHOTO[:-1] + b"?")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    before = await wrong(disk)
    await do(disk.pool, "update file_records set scrubbed_at = null")
    await disk.scrub()

    assert before == {"I2"}
    assert await wrong(disk) == {"I2"}


async def test_an_upload_that_is_gone_is_an_alarm_also_when_a_scan_has_hidden_it(disk: Disk, path: Path) -> None:
    """Nobody takes what the server keeps; a scan that says so makes it no better."""
    await placing.placed(disk.pool, disk.repository, disk.owner, PHOTO + b"an upload")
    next((disk.root / "inbox").rglob("*.jpg")).unlink()

    await disk.settle()

    assert await wrong(disk) == {"I2"}


@pytest.mark.parametrize(
    "lie",
    [
        "update assets set missing_since = now()",
        "update file_records set content_hash = '\\x" + "00" * 32 + "'",
        "update file_records set state = 'missing', missing_since = now(), missed = 1",
        "update file_records set asset_id = null",
    ],
    ids=["hidden", "other content", "shown", "of no asset"],
)
async def test_what_does_not_fit_together_is_an_alarm(disk: Disk, path: Path, lie: str) -> None:
    """Rows that say of a file or an asset what others deny are told."""
    await do(disk.pool, lie)

    assert "I9" in await wrong(disk)
