"""Which part of a repository a scan is about, and which records it speaks of."""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from common.names import display_name

HIGHEST = b"\xff" * 256
"""Behind every name that there can be."""


class Folder(NamedTuple):
    """A folder that was listed; the root has no parent."""

    path: bytes
    parent: bytes | None
    modified_ns: int


class Part(NamedTuple):
    """The paths from `low` to below `high`; unless `is_deep`, only those directly in that folder."""

    low: bytes
    high: bytes
    is_deep: bool


@dataclass(frozen=True)
class Area:
    """Folders with all below them, and others of which only what lies directly in them and what is new is looked at."""

    trees: frozenset[bytes] = frozenset({b""})
    flat: frozenset[bytes] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the repository."""
        return b"" in self.trees


def area(trees: Iterable[bytes], flat: Iterable[bytes] = ()) -> Area:
    """The same without what is said twice."""
    tops = _tops(trees)
    return Area(tops, frozenset(path for path in flat if path not in tops and not _is_below(path, tops)))


def scope(wanted: Area, more: Iterable[bytes] = ()) -> list[Part]:
    """The records that a scan speaks of; `more` are folders that appeared or went away, with all below them."""
    deep = area([*wanted.trees, *more], wanted.flat)
    return [*(_part(path, is_deep=True) for path in deep.trees), *(_part(path, is_deep=False) for path in deep.flat)]


def common(wanted: Area) -> bytes:
    """The lowest folder in which all of it lies."""
    return os.path.commonpath(folders) if (folders := wanted.trees | wanted.flat) else b""


def parent(path: bytes) -> bytes | None:
    """The folder that a folder is in; None for the root."""
    return os.path.dirname(path) if path else None


def leaf(path: bytes) -> str:
    """The name of a file as people see it."""
    return display_name(os.path.basename(path).decode(errors="replace"))


def _tops(paths: Iterable[bytes]) -> frozenset[bytes]:
    every = frozenset(paths)
    return frozenset(path for path in every if not _is_below(path, every))


def _is_below(path: bytes, folders: Collection[bytes]) -> bool:
    above = parent(path)
    while above is not None:
        if above in folders:
            return True
        above = parent(above)
    return False


def _part(path: bytes, *, is_deep: bool) -> Part:
    return Part(path + b"/", path + b"0", is_deep) if path else Part(b"", HIGHEST, is_deep)
