"""What threads that watch tell the loop that scans: dirty folders, in batches, once it has been quiet for a moment."""

import asyncio
import threading
import time
from collections.abc import Callable

from syncer.dirty import MOST, Batch, Dirty

QUIET = 0.5
LATEST = 3.0


class Hints:
    """Folders to look at; told from any thread, asked for by the loop in which this was made."""

    def __init__(self, *, quiet: float = QUIET, latest: float = LATEST, most: int = MOST) -> None:
        self._quiet = quiet
        self._latest = latest
        self._loop = asyncio.get_running_loop()
        self._told = asyncio.Event()
        self._lock = threading.Lock()
        self._dirty = Dirty(most)
        self._due_at = self._due_latest = 0.0

    def add(self, folder: bytes) -> None:
        """Names or files directly in a folder changed; b"" is the root."""
        self._note(folder, Dirty.add)

    def add_tree(self, folder: bytes) -> None:
        """Anything in a folder or below it may have changed."""
        self._note(folder, Dirty.add_tree)

    def add_all(self, batch: Batch) -> None:
        """What another batch told."""
        for tree in batch.trees:
            self.add_tree(tree)
        for folder in batch.folders:
            self.add(folder)

    async def next(self) -> Batch:
        """The next batch: when nothing was added for a moment, or the first of it has waited long enough."""
        await self._told.wait()
        while (wait := min(self._due_at, self._due_latest) - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        with self._lock:
            self._told.clear()
            return self._dirty.take()

    def _note(self, folder: bytes, add: Callable[[Dirty, bytes], None]) -> None:
        now = time.monotonic()
        with self._lock:
            is_first = not self._dirty
            if is_first:
                self._due_latest = now + self._latest
            self._due_at = now + self._quiet
            add(self._dirty, folder)
            if is_first:
                self._loop.call_soon_threadsafe(self._told.set)
