"""Scans: what lies in people's own folders is in the catalogue, stays itself when it moves, and is never lost."""

import os

import pytest

from common import db
from syncer.area import Area
from syncer.queries import scanning
from tests.support import given, placing
from tests.support.rows import ask, do
from tests.support.scanning import Disk


def jpeg(number: int) -> bytes:
    """As much of a photo as a scan looks at."""
    return b"\xff\xd8\xff photo %d" % number


async def test_a_file_that_was_copied_in_becomes_an_asset(disk: Disk) -> None:
    """What a person puts into a folder of the repository is shown like an upload, and lies where it was put."""
    disk.write("Family/summer/a.jpg", jpeg(1))

    await disk.settle()

    assert await disk.assets() == ["a.jpg"]
    assert await disk.catalogue() == {b"Family/summer/a.jpg": "present"}
    assert (disk.root / "Family/summer/a.jpg").read_bytes() == jpeg(1)


async def test_nothing_is_news_twice(disk: Disk) -> None:
    """A second scan of an unchanged folder finds nothing, whatever the precision of its times."""
    disk.write("a.jpg", jpeg(1))
    await disk.settle()

    _, counts = await disk.scan()

    assert (counts.new, counts.changed, counts.moved, counts.gone) == (0, 0, 0, 0)
    assert counts.files == 1


async def test_a_moved_folder_keeps_its_assets(disk: Disk) -> None:
    """Renaming a folder changes paths and nothing else: no asset is new, none is gone, nothing is read again."""
    for number in range(3):
        disk.write(f"old/{number}.jpg", jpeg(number))
    await disk.settle()
    before = await ask(disk.pool, "select asset_id from assets order by asset_id")

    os.rename(disk.root / "old", disk.root / "new")
    _, counts = await disk.scan()

    assert counts.moved == 3
    assert await ask(disk.pool, "select asset_id from assets order by asset_id") == before
    assert set(await disk.catalogue()) == {b"new/0.jpg", b"new/1.jpg", b"new/2.jpg"}
    assert await ask(disk.pool, "select count(*) from file_records where read_after is not null") == [0]


async def test_a_moved_folder_is_heard_of_as_moved(disk: Disk) -> None:
    """A new folder that is named itself and is news in the folder around it as well is looked at once."""
    for number in range(3):
        disk.write(f"old/{number}.jpg", jpeg(number))
    await disk.settle()

    os.rename(disk.root / "old", disk.root / "new")
    _, counts = await disk.scan(Area(frozenset({b"new", b"old"}), frozenset({b""})))

    assert (counts.folders, counts.files, counts.moved, counts.new, counts.gone) == (2, 3, 3, 0, 0)


async def test_a_file_that_moved_to_another_disk_and_back_is_the_same(disk: Disk) -> None:
    """A copy with another inode instead of the old file is told by its bytes."""
    disk.write("old/a.jpg", jpeg(1))
    await disk.settle()
    before = await ask(disk.pool, "select asset_id from assets")

    (disk.root / "old/a.jpg").unlink()
    disk.write("new/b.jpg", jpeg(1), age=30)
    await disk.settle()

    assert await ask(disk.pool, "select asset_id from assets where missing_since is null") == before
    assert await disk.catalogue() == {b"new/b.jpg": "present"}


async def test_changed_content_keeps_the_asset(disk: Disk) -> None:
    """A picture that was edited with another program is the same asset with other bytes, to be rendered again."""
    disk.write("a.jpg", jpeg(1))
    await disk.settle()
    before = await ask(disk.pool, "select asset_id from assets")

    disk.write("a.jpg", jpeg(2), age=30)
    await disk.settle()

    assert await ask(disk.pool, "select asset_id from assets") == before
    assert await ask(disk.pool, "select size from assets") == [len(jpeg(2))]
    assert await ask(disk.pool, "select state from asset_stages where stage = 'render'") == ["pending"]


async def test_an_asset_without_a_file_is_hidden_and_comes_back_with_it(disk: Disk) -> None:
    """What vanished is hidden and kept; the same file there again needs no reading."""
    path = disk.write("a.jpg", jpeg(1))
    disk.write("b.jpg", jpeg(2))
    await disk.settle()

    os.rename(path, disk.root.parent / "elsewhere.jpg")
    await disk.settle()
    hidden = await disk.assets()
    os.rename(disk.root.parent / "elsewhere.jpg", path)
    _, counts = await disk.scan()

    assert hidden == ["b.jpg"]
    assert counts.returned == 1
    assert await disk.assets() == ["a.jpg", "b.jpg"]


async def test_two_files_with_one_content_are_one_asset(disk: Disk) -> None:
    """A copy is one more file of its asset, which stays while one of them does."""
    disk.write("a.jpg", jpeg(1))
    disk.write("copies/a.jpg", jpeg(1))
    await disk.settle()

    (disk.root / "a.jpg").unlink()
    await disk.settle()

    assert await disk.assets() == ["a.jpg"]
    assert await disk.catalogue() == {b"copies/a.jpg": "present"}


async def test_many_vanished_files_are_asked_about(disk: Disk) -> None:
    """When more is gone than people delete in one go, nothing is called missing until somebody says so."""
    for number in range(60):
        disk.write(f"all/{number}.jpg", jpeg(number))
    disk.write("rest.jpg", jpeg(99))
    await disk.settle()

    for path in (disk.root / "all").iterdir():
        path.unlink()
    state, _ = await disk.settle()
    kept = await disk.assets()
    allowed, _ = await disk.settle(allowed=60)

    assert (state, len(kept)) == ("asking", 61)
    assert allowed == "done"
    assert await disk.assets() == ["rest.jpg"]


async def test_what_is_no_media_is_remembered_and_not_shown(disk: Disk) -> None:
    """A text file is read once and then only looked at."""
    disk.write("notes.txt", b"hello")

    await disk.settle()

    assert await disk.catalogue() == {b"notes.txt": "other"}
    assert await disk.assets() == []


@pytest.mark.parametrize("name", [".hidden.jpg", "Thumbs.db", "a.tmp", ".lumilio-x/a.jpg", "@eaDir.part/a.jpg"])
async def test_ignored_names_are_passed_over_and_counted(disk: Disk, name: str) -> None:
    """Hidden files and those that fit a pattern are not looked at, nor what such folders hold."""
    disk.write(name, jpeg(1))

    _, counts = await disk.settle()

    assert await disk.catalogue() == {}
    assert counts.skipped == {"ignored names": 1}


async def test_what_is_placed_amid_a_scan_is_not_called_missing(disk: Disk) -> None:
    """An upload that gets its place behind the back of the walk is there, though the walk has not seen it."""
    disk.write("other.jpg", jpeg(2))
    await disk.settle()
    scan = await disk.begun()

    async with db.alone(disk.database_url) as conn:
        await scanning.prepare(conn)
        began = await scanning.find_now(conn)
        look = await scan._look(conn)
        await placing.placed(disk.pool, disk.repository, disk.owner, jpeg(1))
        await scan._apply(conn, look.tally, began)

    assert set((await disk.catalogue()).values()) == {"present"}
    assert len(await disk.assets()) == 2


async def test_a_file_of_a_far_future_is_taken_like_any_other(disk: Disk) -> None:
    """A date that no bigint of nanoseconds holds keeps neither this file nor the others out, and is no news twice."""
    disk.write("a.jpg", jpeg(1), age=-400 * 366 * 86400)

    await disk.scan()
    await disk.read()
    await disk.read()
    await disk.register()
    _, counts = await disk.scan()

    assert await disk.assets() == ["a.jpg"]
    assert counts.changed == 0


async def test_what_went_little_by_little_is_asked_about_as_well(disk: Disk) -> None:
    """Scans of folders that find them empty, one by one, are not the word of a person that all of it may go."""
    for number in range(3):
        disk.write(f"{number}/a.jpg", jpeg(number))
    await disk.settle()
    for number in range(3):
        os.unlink(disk.root / f"{number}/a.jpg")
        assert (await disk.scan(Area(frozenset({b"%d" % number}))))[0] == "done"

    state, counts = await disk.scan()

    assert (state, counts.examples) == ("asking", ["0/a.jpg", "1/a.jpg", "2/a.jpg"])
    assert await disk.assets() == ["a.jpg", "a.jpg", "a.jpg"]
    assert (await disk.scan(allowed=3))[0] == "done"
    assert await disk.assets() == []
    assert (await disk.scan())[0] == "done"


async def test_only_photos_in_the_inbox_are_told_as_strays(disk: Disk) -> None:
    """Sidecars there are written by the server itself, beside the photos that they tell of."""
    await placing.placed(disk.pool, disk.repository, disk.owner, jpeg(1), "mine.jpg")
    mine = next((disk.root / "inbox").rglob("mine.jpg"))
    mine.with_name("mine.jpg.xmp").write_text("what was said of it")
    mine.with_name("copied.jpg").write_bytes(jpeg(2))

    _, counts = await disk.scan()

    assert counts.strays == 1


async def test_a_file_is_not_given_to_somebody_else_who_lost_one_like_it(disk: Disk) -> None:
    """Whose folder it lies in decides, although another person's missing upload had the same bytes."""
    bob = await given.new_user(disk.pool, "bob", "-", password_hash="-")
    disk.write("other.jpg", jpeg(2))
    await placing.placed(disk.pool, disk.repository, bob, jpeg(1), "bobs.jpg")
    await disk.settle()
    next((disk.root / "inbox").rglob("bobs.jpg")).unlink()
    await disk.settle()

    disk.write("mine.jpg", jpeg(1))
    await disk.settle()

    owners = "select original_filename, owner_id from assets where missing_since is null order by original_filename"
    assert await ask(disk.pool, owners) == [("mine.jpg", disk.owner.user_id), ("other.jpg", disk.owner.user_id)]


async def test_a_change_is_announced_to_whose_asset_it_is(disk: Disk) -> None:
    """Not to whoever the folder was given to after it was found."""
    photo = disk.write("mine.jpg", jpeg(1))
    await disk.settle()
    bob = await given.new_user(disk.pool, "bob", "-", password_hash="-")
    await do(disk.pool, f"update repositories set owner_id = {bob.user_id}")

    photo.write_bytes(jpeg(2))
    await disk.settle()

    told = "select (body ->> 'owner_id')::int from outbox where subject = 'lumilio.file.changed'"
    assert await ask(disk.pool, told) == [disk.owner.user_id]
