"""Disks as people have them: names of any bytes, links, pipes, mounts, and paths that no index holds."""

import errno
import json
import os
import stat
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from common import layout
from common.names import shown
from syncer import ignoring
from syncer.area import area
from tests.support.odd import NAMES, covered, deep
from tests.support.rows import ask
from tests.support.scanning import Disk

JPEG = b"\xff\xd8\xff photo"
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root may")


async def test_any_name_is_taken_without_loss(disk: Disk) -> None:
    """Every name that a disk holds is a file of its own, in the rows, the events and the manifests."""
    paths = {b"Odd/" + name for name in NAMES}
    for number, path in enumerate(sorted(paths)):
        disk.write(path, JPEG + b"%d" % number)

    state, counts = await disk.settle()
    again = await disk.scan()

    assert (state, counts.files, counts.skipped) == ("done", len(paths), {})
    assert await disk.catalogue() == dict.fromkeys(paths, "present")
    assert (again[1].new, again[1].changed, again[1].gone) == (0, 0, 0)
    told = await ask(disk.pool, "select body ->> 'path' from outbox where subject = 'lumilio.file.discovered'")
    assert {unquote_to_bytes(path) for path in told} == paths
    assert written(disk) == paths
    assert not await ask(disk.pool, f"select body from outbox where strpos(body::text, '{disk.root}') > 0")


def written(disk: Disk) -> set[bytes]:
    """The paths in the manifests of a repository."""
    manifests = (disk.root / layout.MANIFESTS.decode()).iterdir()
    lines = [line for manifest in manifests for line in manifest.read_bytes().splitlines() if line]
    return {unquote_to_bytes(json.loads(line)["path"]) for line in lines}


async def test_twins_are_two(disk: Disk) -> None:
    """Names that look alike are not taken for one another, whatever is renamed to what."""
    for number, name in enumerate(("e\u0301.jpg", "\u00e9.jpg", "A.jpg", "a.jpg")):
        disk.write(name, JPEG + b"%d" % number)
    await disk.settle()
    before = await ask(disk.pool, "select asset_id from assets order by asset_id")

    for old, new in (("e\u0301.jpg", "E.jpg"), ("\u00e9.jpg", "e\u0301.jpg"), ("A.jpg", "B.jpg"), ("a.jpg", "A.jpg")):
        os.rename(disk.root / old, disk.root / new)
    await disk.settle()

    assert await ask(disk.pool, "select asset_id from assets where missing_since is null order by asset_id") == before
    assert {path for path, state in (await disk.catalogue()).items() if state == "present"} == {
        b"E.jpg",
        "e\u0301.jpg".encode(),
        b"B.jpg",
        b"A.jpg",
    }


async def test_names_of_ours_in_folders_of_people_are_theirs(disk: Disk) -> None:
    """An inbox in a folder is a folder; what is hidden there is passed over as everywhere."""
    for path in (
        "a/inbox/1.jpg",
        "a/staging/2.jpg",
        "a/.lumilio/3.jpg",
        "a/.lumiliorepo",
        "a/.trash/4.jpg",
        "a/5.part",
    ):
        disk.write(path, JPEG + path.encode())

    _, counts = await disk.settle()

    assert set(await disk.catalogue()) == {b"a/inbox/1.jpg", b"a/staging/2.jpg"}
    assert counts.skipped == {"ignored names": 4}


async def test_a_path_is_taken_as_long_as_an_index_holds_it(disk: Disk) -> None:
    """What is deeper is passed over and counted, and the scan is whole: what is gone is called missing."""
    longest, too_long = deep(disk.root, length=2500, content=JPEG), deep(disk.root, length=2501, content=JPEG)
    deep(disk.root, length=6000, content=JPEG)
    disk.write("a.jpg", JPEG + b"a")
    state, counts = await disk.settle()

    (disk.root / "a.jpg").unlink()
    later, _ = await disk.settle()

    assert (len(longest), len(too_long), state, later) == (2500, 2501, "done", "done")
    assert await disk.catalogue() == {longest: "present", b"a.jpg": "missing"}
    assert counts.skipped == {"paths that are too long": 2}


async def test_what_is_no_file_is_counted_and_left(disk: Disk, tmp_path: Path) -> None:
    """Links, pipes, sockets and devices are passed over; a scan neither follows nor opens them."""
    disk.write("a.jpg", JPEG)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/x.jpg").write_bytes(JPEG + b"x")
    folder = disk.root / "odd"
    (folder / "photo.jpg").mkdir(parents=True)
    for name, target in (("file", disk.root / "a.jpg"), ("folder", tmp_path / "elsewhere"), ("loop", folder)):
        (folder / f"{name}.jpg").symlink_to(target)
    (folder / "shadow.jpg").symlink_to("/etc/shadow")
    (folder / "nowhere.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(folder / "pipe.jpg")
    os.mknod(folder / "socket.jpg", stat.S_IFSOCK | 0o600)

    state, counts = await disk.settle()

    assert (state, counts.skipped) == ("done", {"links": 5, "devices, pipes and sockets": 2})
    assert await disk.catalogue() == {b"a.jpg": "present"}


async def test_hard_links_are_files_and_counted(disk: Disk, tmp_path: Path) -> None:
    """Two names of one file are one asset with two files; a name elsewhere makes no difference but is said."""
    (tmp_path / "outside.jpg").write_bytes(JPEG + b"outside")
    os.link(disk.write("a.jpg", JPEG), disk.root / "b.jpg")
    os.link(tmp_path / "outside.jpg", disk.root / "c.jpg")

    _, counts = await disk.settle()

    assert counts.linked == 3
    assert set((await disk.catalogue()).values()) == {"present"}
    assert await ask(disk.pool, "select count(*) from assets") == [2]


@ROOT_ONLY
async def test_a_folder_that_may_not_be_listed_keeps_its_files(disk: Disk) -> None:
    """What cannot be seen is not gone, is said without where the repository lies, and the rest is taken."""
    disk.write("closed/a.jpg", JPEG)
    await disk.settle()
    disk.write("b.jpg", JPEG + b"b")
    (disk.root / "closed").chmod(0o600)
    for above in (disk.root, *list(disk.root.parents)[:-2]):
        above.chmod(above.stat().st_mode | 0o055)
    for folder in layout.FOLDERS:
        os.chmod(os.path.join(disk.repository.root, folder), 0o777)

    os.seteuid(65534)
    try:
        state, counts = await disk.scan()
    finally:
        os.seteuid(0)

    assert (state, counts.new, counts.gone) == ("partial", 1, 0)
    assert counts.troubles == [f"closed: {os.strerror(errno.EACCES)}"]
    assert (await disk.catalogue())[b"closed/a.jpg"] == "present"


@ROOT_ONLY
@pytest.mark.parametrize("how", [("-t", "tmpfs", "x"), ("--bind", "/etc")])
async def test_what_is_mounted_below_is_of_others(disk: Disk, how: tuple[str, ...]) -> None:
    """Another disk is passed over, also one that is a part of the same, and what it covers is not gone."""
    disk.write("usb/deep/a.jpg", JPEG)
    disk.write("b.jpg", JPEG + b"b")
    disk.write("c.jpg", JPEG + b"c")
    await disk.settle()
    (disk.root / "c.jpg").unlink()

    with covered(disk.root / "usb", *how):
        state, counts = await disk.settle()
        asked, there = await disk.scan(area([b"usb/deep"], [b"usb"]))
    _, after = await disk.scan()

    assert (state, asked, counts.gone, there.gone) == ("done", "done", 1, 0)
    assert counts.skipped == {"other disks": 1}
    assert await disk.catalogue() == {b"b.jpg": "present", b"usb/deep/a.jpg": "present", b"c.jpg": "missing"}
    assert (after.new, after.changed, after.returned) == (0, 0, 0)


@ROOT_ONLY
async def test_a_mounted_file_is_of_others(disk: Disk) -> None:
    """A single file may be covered as well."""
    path = disk.write("a.jpg", JPEG)
    await disk.settle()

    with covered(path, "--bind", "/etc/passwd"):
        _, counts = await disk.settle()

    assert (counts.gone, counts.changed, counts.files) == (0, 0, 0)
    assert await disk.catalogue() == {b"a.jpg": "present"}


async def test_troubles_can_be_read_by_people(disk: Disk) -> None:
    """A name tells what it is, and does nothing to who reads it."""
    assert shown(b"a\n\x1b[2J\xe2\x80\xae\xff\\.jpg") == "a\\n\\x1b[2J\\u202e\\xff\\.jpg"


@pytest.mark.parametrize(
    "patterns",
    [
        ["*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"],
        [
            "[",
            "]",
            "[z-a]",
            "[!]",
            "(((((",
            "(?P<a>",
            "\\",
            "+*?{9999999}",
            "\ud800",
            "\n",
            "[[:alpha:]]",
            "**",
            "x" * 60000,
        ],
        [f"{number}*" for number in range(100_000)],
        ["../*", "/etc/*", "a/../b", ""],
    ],
)
async def test_hostile_patterns_cost_nothing(disk: Disk, patterns: list[str]) -> None:
    """Patterns are tried against one name at a time, many of them and clever ones alike."""
    ignored = ignoring.compiled(patterns)

    fits = [ignored.fits(b"a" * 250), ignored.fits(b"photo.jpg"), ignored.fits(b"a\\b")]

    assert fits == [("**" in patterns)] * 3


async def test_a_burst_and_its_renames_lose_and_double_nothing(disk: Disk) -> None:
    """Thousands of files at once are all found; each keeps its asset when it is renamed."""
    for number in range(2000):
        disk.write(f"burst/{number % 7}/{number}.jpg", JPEG + b"%d" % number)
    await disk.settle()
    before = dict(await ask(disk.pool, "select original_filename, asset_id from assets"))

    for number in range(0, 2000, 4):
        (disk.root / "renamed").mkdir(exist_ok=True)
        os.rename(disk.root / f"burst/{number % 7}/{number}.jpg", disk.root / f"renamed/r{number}.jpg")
    _, counts = await disk.settle()
    after = dict(await ask(disk.pool, "select original_filename, asset_id from assets where missing_since is null"))

    assert (len(before), len(after)) == (2000, 2000)
    assert (counts.moved, counts.new, counts.gone) == (500, 0, 0)
    assert {name.lstrip("r"): asset for name, asset in after.items()} == before
