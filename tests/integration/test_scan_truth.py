"""What is shown has a file, and what has a file is shown, in whatever order things become known."""

import os

from common import trash
from syncer.area import Area
from tests.support.rows import ask, do
from tests.support.scanning import Disk


def jpeg(number: int) -> bytes:
    """As much of a photo as a scan looks at."""
    return b"\xff\xd8\xff photo %d" % number


async def test_an_asset_whose_only_file_became_another_asset_is_hidden(disk: Disk) -> None:
    """A file that gets the content of another asset leaves nothing to show of its own, until its bytes come back."""
    disk.write("a.jpg", jpeg(1))
    disk.write("b.jpg", jpeg(2))
    await disk.settle()

    disk.write("a.jpg", jpeg(2), age=30)
    await disk.settle()
    hidden = await disk.assets()
    disk.write("c.jpg", jpeg(1), age=20)
    await disk.settle()

    assert hidden == ["b.jpg"]
    assert await disk.assets() == ["a.jpg", "b.jpg"]


async def test_what_is_in_the_trash_and_lost_its_file_is_not_shown_when_taken_back(disk: Disk) -> None:
    """A file that was edited while its asset was in the trash is an asset of its own; the old one has no file."""
    disk.write("a.jpg", jpeg(1))
    await disk.settle()
    (asset,) = await ask(disk.pool, "select asset_id from assets")
    async with disk.pool.connection() as conn:
        await trash.put(conn, asset, owner=disk.owner.user_id)

    disk.write("a.jpg", jpeg(2), age=30)
    await disk.settle()
    async with disk.pool.connection() as conn:
        await trash.take_back(conn, asset, owner=disk.owner.user_id)

    assert await ask(disk.pool, "select size from assets where missing_since is null") == [len(jpeg(2))]
    assert await ask(disk.pool, "select missing_since is null from assets order by asset_id") == [False, True]


async def test_a_picture_that_became_a_text_and_left_is_no_picture_where_it_turns_up(disk: Disk) -> None:
    """What is known to be nothing we take stays that, wherever it moves, and shows no asset."""
    path = disk.write("a.jpg", jpeg(1))
    disk.write("b.jpg", jpeg(2))
    await disk.settle()
    disk.write("a.jpg", b"hello", age=30)
    await disk.settle()
    elsewhere = disk.root.parent / "elsewhere.jpg"

    os.rename(path, elsewhere)
    await disk.settle()
    os.rename(elsewhere, disk.root / "c.jpg")
    await disk.settle()

    assert await disk.catalogue() == {b"b.jpg": "present", b"c.jpg": "other"}
    assert await disk.assets() == ["b.jpg"]


async def test_a_text_that_was_a_picture_shows_nothing_by_moving(disk: Disk) -> None:
    """Not even for the moment in which only its folder is scanned."""
    path = disk.write("sub/a.jpg", jpeg(1))
    await disk.settle()
    disk.write("sub/a.jpg", b"hello", age=30)
    await disk.settle()
    await disk.settle()
    hidden = await disk.assets()

    os.rename(path, path.with_name("c.jpg"))
    await disk.scan(Area(frozenset({b"sub"})))

    assert hidden == []
    assert await disk.assets() == []


async def test_a_number_that_was_used_again_is_no_move(disk: Disk) -> None:
    """Disks give the number of a removed file to the next one: that is another file, by its size and time."""
    disk.write("a.jpg", jpeg(1))
    disk.write("rest.jpg", jpeg(3))
    await disk.settle()

    (disk.root / "a.jpg").unlink()
    new = disk.write("b.jpg", jpeg(1000), age=30)
    await do(disk.pool, f"update file_records set inode = {new.stat().st_ino} where path = 'a.jpg'")
    _, counts = await disk.settle()

    assert counts.moved == 0
    assert await disk.assets() == ["b.jpg", "rest.jpg"]


async def test_two_files_of_an_asset_that_change_at_once_are_two_assets_at_once(disk: Disk) -> None:
    """The asset goes with one of them, and no line of the manifest says otherwise."""
    disk.write("a.jpg", jpeg(1))
    disk.write("b.jpg", jpeg(1))
    await disk.settle()
    before = await ask(disk.pool, "select asset_id from assets")

    disk.write("a.jpg", jpeg(2), age=30)
    disk.write("b.jpg", jpeg(3), age=30)
    await disk.settle()

    assert set(before) < set(await ask(disk.pool, "select asset_id from assets where missing_since is null"))
    assert await ask(disk.pool, LINKED) == [2]


LINKED = """
    select count(distinct asset_id)
    from file_records
    join assets using (asset_id)
    where file_records.content_hash = assets.content_hash and state = 'present'
"""
