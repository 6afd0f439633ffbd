import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from common import layout, marker, roots
from common.files import Offline
from common.marker import Marker

IDENTITY = uuid4()


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    """A repository with nothing in it."""
    path = bytes(tmp_path / "repository")
    roots.create(path, Marker(id=IDENTITY, name="Test"))
    return path


def edit(root: bytes, text: str) -> None:
    """What a person writes at the end of the marker."""
    path = Path(os.fsdecode(os.path.join(root, layout.MARKER)))
    kept = [line for line in path.read_text().splitlines() if line.split(":")[0] in {"id", "name", "created_at"}]
    path.write_text("\n".join([*kept, text]))


def test_a_new_marker_tells_the_documented_keys_with_their_defaults(root: bytes) -> None:
    """Whoever opens the file finds every switch in it."""
    found = marker.check(root, IDENTITY)

    assert (found.id, found.name, found.version, found.storage_strategy) == (IDENTITY, "Test", "1.0", "date")
    assert found.local_settings == marker.LocalSettings(
        preserve_original_filename=True, handle_duplicate_filenames="uuid", max_file_size=0
    )
    text = Path(os.fsdecode(os.path.join(root, layout.MARKER))).read_text()
    assert "handle_duplicate_filenames: uuid" in text
    assert len(found.sync_settings.ignore_patterns) == 28


def test_what_a_person_writes_is_honoured_at_once(root: bytes) -> None:
    """No restart: the marker is read again when it has changed; unknown keys are nobody's business."""
    marker.check(root, IDENTITY)

    edit(root, "storage_strategy: flat\nbackup_plan: mine\nlocal_settings: {max_file_size: 5}")

    found = marker.check(root, IDENTITY)
    assert (found.storage_strategy, found.local_settings.max_file_size) == ("flat", 5)


@pytest.mark.parametrize("text", ["storage_strategy: heap", "local_settings: {max_file_size: -1}", "id: 7", "["])
def test_a_marker_that_makes_no_sense_is_an_outage(root: bytes, text: str) -> None:
    """Nothing is stored by rules that nobody meant."""
    edit(root, text)

    with pytest.raises(Offline, match="makes no sense"):
        marker.check(root, IDENTITY)


@pytest.mark.parametrize(
    "text",
    [
        "deep: " + "[" * 30_000,
        "deep: " + "{a: " * 5_000,
        "a: &a {x: 1}\nb: &b {<<: [*a, *a, *a]}\nc: {<<: [*b, *b, *b]}",
        "size: !!int ''",
        "flag: !!bool maybe",
        "when: !!timestamp never",
        f"local_settings: {{max_file_size: 0x{'9' * 5_000}}}",
    ],
)
def test_a_marker_that_breaks_readers_of_yaml_is_an_outage(root: bytes, text: str) -> None:
    """A disk from elsewhere ends no process, takes no memory and fails no work."""
    edit(root, text)

    with pytest.raises(Offline, match="makes no sense"):
        marker.check(root, IDENTITY)


def test_an_absent_foreign_or_empty_root_is_an_outage(root: bytes, tmp_path: Path) -> None:
    """No marker, another marker, no folder: all say that the repository is not there, and nothing else."""
    empty = bytes(tmp_path / "empty")
    os.mkdir(empty)

    for place, identity in ((root, UUID(int=0)), (empty, IDENTITY), (bytes(tmp_path / "nowhere"), IDENTITY)):
        with pytest.raises(Offline):
            marker.check(place, identity)


@pytest.mark.parametrize("name", [layout.INBOX, layout.PRIVATE, layout.STAGING])
@pytest.mark.parametrize("put", [os.mknod, partial(os.symlink, "away")])
def test_a_link_or_a_file_for_a_folder_is_an_outage(root: bytes, name: bytes, put: Callable[[bytes], None]) -> None:
    """Files are not placed over links, and people are told before anything is taken."""
    path = os.path.join(root, name)
    os.rename(path, os.path.join(os.path.dirname(path), b"away"))
    put(path)

    with pytest.raises(Offline, match="is a file or a link"):
        marker.check(root, IDENTITY)


@pytest.mark.parametrize("line", ["storage_strategy: date  # by year", "storage_strategy:   'date'", "rendering: {}"])
def test_another_strategy_changes_nothing_else(root: bytes, line: str) -> None:
    """What people wrote stays, their comments and what only others understand too, and the marker is whole."""
    edit(root, f"# mine\n{line}\nby_others: [1, 2]\n")
    path = Path(os.fsdecode(os.path.join(root, layout.MARKER)))
    before = path.read_text().splitlines()

    chosen = marker.choose(root, IDENTITY, "cas")

    after = path.read_text().splitlines()
    assert marker.check(root, IDENTITY) == chosen
    assert chosen.storage_strategy == "cas"
    assert "storage_strategy: cas" in {one.partition("#")[0].rstrip() for one in after}
    assert [one for one in after if "cas" not in one] == [one for one in before if "date" not in one]
    assert ("# by year" in path.read_text()) == ("# by year" in line)


def test_the_strategy_that_is_chosen_already_leaves_the_file_alone(root: bytes) -> None:
    """It is not even written."""
    path = os.path.join(root, layout.MARKER)
    before = os.stat(path).st_ino

    marker.choose(root, IDENTITY, "date")

    assert os.stat(path).st_ino == before


def test_a_marker_that_is_written_oddly_is_left_to_its_author(root: bytes) -> None:
    """It says what to do, and is not changed."""
    path = Path(os.fsdecode(os.path.join(root, layout.MARKER)))
    path.write_text(f"{{id: {IDENTITY}, name: Odd}}\n")

    with pytest.raises(Offline, match="by hand"):
        marker.choose(root, IDENTITY, "flat")

    assert path.read_text() == f"{{id: {IDENTITY}, name: Odd}}\n"
