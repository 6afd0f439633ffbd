"""What people may rely on when they keep folders of their own, one test for each way in which such promises are broken.

What is promised of watching (bursts of events that end in a harmless one, folders that are moved in and away, too few
watches, names that begin alike) is tested where watching is: `test_tending.py` and `test_watching.py`.
"""

import os
import shutil
from pathlib import Path

import psycopg
import pytest

from common import files
from common.db import Connection
from common.files import Seen
from syncer import reading
from syncer.area import Area
from syncer.looking import Look
from syncer.reading import Wanted
from syncer.scans import Scan
from tests.support.placing import placed
from tests.support.rows import ask
from tests.support.scanning import Disk


def jpeg(number: int) -> bytes:
    """As much of a photo as a scan looks at."""
    return b"\xff\xd8\xff photo %d" % number


async def test_what_lies_in_a_folder_is_shown_changed_and_hidden(disk: Disk) -> None:
    """Files are not only listed somewhere: they are assets, from being found until they vanish."""
    path = disk.write("Family/a.jpg", jpeg(1))
    disk.write("b.jpg", jpeg(2))
    await disk.settle()
    shown = await disk.assets()

    path.unlink()
    await disk.settle()

    assert (shown, await disk.assets()) == (["a.jpg", "b.jpg"], ["b.jpg"])


async def test_a_file_is_known_by_the_hash_that_uploads_are_known_by(disk: Disk) -> None:
    """A photo that was uploaded and lies in somebody's folder as well is one asset with two files."""
    asset = await placed(disk.pool, disk.repository, disk.owner, jpeg(1))
    disk.write("mine.jpg", jpeg(1))

    await disk.settle()

    assert await ask(disk.pool, "select asset_id from file_records") == [asset, asset]
    assert await ask(disk.pool, "select count(*) from assets") == [1]


async def test_times_are_compared_to_the_nanosecond(disk: Disk) -> None:
    """What did not change is not read again, whatever the digits of its time; one nanosecond is a change."""
    path = disk.write("a.jpg", jpeg(1))
    os.utime(path, ns=(1_600_000_000_123_456_789, 1_600_000_000_123_456_789))
    await disk.settle()

    _, same = await disk.scan()
    os.utime(path, ns=(1_600_000_000_123_456_789, 1_600_000_000_123_456_790))
    _, later = await disk.scan()

    assert (same.changed, later.changed) == (0, 1)


async def test_a_file_that_was_found_by_a_small_scan_is_missed_by_the_next_whole_one(disk: Disk) -> None:
    """However it was found, and however often: no numbers of runs are compared that have nothing to do with another."""
    disk.write("rest.jpg", jpeg(9))
    disk.write("sub/a.jpg", jpeg(1))
    for _ in range(5):
        await disk.scan(Area(frozenset({b"sub"})))
    await disk.read()
    await disk.register()

    shutil.rmtree(disk.root / "sub")
    await disk.settle()

    assert await disk.assets() == ["rest.jpg"]


async def test_what_could_not_be_written_down_makes_nothing_missing(disk: Disk) -> None:
    """When the database goes away amid a scan, nothing of it counts, and the next one finds it all as it was."""
    for number in range(3):
        disk.write(f"{number}.jpg", jpeg(number))
    await disk.settle()
    scan = await disk.begun()

    with pytest.raises(psycopg.Error):
        await CutOff(disk.pool, disk.database_url, scan.holding, scan.operation_id).run()
    _, counts = await disk.settle()

    assert len(await disk.assets()) == 3
    assert (counts.new, counts.changed, counts.gone) == (0, 0, 0)


class CutOff(Scan):
    """A scan that loses its database when it has half of what it compares."""

    async def _look(self, conn: Connection) -> Look:
        look = await super()._look(conn)
        await conn.execute("delete from seen where path > '1'")
        await conn.execute("select pg_terminate_backend(pg_backend_pid())")
        return look


async def test_a_large_file_has_all_the_time_it_needs(tmp_path: Path) -> None:
    """Reading has no deadline after which the result would be lost: all of many megabytes is read."""
    path = tmp_path / "large.jpg"
    path.write_bytes(jpeg(1) + bytes(64 << 20))

    read = reading.read(bytes(tmp_path), _steady(path))

    assert (read.outcome, read.seen and read.seen.size) == ("read", len(jpeg(1)) + (64 << 20))


async def test_a_moved_file_is_the_same_asset(disk: Disk) -> None:
    """With whatever people have said of it, since it keeps its id."""
    path = disk.write("a.jpg", jpeg(1))
    await disk.settle()
    before = await ask(disk.pool, "select asset_id from assets")

    path.rename(disk.root / "b.jpg")
    await disk.settle()

    assert await ask(disk.pool, "select asset_id from assets where missing_since is null") == before


async def test_a_file_that_was_written_just_now_is_left_until_it_rests(tmp_path: Path) -> None:
    """Half a file is nothing to be known by."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(1))

    assert reading.read(bytes(tmp_path), Wanted(1, b"a.jpg")).outcome == "busy"


async def test_a_file_that_changes_while_it_is_read_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of it is of no time at which the file was so."""
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(1))
    wanted = _steady(path)
    hash_open = files.hash_open

    def written_meanwhile(descriptor: int) -> bytes:
        path.write_bytes(jpeg(1000))
        return hash_open(descriptor)

    monkeypatch.setattr(files, "hash_open", written_meanwhile)

    assert reading.read(bytes(tmp_path), wanted).outcome == "busy"


def _steady(path: Path) -> Wanted:
    """A file that looks as it did some seconds ago."""
    status = path.stat()
    return Wanted(1, path.name.encode(), Seen(status.st_size, status.st_mtime_ns, status.st_ino))
