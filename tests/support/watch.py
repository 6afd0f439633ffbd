"""A folder that is watched, and what is told of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from syncer.hints import Hints
from syncer.watching import Watched, Watching
from tests.support.waiting import until

QUIET = 0.05


def passed_over(path: bytes) -> bool:
    """Hidden names, names of unfinished files, and the folder of the server."""
    name = path.rpartition(b"/")[2]
    return path == b"inbox" or name.startswith(b".") or name.endswith(b".tmp")


@dataclass
class Watch:
    """What was told since the beginning or since `forget`."""

    root: Path
    hints: Hints
    watching: Watching
    folders: set[bytes] = field(default_factory=set)
    trees: set[bytes] = field(default_factory=set)

    def forget(self) -> None:
        self.folders.clear()
        self.trees.clear()

    def covers(self, folder: str) -> bool:
        """Whether a look at the folder was asked for."""
        path = folder.encode()
        parents = {path[:end] for end, byte in enumerate(path) if byte == ord("/")} | {path, b""}
        return path in self.folders or bool(parents & self.trees)

    async def until_covered(self, *folders: str) -> None:
        await until(lambda: all(map(self.covers, folders)), what=f"{folders} told; so far {self}")

    async def until_watched(self, folders: int) -> Watched:
        """The state once so many folders are watched."""
        await until(
            lambda: self.watching.state().folders == folders, what=f"{folders} folders, {self.watching.state()}"
        )
        return self.watching.state()

    async def until_heard(self) -> None:
        """Return when all that happened was told: what happens last, in a folder for that, is."""
        (self.root / "heard/last").touch()
        await until(lambda: b"heard" in self.folders)
        self.folders.discard(b"heard")

    async def listen(self) -> None:
        while True:
            batch = await self.hints.next()
            self.folders |= set(batch.folders)
            self.trees |= set(batch.trees)


@asynccontextmanager
async def watched(root: Path) -> AsyncIterator[Watch]:
    """A folder that is watched to its depths, and quiet."""
    hints = Hints(quiet=QUIET, latest=0.3)
    watching = Watching(bytes(root), hints, passed_over)
    watch = Watch(root, hints, watching)
    listening = asyncio.create_task(watch.listen())
    try:
        await watching.until_watched()
        yield watch
    finally:
        listening.cancel()
        await asyncio.to_thread(watching.close)
