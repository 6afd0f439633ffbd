"""How changes in a repository are noticed between scans: as its marker wishes, and as far as its disk allows."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from syncer import mounts
from syncer.hints import Hints
from syncer.watching import Unwatchable, Watched, Watching

Watch = Literal["auto", "polling", "off"]
WATCHES: dict[object, Watch] = {"auto": "auto", "polling": "polling", "off": "off", False: "off", True: "auto"}
"""What a marker may say; YAML makes a boolean of `off`."""
MOUNTINFO = Path("/proc/self/mountinfo")
OFF = Watched(mode="off", note="nothing is watched, as the marker says: scans find what changes")
WISHED = Watched(mode="polling", note="folders are compared every minute, as the marker says")
SHARED = Watched(
    mode="polling",
    note="other machines may write to this disk, of which the kernel tells nothing: folders are compared every minute",
)


@dataclass(frozen=True)
class Wish:
    """What a marker wishes of watching, and the paths of which nobody needs to hear."""

    watch: Watch
    patterns: tuple[str, ...]
    is_passed_over: Callable[[bytes], bool]


def wished(watch: object) -> tuple[Watch, list[str]]:
    """How a marker wishes a repository to be watched, and what makes no sense of it."""
    if isinstance(watch, (str, bool)) and watch in WATCHES:
        return WATCHES[watch], []
    return "auto", [f"watch makes no sense: {str(watch)[:40]!r}; write auto, polling or off; auto is used"]


class Listening:
    """The watching of one repository, begun anew when its disk or its marker changed; `close` it at the end."""

    def __init__(self, root: bytes, hints: Hints) -> None:
        self._root = root
        self._hints = hints
        self._watching: Watching | None = None
        self._known: tuple[Watch, tuple[str, ...]] | None = None

    async def attend(self, wish: Wish) -> Watched:
        """How changes are noticed from now on; to be asked before each scan, for that is how disks are seen to change.

        What is watched is watched to its depths when this returns, so that a scan that follows misses nothing.
        """
        known = (wish.watch, wish.patterns)
        if self._watching and not (known == self._known and await asyncio.to_thread(self._watching.stands)):
            await self.close()
        if self._watching:
            return self._watching.state()
        self._known = known
        return await self._begin(wish)

    def go_round(self) -> None:
        """See soon whether every folder is watched; to be asked for after each whole scan."""
        if self._watching:
            self._watching.go_round()

    async def close(self) -> None:
        """Watch no more."""
        watching, self._watching = self._watching, None
        if watching:
            await asyncio.to_thread(watching.close)

    async def _begin(self, wish: Wish) -> Watched:
        if wish.watch == "off":
            return OFF
        if wish.watch == "polling":
            return WISHED
        if not await asyncio.to_thread(tells_all, self._root):
            return SHARED
        try:
            self._watching = Watching(self._root, self._hints, wish.is_passed_over)
        except Unwatchable as error:
            return Watched(mode="polling", note=str(error))
        await self._watching.until_watched()
        return self._watching.state()


def tells_all(root: bytes) -> bool:
    """Whether the kernel hears of all that changes in a repository, for its disk is this machine's."""
    return mounts.tells_all(MOUNTINFO.read_bytes(), os.path.realpath(root))
