"""The space on a disk that uploads leave to everybody else."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.errors import NoRoom

FRESH_SECONDS = 1.0
GIB = 1024**3


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
    """What each disk has to spare, asked again after a second."""

    reserve: Reserve = field(default_factory=Reserve)
    clock: Callable[[], float] = time.monotonic
    _spaces: dict[bytes, Space] = field(default_factory=dict)

    def check(self, root: bytes, length: int = 0) -> None:
        """NoRoom when so many more bytes would go to the reserve."""
        space = self._spaces.get(root)
        if space is None or self.clock() - space.seen > FRESH_SECONDS:
            space = self._spaces[root] = Space(self._spare(root), self.clock())
        if space.spare < length:
            raise NoRoom(
                f"the disk of the repository has {max(space.spare, 0) / GIB:.1f} GiB left for uploads, which is too "
                "little: make room on it, or choose another repository"
            )

    def _spare(self, root: bytes) -> float:
        disk = os.statvfs(root)
        reserved = max(self.reserve.size, disk.f_blocks * disk.f_frsize * self.reserve.percent / 100)
        return disk.f_bavail * disk.f_frsize - reserved
