import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest
from blake3 import blake3

from common import derived_files, files, folders, layout, roots
from common.marker import Marker
from tests.support.recorder import Recorder

STAGED = layout.staged("one.part")
TARGET = b"inbox/2024/03/photo.jpg"
MADE = layout.derived(layout.WEB_VIDEOS, bytes(32), 1, 1, ".mp4")


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    root = bytes(tmp_path / "repository")
    roots.create(root, Marker(id=uuid4(), name="Test"))
    return root


def stage(root: bytes, content: bytes, path: bytes = STAGED) -> None:
    with open(files.create(root, path), "wb") as file:
        file.write(content)


def content_of(root: bytes, path: bytes) -> bytes:
    with open(files.open_original(root, path), "rb") as file:
        return file.read()


def test_placing_links_and_makes_every_new_level_durable(root: bytes, recorder: Recorder) -> None:
    """A new folder is synced into its parent before anything is put into it, and the final folder after the link."""
    stage(root, b"bytes")
    recorder.clear()

    files.place(root, STAGED, TARGET)

    assert recorder.calls == [
        "fsync .",
        "mkdir 2024",
        "fsync inbox",
        "mkdir 03",
        "fsync 2024",
        "link one.part photo.jpg",
        "fsync 03",
    ]
    assert content_of(root, TARGET) == b"bytes"


def test_a_folder_that_was_removed_and_made_again_is_synced_again(root: bytes, recorder: Recorder) -> None:
    """File systems give a new folder the number of one that was just removed, and its name is not durable for that."""
    stage(root, b"bytes")
    files.place(root, STAGED, TARGET)
    os.unlink(os.path.join(root, TARGET))
    os.rmdir(os.path.join(root, b"inbox/2024/03"))
    recorder.clear()

    files.place(root, STAGED, TARGET)

    assert recorder.calls == ["mkdir 03", "fsync 2024", "link one.part photo.jpg", "fsync 03"]


def test_a_manifest_that_was_removed_and_written_again_is_synced_again(root: bytes, recorder: Recorder) -> None:
    """The line is on the disk, and so is the name of the file that it stands in."""
    path = layout.MANIFESTS + b"/2024-03-01.jsonl"
    files.append_durably(root, path, b"{}")
    os.unlink(os.path.join(root, path))
    recorder.clear()

    files.append_durably(root, path, b"{}")

    assert recorder.calls == ["fsync 2024-03-01.jsonl", "fsync manifests"]


def test_a_taken_name_is_never_replaced(root: bytes) -> None:
    """Sixty-four placings to one name leave one winner, whole, and every loser still staged."""
    paths = [layout.staged(f"{number}.part") for number in range(64)]
    for number, path in enumerate(paths):
        stage(root, b"content %d" % number, path)

    def attempt(path: bytes) -> bool:
        try:
            files.place(root, path, TARGET)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        won = list(threads.map(attempt, paths))

    assert won.count(True) == 1
    assert content_of(root, TARGET) == b"content %d" % won.index(True)
    assert [content_of(root, path) for path in paths] == [b"content %d" % number for number in range(64)]


def test_an_original_is_read_only_from_its_first_moment(root: bytes) -> None:
    """Nobody edits an original by accident."""
    stage(root, b"bytes")

    files.place(root, STAGED, TARGET)

    assert stat.S_IMODE(os.stat(os.path.join(root, TARGET)).st_mode) == files.ORIGINAL_MODE


def test_without_hard_links_a_rename_that_replaces_nothing_serves(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems that know no links place as safely."""

    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    stage(root, b"first")
    files.place(root, STAGED, TARGET)
    stage(root, b"second")

    with pytest.raises(FileExistsError):
        files.place(root, STAGED, TARGET)

    assert content_of(root, TARGET) == b"first"
    assert content_of(root, STAGED) == b"second"


@pytest.mark.parametrize(
    "path", [b"../outside/x", b"inbox/../../outside/x", b"/etc/passwd", b"inbox/./x", b"inbox/a\0b/x"], ids=repr
)
def test_no_path_leads_out_of_a_repository(root: bytes, tmp_path: Path, path: bytes) -> None:
    """Containment is checked for every opening, whoever asks, whether the target is there or not."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x").write_text("secret")
    (Path(os.fsdecode(root)) / "inbox/x").write_text("reachable by its plain name only")

    with pytest.raises(folders.UnsafePath):
        files.open_original(root, path)


def test_no_link_is_followed(root: bytes, tmp_path: Path) -> None:
    """A link that somebody left in a repository shows nothing of the world outside, as a file or as a folder."""
    (tmp_path / "secret").write_text("secret")
    os.symlink(tmp_path / "secret", os.path.join(root, b"inbox/file.jpg"))
    os.symlink(tmp_path, os.path.join(root, b"inbox/folder"))

    for path in (b"inbox/file.jpg", b"inbox/folder/secret"):
        with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
            files.open_original(root, path)


def test_only_regular_files_are_opened(root: bytes) -> None:
    """A pipe does not make us wait, and a folder is not read as a file."""
    os.mkfifo(os.path.join(root, b"inbox/a.jpg"))

    for path in (b"inbox/a.jpg", b"inbox"):
        with pytest.raises(OSError, match="not a regular file"):
            files.open_original(root, path)


def test_only_private_files_can_be_removed(root: bytes) -> None:
    """No caller can remove an original, whatever it asks for."""
    stage(root, b"bytes")
    files.place(root, STAGED, TARGET)

    with pytest.raises(folders.UnsafePath):
        files.forget(root, TARGET)

    assert content_of(root, TARGET) == b"bytes"


@pytest.mark.parametrize("number", sorted(files.BROKEN_DISK | files.FULL_DISK), ids=os.strerror)
def test_a_disk_that_fails_is_an_outage(number: int) -> None:
    """Full or broken disks are waited for; no attempt is counted against a photo."""
    with pytest.raises(files.Offline), files.outages():
        raise OSError(number, os.strerror(number))


def test_removing_what_is_gone_is_fine(root: bytes) -> None:
    """Every step may be repeated."""
    files.forget(root, layout.staged("never.part"))


def test_a_file_that_is_being_written_is_known(root: bytes) -> None:
    """Clean-up can tell a slow upload from an abandoned one."""
    descriptor = files.create(root, STAGED)
    assert files.is_being_written(root, STAGED)

    os.close(descriptor)

    assert not files.is_being_written(root, STAGED)


def test_lines_after_a_torn_one_stay_whole(root: bytes) -> None:
    """A crash in the middle of a manifest line costs that line only."""
    path = b".lumilio/manifests/day.jsonl"
    files.append_durably(root, path, b'{"n": 1}')
    with open(os.path.join(root, path), "ab") as file:
        file.write(b'{"n": ')

    files.append_durably(root, path, b'{"n": 2}')

    lines = content_of(root, path).split(b"\n")
    assert b'{"n": 1}' in lines
    assert b'{"n": 2}' in lines


TRASHED = layout.TRASH + b"/photo.jpg"


def test_a_moved_file_has_its_new_name_for_good_before_it_loses_the_old_one(root: bytes, recorder: Recorder) -> None:
    """Link, sync the new folder, unlink, sync the old folder: a power cut leaves one name or both."""
    stage(root, b"bytes")
    files.place(root, STAGED, TARGET)
    recorder.clear()

    files.move(root, TARGET, TRASHED)

    moving = [call for call in recorder.calls if call not in {"fsync .", "fsync .lumilio"}]
    assert moving == ["link photo.jpg photo.jpg", "fsync trash", "unlink photo.jpg", "fsync 03"]
    assert content_of(root, TRASHED) == b"bytes"
    assert files.see(root, TARGET) is None


def test_an_interrupted_move_is_finished_by_the_next_one(root: bytes) -> None:
    """Two names of one file are a move that was cut short."""
    stage(root, b"bytes")
    files.place(root, STAGED, TARGET)
    os.link(os.path.join(root, TARGET), os.path.join(root, TRASHED))

    files.move(root, TARGET, TRASHED)

    assert (files.see(root, TARGET), content_of(root, TRASHED)) == (None, b"bytes")


def test_moving_never_replaces_a_file(root: bytes) -> None:
    """A taken name leaves both files where they are."""
    stage(root, b"bytes")
    files.place(root, STAGED, TARGET)
    stage(root, b"others", layout.staged("two.part"))
    files.place(root, layout.staged("two.part"), TRASHED)

    with pytest.raises(FileExistsError):
        files.move(root, TARGET, TRASHED)

    assert (content_of(root, TARGET), content_of(root, TRASHED)) == (b"bytes", b"others")


def test_two_who_move_one_file_apart_never_lose_it(root: bytes) -> None:
    """Sixteen movers with opposite wishes leave the bytes under exactly one of the names."""
    stage(root, b"bytes")
    files.place(root, STAGED, TARGET)
    ways = [(TARGET, TRASHED), (TRASHED, TARGET)]

    def attempt(number: int) -> None:
        for _ in range(50):
            with suppress(BlockingIOError, FileNotFoundError):
                files.move(root, *ways[number % 2])

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(attempt, range(16)))

    assert [content_of(root, path) for path in (TARGET, TRASHED) if files.see(root, path)] == [b"bytes"]


def test_a_name_is_dropped_only_when_the_file_keeps_another(root: bytes) -> None:
    """A file that merely has the same bytes is not a second name."""
    stage(root, b"bytes")
    files.place(root, STAGED, TARGET)
    stage(root, b"bytes", layout.staged("two.part"))

    files.drop(root, TARGET, kept=layout.staged("two.part"))
    files.drop(root, TARGET, kept=layout.staged("none.part"))
    files.drop(root, STAGED, kept=TARGET)

    assert content_of(root, TARGET) == b"bytes"
    assert files.see(root, STAGED) is None


def test_an_original_in_the_trash_cannot_be_removed(root: bytes) -> None:
    """What people may take back is no private file of ours; only the note beside it is."""
    stage(root, b"bytes")
    files.place(root, STAGED, TRASHED)
    files.write_new(root, layout.sidecar(TRASHED), b"{}", mode=0o640)

    with pytest.raises(folders.UnsafePath):
        files.forget(root, TRASHED)
    files.forget(root, layout.sidecar(TRASHED))

    assert folders.list_names(root, layout.TRASH) == [b"photo.jpg"]


def test_a_file_that_somebody_else_moves_is_left_to_them(root: bytes) -> None:
    """Whoever holds a file has both its names to themselves until they are done."""
    stage(root, b"bytes")
    files.place(root, STAGED, TARGET)

    with files.held(root, TARGET), pytest.raises(BlockingIOError):
        files.move(root, TARGET, TRASHED)

    assert (content_of(root, TARGET), files.see(root, TRASHED)) == (b"bytes", None)


def test_a_file_in_the_making_has_no_name_until_it_is_whole(root: bytes) -> None:
    """So nothing of it is left of a process that was killed; then it appears at once, and replaces what was there."""
    parent, path = os.path.join(root, os.path.dirname(MADE)), os.path.join(root, MADE)
    for content in (b"a film", b"another"):
        before = os.listdir(parent) if os.path.exists(parent) else []
        with derived_files.making(root, MADE) as (writing, reading):
            os.write(writing, content)
            assert os.listdir(parent) == before
            assert os.read(reading, 10) == content
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.write(reading, b"?")

        assert os.listdir(parent) == [os.path.basename(MADE)]
        assert Path(os.fsdecode(path)).read_bytes() == content
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o644


@pytest.mark.parametrize("lacks", ["files without a name", "naming what is open"])
def test_where_every_file_has_a_name_one_in_the_making_is_hidden(
    root: bytes, lacks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On such a file system it has one that nobody looks at, and loses it when something goes wrong."""
    opened = os.open

    def refusing(path: bytes, flags: int, *more: int, **where: int) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return opened(path, flags, *more, **where)

    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(os, *(("open", refusing) if lacks == "files without a name" else ("link", no_links)))
    parent = os.path.join(root, os.path.dirname(MADE))

    with suppress(ZeroDivisionError), derived_files.making(root, MADE):
        (begun,) = os.listdir(parent)
        assert layout.is_unfinished(os.path.join(os.path.dirname(MADE), begun))
        raise ZeroDivisionError
    assert os.listdir(parent) == []

    with derived_files.making(root, MADE) as (writing, reading):
        os.write(writing, b"a film")
        assert os.read(reading, 10) == b"a film"
    assert os.listdir(parent) == [os.path.basename(MADE)]


def test_what_went_wrong_in_the_making_leaves_nothing(root: bytes) -> None:
    """Neither a name nor an open file."""
    descriptors = os.listdir("/proc/self/fd")

    with suppress(ZeroDivisionError), derived_files.making(root, MADE) as (writing, _):
        os.write(writing, b"half")
        raise ZeroDivisionError

    assert os.listdir(os.path.join(root, os.path.dirname(MADE))) == []
    assert os.listdir("/proc/self/fd") == descriptors


def test_what_is_condemned_goes_and_nothing_else(root: bytes) -> None:
    """The very file with the very bytes; one that was written or replaced after it was read stays."""
    path = os.path.join(root, b"inbox/own.jpg")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Path(os.fsdecode(path)).write_bytes(b"a photo")

    with pytest.raises(files.OtherBytes):
        files.condemn(root, b"inbox/own.jpg", content_hash=blake3(b"another").digest())
    with pytest.raises(FileNotFoundError):
        files.condemn(root, b"inbox/other.jpg", content_hash=blake3(b"a photo").digest())
    condemned = files.condemn(root, b"inbox/own.jpg", content_hash=blake3(b"a photo").digest())
    Path(os.fsdecode(path)).write_bytes(b"written since")
    with pytest.raises(BlockingIOError):
        condemned.remove()
    condemned.close()
    assert Path(os.fsdecode(path)).read_bytes() == b"written since"

    condemned = files.condemn(root, b"inbox/own.jpg", content_hash=blake3(b"written since").digest())
    condemned.remove()
    condemned.remove()
    condemned.close()
    assert not os.path.exists(path)


def test_what_is_placed_and_what_is_purged_at_once_is_never_the_same(root: bytes) -> None:
    """A thousand times one takes a file out of the trash while another purges it: once it is out, it stays."""
    content, kept = b"a photo", 0
    for name in (layout.TRASH, layout.INBOX, b"mine"):
        os.makedirs(os.path.join(root, name), exist_ok=True)

    def take_out(number: int, meet: Barrier, records: dict[int, bytes]) -> bool:
        meet.wait()
        with suppress(FileNotFoundError, BlockingIOError):
            files.move(root, layout.TRASH + b"/%d" % number, layout.INBOX + b"/%d" % number)
            records[number] = layout.INBOX
            return True
        return False

    def purge(number: int, meet: Barrier, records: dict[int, bytes]) -> bool:
        meet.wait()
        with suppress(FileNotFoundError, BlockingIOError):
            path = layout.TRASH + b"/%d" % number
            condemned = files.condemn(root, path, content_hash=blake3(content).digest())
            try:
                if records[number] == layout.TRASH:
                    condemned.remove()
            finally:
                condemned.close()
        return not os.path.exists(os.path.join(root, path))

    records: dict[int, bytes] = {}
    with ThreadPoolExecutor(2) as threads:
        for number in range(1000):
            path = Path(os.fsdecode(os.path.join(root, layout.TRASH, b"%d" % number)))
            path.write_bytes(content)
            records[number] = layout.TRASH
            meet = Barrier(2)
            was_moved, _ = (
                job.result() for job in [threads.submit(work, number, meet, records) for work in (take_out, purge)]
            )
            moved = Path(os.fsdecode(os.path.join(root, layout.INBOX, b"%d" % number)))
            assert moved.exists() == was_moved
            kept += was_moved
    assert kept


@pytest.mark.parametrize("path", [b"inbox/a.jpg", b"holiday/a.jpg", b".lumilio/trash/a.jpg"])
def test_what_is_made_replaces_no_original(root: bytes, path: bytes) -> None:
    """Whatever its maker may think that it is called."""
    with pytest.raises(folders.UnsafePath):
        derived_files.write(root, path, b"small")

    assert not os.path.exists(os.path.join(root, path))


def test_a_file_whose_name_is_written_in_two_ways_keeps_it(root: bytes) -> None:
    """Where upper and lower case are the same, another name of a file may be its only one."""
    stage(root, b"bytes", TARGET)

    files.move(root, TARGET, TARGET)
    files.drop(root, TARGET, kept=TARGET)

    assert content_of(root, TARGET) == b"bytes"
