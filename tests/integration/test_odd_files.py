"""Files that are odd: dated in the future, open for ever, hollow, deadly to whoever reads them."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common import tasks
from syncer import listening, reading
from syncer.readers import Readers
from syncer.reading import Reading, Wanted
from syncer.taking import Taking
from tests.support import deadly
from tests.support.rows import ask, do
from tests.support.scanning import Disk, HereReaders

JPEG = b"\xff\xd8\xff photo"
HOUR = 3600


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    return os.fsencode(tmp_path)


def wanted(root: bytes, name: bytes, *, content: bytes = JPEG, number: int = 1) -> Wanted:
    """A file that stood still when it was looked at some seconds ago."""
    path = Path(os.fsdecode(root), os.fsdecode(name))
    path.write_bytes(content)
    return steady(root, name, number)


def steady(root: bytes, name: bytes, number: int = 1) -> Wanted:
    (seen,) = [reading.read(root, Wanted(number, name)).seen]
    return Wanted(number, name, seen)


@asynccontextmanager
async def dying(work: Callable[[bytes, Sequence[Wanted]], list[Reading]]) -> AsyncIterator[Readers]:
    """Readers that do that work."""
    readers = Readers(2, work)
    try:
        yield readers
    finally:
        readers.close()


async def test_a_file_of_the_future_is_read_by_its_second_look(disk: Disk) -> None:
    """A date that never comes costs two seconds, also when there was nothing to do in between."""
    disk.write("a.jpg", JPEG, age=-HOUR)
    await disk.scan()
    taking = Taking(disk.pool, HereReaders(1), await disk.holding())

    for _ in range(2):
        await do(disk.pool, "update file_records set read_after = now()")
        await taking.run_once()
        await taking.run_once()

    assert await ask(disk.pool, "select state from file_records where read_after is null") == ["found"]


@pytest.mark.parametrize("work", [deadly.read_all, deadly.compute])
async def test_a_file_that_ends_its_reader_is_found_out(
    root: bytes, work: Callable[[bytes, Sequence[Wanted]], list[Reading]]
) -> None:
    """Whatever a file does to those who read it, the others are read, and of it people are told."""
    names = [b"deadly.jpg", b"a.jpg"]
    batch = [wanted(root, name, number=number) for number, name in enumerate(names)]

    async with dying(work) as readers:
        readings = await readers.read(root, batch)
        again = await readers.read(root, batch[1:])

    assert [one.outcome for one in readings] == ["unreadable", "read"]
    assert readings[0].trouble == "whoever reads it dies of it"
    assert [one.outcome for one in again] == ["read"]


async def test_nothing_is_read_for_who_has_left(root: bytes) -> None:
    """A lease that is lost, or a disk that is away, leaves the readers to the other repositories at once."""
    word = os.path.join(root, b"word")
    os.mkfifo(word)
    readers = Readers(1, deadly.take_down)
    asked = [asyncio.create_task(readers.read(root, [wanted(root, b"a.jpg", number=number)])) for number in range(4)]
    said = await asyncio.to_thread(os.open, word, os.O_WRONLY)  # the first one is read

    await tasks.cancel(*asked)
    os.unlink(word)
    os.close(said)
    (other,) = await readers.read(root, [wanted(root, b"a.jpg", number=9)])

    readers.close()
    assert other.outcome == "read"
    assert sorted(path.name for path in Path(os.fsdecode(root)).glob("taken *")) == ["taken 0", "taken 9"]


async def test_who_left_keeps_nobody_waiting_when_a_reader_dies(root: bytes) -> None:
    """Whoever asked after somebody who does not wait any more has their files read all the same."""
    word = os.path.join(root, b"word")
    os.mkfifo(word)
    readers = Readers(1, deadly.wait)
    asked = [asyncio.create_task(readers.read(root, [wanted(root, b"a.jpg", number=number)])) for number in range(5)]
    said = await asyncio.to_thread(os.open, word, os.O_WRONLY)  # somebody reads, and more wait for it than it may take

    asked[3].cancel()
    await asyncio.wait({asked[3]})
    os.unlink(word)
    os.close(said)

    done, _ = await asyncio.wait(asked, timeout=30)
    readers.close()
    assert len(done) == len(asked)
    assert asked[4].result()[0].outcome == "read"


async def test_a_reader_can_tell_a_disk_that_fails_from_a_file(root: bytes) -> None:
    """It may write as little as that takes."""
    async with dying(deadly.probe) as readers:
        (said,) = await readers.read(root, [wanted(root, b"a.jpg")])

    assert said.trouble == "None"


async def test_readers_have_little_memory_and_write_nothing(root: bytes) -> None:
    """What a reader can be made to do is bounded."""
    async with dying(deadly.hoard) as readers:
        readings = await readers.read(root, [Wanted(1, b"a.jpg")])

    assert [one.trouble for one in readings] == ["MemoryError", "OSError"]


def test_a_file_that_is_open_for_writing_waits_ten_minutes_at_most(
    root: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may be about to go on writing; somebody who holds a file open for days does not keep it from us."""
    one = wanted(root, b"a.jpg")

    with Path(os.fsdecode(root), "a.jpg").open("ab"):
        soon = reading.read(root, one)
        monkeypatch.setattr(reading, "PATIENCE_NS", 0)
        later = reading.read(root, one)

    assert (soon.outcome, later.outcome) == ("busy", "read")


def test_a_file_that_grows_is_not_read(root: bytes) -> None:
    """Each look finds it other than the one before."""
    one = wanted(root, b"a.jpg")

    with Path(os.fsdecode(root), "a.jpg").open("ab") as file:
        file.write(b"more")

    assert reading.read(root, one).outcome == "busy"
    assert reading.read(root, steady(root, b"a.jpg")).outcome == "read"


def test_a_clock_that_is_wrong_takes_no_file_before_its_second_look(root: bytes) -> None:
    """Where another machine dates the files, an old date says nothing, and standing still says it all."""
    one = wanted(root, b"a.jpg")
    old = one._replace(steady=None, settle_ns=0)
    doubted = old._replace(settle_ns=48 * HOUR * 1_000_000_000)

    outcomes = [reading.read(root, look).outcome for look in (old, doubted, doubted._replace(steady=one.steady))]

    assert outcomes == ["read", "busy", "read"]


async def test_files_of_a_shared_disk_are_looked_at_twice(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the clock of a server says, its files are read once they stood still by ours."""
    (tmp_path / "mountinfo").write_text("1 0 0:1 / / rw - nfs4 server:/photos rw\n")
    monkeypatch.setattr(listening, "MOUNTINFO", tmp_path / "mountinfo")
    monkeypatch.setattr(reading, "SETTLE_NS", 0)
    disk.write("a.jpg", JPEG)
    await disk.scan()
    taking = Taking(disk.pool, HereReaders(1), await disk.holding())

    await do(disk.pool, "update file_records set read_after = now()")
    await taking.run_once()
    first = await ask(disk.pool, "select content_hash from file_records")
    await do(disk.pool, "update file_records set read_after = now()")
    await taking.run_once()

    assert first == [None]
    assert await ask(disk.pool, "select state from file_records where content_hash is not null") == ["found"]


def test_a_hollow_file_is_not_read_for_hours(root: bytes) -> None:
    """A terabyte of nothing with the start of a photo is no photo; people are told."""
    one = wanted(root, b"a.jpg")
    os.truncate(os.path.join(root, b"a.jpg"), 1 << 40)

    hollow = reading.read(root, steady(root, b"a.jpg"))

    assert (one.path, hollow.outcome) == (b"a.jpg", "unreadable")
    assert hollow.trouble == "most of it is missing: it is being downloaded, or was cut short"


def test_an_empty_file_is_no_photo(root: bytes) -> None:
    """Nothing is nothing that we take, and is read once."""
    assert reading.read(root, wanted(root, b"a.jpg", content=b"")).outcome == "other"


def to_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def to_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def to_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def to_a_link_above(path: Path) -> None:
    path.parent.rename(path.parent.parent / "moved")
    path.parent.symlink_to(path.parent.parent / "moved")


@pytest.mark.parametrize("change", [to_a_link, to_a_folder, to_a_pipe, to_a_link_above, Path.unlink])
def test_what_took_the_place_of_a_file_is_not_read(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Between a walk and the reading anything may get the name of a file, and none of it is opened for long."""
    (tmp_path / "folder").mkdir()
    root, path = os.fsencode(tmp_path), tmp_path / "folder/a.jpg"
    one = wanted(root, b"folder/a.jpg")

    change(path)
    found = reading.read(root, one)

    assert (found.outcome, found.content_hash) == ("gone", None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_file_that_may_not_be_read_says_so(root: bytes) -> None:
    """What is wrong is told in words, and nothing of where the repository lies."""
    one = wanted(root, b"a.jpg")
    os.chmod(os.path.join(root, b"a.jpg"), 0)

    os.seteuid(65534)
    try:
        found = reading.read(root, one)
    finally:
        os.seteuid(0)

    assert (found.outcome, found.trouble) == ("unreadable", os.strerror(errno.EACCES))
