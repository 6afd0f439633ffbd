import os
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from common import layout, marker, roots
from common.files import Offline
from common.marker import Marker
from common.roots import Refused
from tests.support.disks import fingerprints, read_only
from tests.support.recorder import Crash, Recorder

MADE = Marker(id=uuid4(), name="Test", storage_strategy="flat")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A person's directory with files of all sorts, none of which we wrote."""
    place = tmp_path / "photos"
    (place / "2019" / "Rome").mkdir(parents=True)
    (place / "2019" / "Rome" / "a.jpg").write_bytes(b"\xff\xd8 a")
    (place / "notes.txt").write_text("mine")
    (place / ".hidden").write_bytes(b"")
    (place / "locked.jpg").write_bytes(b"b")
    (place / "locked.jpg").chmod(0o400)
    return place


def validated(folder: Path, private: Path | None = None, others: list[Path] | None = None) -> roots.Validation:
    private_root = bytes(private) if private else None
    return roots.validate(bytes(folder), MADE.id, private_root=private_root, others=list(map(bytes, others or [])))


def test_a_new_root_is_complete_once_it_has_its_marker(tmp_path: Path, recorder: Recorder) -> None:
    """Every folder is durable before the marker is linked, and the marker's name is durable in the end."""
    root = bytes(tmp_path / "a" / "b")

    roots.create(root, MADE)

    linked = next(number for number, call in enumerate(recorder.calls) if call.endswith(".lumiliorepo"))
    assert not any(call.startswith("mkdir") for call in recorder.calls[linked:])
    assert recorder.calls[linked + 1] == "fsync ."
    assert recorder.calls[:3] == ["mkdir a", f"fsync {tmp_path.name}", "mkdir b"]
    assert marker.check(root, MADE.id) == MADE
    assert os.stat(os.path.join(root, layout.MARKER)).st_mode & 0o777 == 0o644
    assert roots.validate(root, MADE.id) == roots.Validation(valid=True, errors=[], warnings=[])


def test_a_creation_that_crashes_anywhere_is_completed_by_the_next(folder: Path, recorder: Recorder) -> None:
    """Whatever call is the last one, the next creation ends with a whole repository and the person's files as ever."""
    before = fingerprints(folder)
    for crashes in count(1, 4):
        recorder.clear()
        recorder.crash_after = crashes
        with suppress(Crash):
            roots.create(bytes(folder), MADE)
            break

    recorder.crash_after = None
    assert crashes > 10
    assert validated(folder).errors == []
    assert fingerprints(folder) == before


def test_a_marker_is_never_replaced(folder: Path) -> None:
    """Creating again, by whatever other name, leaves the settings that a person has written there."""
    roots.create(bytes(folder), MADE)

    roots.create(bytes(folder), Marker(id=uuid4(), name="Another"))

    assert marker.check(bytes(folder), MADE.id).storage_strategy == "flat"


def put_file(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"mine")


def put_link(folder: Path, name: str) -> None:
    (folder.parent / "elsewhere").mkdir(exist_ok=True)
    (folder / name).symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize("name", ["inbox", ".lumilio"])
@pytest.mark.parametrize("put", [put_file, put_link])
def test_a_file_or_link_in_the_way_is_left_alone(folder: Path, name: str, put: Callable[[Path, str], None]) -> None:
    """What a person put where a folder is to be is neither followed nor moved, and nothing gets a marker."""
    put(folder, name)

    with pytest.raises(OSError, match=r"Not a directory|symbolic links"):
        roots.create(bytes(folder), MADE)

    assert not (folder / ".lumiliorepo").exists()
    assert list((folder.parent / "elsewhere").glob("*")) == []


def test_an_inbox_of_a_person_is_not_taken_over(folder: Path) -> None:
    """Files in a folder that happens to be called inbox would become ours, so a person is asked first."""
    (folder / "inbox").mkdir()
    roots.refuse_unfit(bytes(folder), [])
    put_file(folder, "inbox/letter.txt")

    with pytest.raises(Refused, match="rename it first"):
        roots.refuse_unfit(bytes(folder), [])


@pytest.mark.parametrize("path", ["photos/.lumilio/assets", ".lumilio", "photos/2019", "photos/inbox/2024", "."])
def test_no_repository_lies_in_another(folder: Path, path: str) -> None:
    """Neither below one nor around one, whether the record or only the disk knows of it."""
    known = [bytes(folder)]
    wanted = os.path.normpath(os.path.join(bytes(folder.parent), path.encode()))
    with pytest.raises(Refused):
        roots.refuse_unfit(wanted, known)

    roots.create(bytes(folder), MADE)
    if path != ".":
        with pytest.raises(Refused):
            roots.refuse_unfit(wanted, [])
    roots.refuse_unfit(bytes(folder.parent / "photos2"), known)


def break_marker(folder: Path) -> None:
    (folder / ".lumiliorepo").write_text("{")


def lose_marker(folder: Path) -> None:
    (folder / ".lumiliorepo").unlink()


def change_marker(folder: Path) -> None:
    text = (folder / ".lumiliorepo").read_text()
    (folder / ".lumiliorepo").write_text(text.replace(str(MADE.id), str(uuid4())))


def link_marker(folder: Path) -> None:
    (folder / ".lumiliorepo").rename(folder / "aside")
    (folder / ".lumiliorepo").symlink_to(folder / "aside")


def pipe_marker(folder: Path) -> None:
    (folder / ".lumiliorepo").unlink()
    os.mkfifo(folder / ".lumiliorepo")


def file_for_folder(folder: Path) -> None:
    (folder / ".lumilio" / "trash").rmdir()
    (folder / ".lumilio" / "trash").write_bytes(b"")


def staging_elsewhere(folder: Path) -> None:
    (folder / ".lumilio" / "staging" / "incoming").rmdir()
    (folder / ".lumilio" / "staging" / "incoming").symlink_to("/dev/shm")


def nest(folder: Path) -> None:
    (folder.parent / ".lumiliorepo").write_text("whose?")


def take_away(folder: Path) -> None:
    folder.rename(folder.with_name("away"))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (break_marker, "makes no sense"),
        (lose_marker, "not there"),
        (change_marker, "another one"),
        (link_marker, "not there"),
        (pipe_marker, "not there"),
        (file_for_folder, "trash is no folder"),
        (staging_elsewhere, "is a file or a link"),
        (nest, "inside another repository"),
        (take_away, "is its disk mounted"),
    ],
)
def test_damage_is_told_in_words(folder: Path, damage: Callable[[Path], None], told: str) -> None:
    """Each thing that keeps a repository from working is an error of its own, and examining changes nothing."""
    roots.create(bytes(folder), MADE)
    damage(folder)
    before = sorted(path for path in folder.parent.rglob("*"))

    found = validated(folder)

    assert not found.valid
    assert told in "; ".join(found.errors)
    assert sorted(path for path in folder.parent.rglob("*")) == before


def test_missing_folders_are_told_and_made(folder: Path) -> None:
    """A folder that a person removed is a warning; repair makes it, and touches nothing else."""
    roots.create(bytes(folder), MADE)
    (folder / "inbox").rmdir()
    (folder / ".lumilio" / "trash").rmdir()
    before = fingerprints(folder)

    told = validated(folder)
    made = roots.repair(bytes(folder))

    assert (told.valid, len(told.warnings)) == (True, 2)
    assert made == ["inbox", ".lumilio/trash"]
    assert validated(folder) == roots.Validation(valid=True, errors=[], warnings=[])
    assert fingerprints(folder) == before


def test_a_disk_that_became_read_only_is_told(folder: Path) -> None:
    """Where nothing can be written any more, each folder that must take files says so."""
    roots.create(bytes(folder), MADE)

    with read_only(folder):
        found = validated(folder)
        assert not roots.takes_files(bytes(folder))

    assert not found.valid
    assert any(error.startswith("the folder inbox takes no files") for error in found.errors)


def test_a_read_only_directory_keeps_our_files_elsewhere(folder: Path, tmp_path: Path) -> None:
    """Nothing is written into it; it is there as long as it holds anything, and no other repository."""
    private, before = tmp_path / "private" / "one", sorted(folder.rglob("*"))
    with read_only(folder):
        roots.create(bytes(folder), MADE, private_root=bytes(private))
        assert validated(folder, private).errors == []
        assert marker.check(bytes(folder), MADE.id, bytes(private)) == MADE
    assert sorted(folder.rglob("*")) == before
    assert not (private / "inbox").exists()

    put_file(folder, ".lumiliorepo")
    with pytest.raises(Offline, match="makes no sense"):
        marker.check(bytes(folder), MADE.id, bytes(private))
    folder.rename(folder.with_name("away"))
    with pytest.raises(Offline, match="not there"):
        marker.check(bytes(folder), MADE.id, bytes(private))
    folder.mkdir()
    with pytest.raises(Offline, match="its directory is empty"):
        marker.check(bytes(folder), MADE.id, bytes(private))
