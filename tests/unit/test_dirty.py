"""Dirty folders are merged without leaving one out, and do not grow without end."""

import os

from hypothesis import given
from hypothesis import strategies as some

from syncer.dirty import Batch, Dirty

FOLDERS = some.lists(some.sampled_from([b"a", b"b", b"ab", b"a!"]), max_size=5).map(b"/".join)


def covers(batch: Batch, folder: bytes) -> bool:
    return folder in batch.folders or any(
        tree in {folder, b""} or folder.startswith(tree + b"/") for tree in batch.trees
    )


def test_a_folder_is_told_once() -> None:
    """What happens to a hundred files of a folder is one thing to look at, and then it is forgotten."""
    dirty = Dirty()
    for _ in range(100):
        dirty.add(b"2024/summer")
    dirty.add(b"")

    assert dirty.take() == Batch([b"", b"2024/summer"], [])
    assert dirty.take() == Batch([], [])


def test_a_tree_swallows_what_lies_below_it() -> None:
    """Whichever was told first."""
    dirty = Dirty()
    dirty.add(b"a/b")
    dirty.add_tree(b"a/c/d")
    dirty.add_tree(b"a")
    dirty.add(b"a/b/c")
    dirty.add(b"a")

    assert dirty.take() == Batch([], [b"a"])


def test_a_name_that_begins_alike_is_another_folder() -> None:
    """`a` has nothing to do with `ab` or `a!`, nor the root's tree with nothing."""
    dirty = Dirty()
    dirty.add(b"ab")
    dirty.add(b"a!/b")
    dirty.add_tree(b"a")

    assert dirty.take() == Batch([b"a!/b", b"ab"], [b"a"])


def test_the_tree_of_the_root_is_everything() -> None:
    """After an overflow nothing else needs to be told."""
    dirty = Dirty()
    dirty.add(b"a")
    dirty.add_tree(b"b/c")
    dirty.add_tree(b"")
    dirty.add(b"")

    assert dirty.take() == Batch([], [b""])


def test_too_many_folders_become_the_trees_above_them() -> None:
    """A great copy is looked at as one tree, and what lies elsewhere stays as exact as it was."""
    dirty = Dirty(most=100)
    dirty.add(b"elsewhere")
    for number in range(1000):
        dirty.add(b"holiday/%d/raw" % number)

    batch = dirty.take()

    assert batch == Batch([b"elsewhere"], [b"holiday"])


def test_too_many_folders_at_the_top_become_the_root() -> None:
    """There is no tree above them but all."""
    dirty = Dirty(most=100)
    for number in range(101):
        dirty.add(b"%d" % number)

    assert dirty.take() == Batch([], [b""])


@given(some.lists(some.tuples(FOLDERS, some.booleans()), max_size=40), some.integers(1, 12))
def test_nothing_is_left_out_however_little_is_remembered(told: list[tuple[bytes, bool]], most: int) -> None:
    """Every folder that was told is covered, a tree by a tree, with no more entries than were allowed."""
    dirty = Dirty(most)
    for folder, is_tree in told:
        (dirty.add_tree if is_tree else dirty.add)(folder)

    batch = dirty.take()

    assert all(covers(batch, folder) for folder, _ in told)
    assert all(covers(Batch([], batch.trees), folder) for folder, is_tree in told if is_tree)
    assert len(batch.folders) + len(batch.trees) <= most
    assert not any(covers(Batch([], batch.trees), folder) for folder in batch.folders)
    assert not any(covers(Batch([], batch.trees), os.path.dirname(tree)) for tree in batch.trees if tree)
