"""The space on a disk that uploads leave to everybody else."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.errors import NoRoom

FRESH_SECONDS = 1.0
GIB = 1024**3

# What the database needs to go on with everything that has been accepted.
ROWS = GIB // 4


@dataclass(frozen=True)
class Reserve:
    """So many bytes, or so much of the disk, whichever is more."""

    size: int = 2 * GIB
    percent: float = 2.0


class Space(NamedTuple):
    """What a disk had to spare, in bytes, and when it said so."""

    spare: float
    seen: float


@dataclass(frozen=True)
class Room:
    """What each disk has to spare, asked again after a second; `database` lies on the one that takes the rows."""

    reserve: Reserve = field(default_factory=Reserve)
    database: bytes | None = None
    clock: Callable[[], float] = time.monotonic
    _spaces: dict[bytes, Space] = field(default_factory=dict)

    def check(self, root: bytes, length: int = 0) -> None:
        """NoRoom when so many more bytes would go to the reserve, or when their rows might find no place."""
        spare = self._spare(root, self.reserve)
        if spare < length:
            raise NoRoom(
                f"the disk of the repository has {max(spare, 0) / GIB:.1f} GiB left for uploads, which is too little: "
                "make room on it, or choose another repository"
            )
        if self.database and self._spare(self.database, Reserve(min(self.reserve.size, ROWS), percent=0)) < 0:
            raise NoRoom("the disk of the database has hardly any room left for uploads: make room on it")

    def _spare(self, folder: bytes, reserve: Reserve) -> float:
        """What the disk had to spare beyond a reserve, a second ago at most."""
        space = self._spaces.get(folder)
        if space is None or self.clock() - space.seen > FRESH_SECONDS:
            disk = os.statvfs(folder)
            reserved = max(reserve.size, disk.f_blocks * disk.f_frsize * reserve.percent / 100)
            space = self._spaces[folder] = Space(disk.f_bavail * disk.f_frsize - reserved, self.clock())
        return space.spare
