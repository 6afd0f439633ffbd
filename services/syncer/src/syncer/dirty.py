"""Which folders hints have marked dirty: merged, and never more than a few thousand, whatever goes on below a root."""

import os
from collections.abc import Iterator
from typing import NamedTuple

MOST = 4096


class Batch(NamedTuple):
    """Folders in which names or files changed, and folders below which anything may have; both sorted, b"" the root."""

    folders: list[bytes]
    trees: list[bytes]


class Dirty:
    """A growing set of dirty folders; what becomes too much is told less exactly, and nothing is ever left out."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._folders: set[bytes] = set()
        self._trees: set[bytes] = set()

    def __bool__(self) -> bool:
        return bool(self._folders or self._trees)

    def add(self, folder: bytes) -> None:
        """Names or files directly in a folder changed."""
        if folder not in self._folders and not _is_within(folder, self._trees):
            self._folders.add(folder)
            self._limit()

    def add_tree(self, folder: bytes) -> None:
        """Anything in a folder or below it may have changed."""
        if not _is_within(folder, self._trees):
            self._trees.add(folder)
            self._limit()

    def take(self) -> Batch:
        """All that was added since, none of it twice; then begin anew."""
        self._swallow()
        batch = Batch(sorted(self._folders), sorted(self._trees))
        self._folders, self._trees = set(), set()
        return batch

    def _limit(self) -> None:
        """Too many become half as many at most: whatever lies deeper than some level stands for a tree there."""
        if len(self._folders) + len(self._trees) <= self._most:
            return
        self._swallow()
        level = max(map(_level, self._folders | self._trees))
        while len(self._folders) + len(self._trees) > max(1, self._most // 2):
            level -= 1
            deep = {folder for folder in self._folders | self._trees if _level(folder) > level}
            self._folders -= deep
            self._trees = (self._trees - deep) | {_cut(folder, level) for folder in deep}
            self._swallow()

    def _swallow(self) -> None:
        self._trees = {tree for tree in self._trees if not _is_below(tree, self._trees)}
        self._folders = {folder for folder in self._folders if not _is_within(folder, self._trees)}


def _level(folder: bytes) -> int:
    return folder.count(b"/") + 1 if folder else 0


def _cut(folder: bytes, level: int) -> bytes:
    return b"/".join(folder.split(b"/")[:level])


def _is_within(folder: bytes, trees: set[bytes]) -> bool:
    return folder in trees or _is_below(folder, trees)


def _is_below(folder: bytes, trees: set[bytes]) -> bool:
    return bool(trees) and any(parent in trees for parent in _parents(folder))


def _parents(folder: bytes) -> Iterator[bytes]:
    while folder:
        folder = os.path.dirname(folder)
        yield folder
