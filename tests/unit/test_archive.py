"""Archives: any reader finds every file whole, and each is exactly as long as it was announced."""

import os
import zipfile
import zlib
from datetime import datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway import archive
from gateway.archive import LIMIT, Entry
from tests.support.archives import extracted, is_approved, write

DAY = datetime.fromisoformat("2026-11-28T23:59:58")
SOME = [(Entry(f"füße {number}.jpg", number * 100, DAY), bytes([number]) * number * 100) for number in range(1, 20)]
NAMES = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60), unique=True, max_size=8)


def entry(name: str, content: bytes) -> tuple[Entry, bytes]:
    return Entry(name, len(content), DAY), content


def test_other_programs_read_an_archive(tmp_path: Path) -> None:
    """Python and Info-ZIP get names, bytes and times, and have nothing to complain about."""
    length = write(path := tmp_path / "a.zip", SOME)

    assert path.stat().st_size == length
    expected = {one.name: content for one, content in SOME}
    assert extracted(path, tmp_path / "out") == expected
    with zipfile.ZipFile(path) as read:
        assert {name: read.read(name) for name in read.namelist()} == expected
        assert {one.date_time for one in read.infolist()} == {(2026, 11, 28, 23, 59, 58)}
        assert read.testzip() is None


def test_an_archive_of_nothing_is_one(tmp_path: Path) -> None:
    """Where all files are left out the rest is still an archive."""
    path = tmp_path / "a.zip"

    assert write(path, []) == path.stat().st_size == 22
    with zipfile.ZipFile(path) as read:
        assert read.namelist() == []


@given(NAMES, st.data())
def test_whatever_is_left_out_the_length_stays(names: list[str], data: st.DataObject) -> None:
    """Readers find what was sent, without a word about what was not."""
    sizes = data.draw(st.lists(st.integers(1, 5000), min_size=len(names), max_size=len(names)))
    wanted = [
        entry(f"{number} {name}", b"x" * size) for number, (name, size) in enumerate(zip(names, sizes, strict=True))
    ]
    sent = [one for one in wanted if data.draw(st.booleans())]
    made = archive.plan([one for one, _ in wanted])

    body = b"".join(made.begin(one) + content + made.end(one, zlib.crc32(content)) for one, content in sent)
    note = Entry("a note.txt", 5, DAY)
    if made.has_room(note):
        body += made.begin(note) + b"words" + made.end(note, zlib.crc32(b"words"))
    body += bytes(made.missing) + made.close()

    assert len(body) == made.length
    assert made.missing >= 0


def test_readers_take_an_archive_from_which_files_were_left_out(tmp_path: Path) -> None:
    """The gap lies where neither of them looks."""
    length = write(path := tmp_path / "a.zip", SOME[::2], planned=[one for one, _ in SOME])

    assert path.stat().st_size == length
    assert extracted(path, tmp_path / "out") == {one.name: content for one, content in SOME[::2]}
    with zipfile.ZipFile(path) as read:
        assert (len(read.namelist()), read.testzip()) == (10, None)


def test_more_files_than_old_archives_count(tmp_path: Path) -> None:
    """65,535 and more files are counted by the fields of ZIP64."""
    files = [entry(f"{number}.jpg", b"%d" % number) for number in range(70_000)]

    length = write(path := tmp_path / "a.zip", files)

    assert path.stat().st_size == length
    assert is_approved(path)
    with zipfile.ZipFile(path) as read:
        assert (len(read.namelist()), read.read("69999.jpg")) == (70_000, b"69999")


def test_files_beyond_four_gigabytes(tmp_path: Path) -> None:
    """A file of more, one behind it, and what is left out of such an archive: sparse, so that no disk need hold it."""
    large, crc = Entry("film.mov", LIMIT + 1000, DAY), 0xC0FFEE
    left_out, small = Entry("gone.mov", LIMIT + 7, DAY), entry("behind.jpg", b"behind it")
    made = archive.plan([large, left_out, small[0]])

    with (path := tmp_path / "a.zip").open("wb") as out:
        out.write(made.begin(large))
        out.seek(large.size, os.SEEK_CUR)
        out.write(made.end(large, crc) + made.begin(small[0]) + small[1] + made.end(small[0], zlib.crc32(small[1])))
        out.seek(made.missing, os.SEEK_CUR)
        out.write(made.close())

    assert path.stat().st_size == made.length > 2 * LIMIT
    assert path.stat().st_blocks < 1000
    with zipfile.ZipFile(path) as read:
        film = read.getinfo("film.mov")
        assert (film.file_size, film.CRC) == (large.size, crc)
        assert read.read("behind.jpg") == b"behind it"
        with read.open("film.mov") as content:
            assert content.read(3) == bytes(3)


def test_times_that_cannot_be_said_are_the_nearest() -> None:
    """The format knows the years from 1980 to 2107."""
    for year, said in ((1, 1980), (1979, 1980), (2107, 2107), (9999, 2107)):
        made = archive.plan([one := Entry("a", 1, DAY.replace(year=year))])
        made.begin(one)
        made.end(one, 0)
        assert int.from_bytes(made.close()[14:16], "little") >> 9 == said - 1980
