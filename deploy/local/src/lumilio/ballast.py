"""Space held back for the database: given up when its disk is full, so that commits go on, and taken again later."""

import asyncio
import os
from dataclasses import dataclass

from msgspec import Struct

from common.settings import NotNegative, Percent
from lumilio.data import Data
from lumilio.terminal import say

LOOK_SECONDS = 1.0
FAILED_SECONDS = 60.0
MB = 1 << 20


class BallastSettings(Struct, frozen=True, kw_only=True):
    """How much is held back, and beside what."""

    ballast_bytes: NotNegative = 256 * MB
    """What is held back for a database on a full disk; 0 for nothing."""
    reserve_bytes: NotNegative = 2 << 30
    """What must stay free beside it ..."""
    reserve_percent: Percent = 2.0
    """... or so much of the disk, whichever is more; as the gateway is told."""


@dataclass(frozen=True)
class Ballast:
    """One file of nothing, on the disk that the database is on."""

    path: str
    settings: BallastSettings

    async def keep(self) -> None:
        """Look after it until cancelled."""
        while True:
            await asyncio.sleep(await asyncio.to_thread(self.look))

    def look(self) -> float:
        """Give up or take what the disk asks for; returns after how many seconds to look again."""
        try:
            self._settle()
        except OSError as error:
            say(f"no space could be held back for the database: {self.path}: {error.strerror}")
            return FAILED_SECONDS
        return LOOK_SECONDS

    def _settle(self) -> None:
        """Give the space up when the disk is nearly full; take it when there is room for the reserve beside it."""
        disk = os.statvfs(os.path.dirname(self.path))
        free, held, size = disk.f_bavail * disk.f_frsize, self._held(), self.settings.ballast_bytes
        if held > size or (held and free < size // 4):
            os.unlink(self.path)
            say(f"{free // MB} MB are free on the disk of the database: {self.path} ({held // MB} MB) is given up")
        elif held < size and free + held - size >= max(self._reserve(disk), size // 2):
            self._take()
            say(f"{size // MB} MB are held back for a database on a full disk: {self.path}")

    def _held(self) -> int:
        try:
            return os.stat(self.path).st_size
        except FileNotFoundError:
            return 0

    def _reserve(self, disk: os.statvfs_result) -> int:
        percent = self.settings.reserve_percent
        return max(self.settings.reserve_bytes, int(disk.f_blocks * disk.f_frsize * percent / 100))

    def _take(self) -> None:
        """All of it or nothing: a disk may promise more than a quota allows."""
        descriptor = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self.settings.ballast_bytes)
        except OSError:
            os.unlink(self.path)
            raise
        finally:
            os.close(descriptor)


def beside(data: Data, settings: BallastSettings) -> Ballast:
    """The ballast of a data directory, inside the database's own where that lies on a disk of its own."""
    apart = os.path.exists(data.postgres) and os.stat(data.postgres).st_dev != os.stat(data.root).st_dev
    return Ballast(os.path.join(data.postgres if apart else data.root, "ballast"), settings)
