"""Which folders a quick scan lists: those in which names may have changed since they were listed last."""

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from common.db import Pool, glance
from syncer import snapshot
from syncer.area import Area
from syncer.queries import scanning
from syncer.queries.scanning import Listed

PAGE = 10_000


@dataclass
class Quick:
    """Compares the folders of a repository with when each was listed; of the root only this process knows that."""

    pool: Pool
    repository_id: UUID
    root: bytes
    root_ns: int = 0

    async def area(self, below: bytes = b"") -> Area:
        """What is to be listed of a folder and all below it."""
        changed, page = await self._top(below), [Listed(below, 0)]
        while page:
            async with glance(self.pool) as conn:
                page = await scanning.list_listed(
                    conn, self.repository_id, below=below, after=page[-1].path, limit=PAGE
                )
            changed |= await asyncio.to_thread(_differing, self.root, page)
        return Area(frozenset(), frozenset(changed))

    def forget(self) -> None:
        """What was to be listed was not, so look at it again."""
        self.root_ns = 0

    async def _top(self, below: bytes) -> set[bytes]:
        if below:
            return {below}
        before, self.root_ns = self.root_ns, await asyncio.to_thread(_root_ns, self.root)
        return set() if self.root_ns and self.root_ns == before else {b""}


def _differing(root: bytes, known: Iterable[Listed]) -> set[bytes]:
    """The folders that are not as they were listed, or cannot be seen; a folder that is gone is one of these."""
    return {folder.path for folder in known if _changed_ns(os.path.join(root, folder.path)) != folder.modified_ns}


def _changed_ns(path: bytes) -> int:
    try:
        return snapshot.changed_ns(os.lstat(path))
    except OSError:
        return -1


def _root_ns(root: bytes) -> int:
    """When names in the root changed, if that may be relied upon; else 0."""
    try:
        return snapshot.settled_ns(os.stat(root))
    except OSError:
        return 0
