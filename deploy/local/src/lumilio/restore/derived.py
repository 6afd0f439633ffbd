"""What was made of originals and is not on the disk is made again, as soon as anybody works."""

import os
from collections.abc import Sequence

from psycopg import AsyncConnection

from common import layout
from lumilio import verify_queries
from lumilio.restore import queries
from lumilio.verify_queries import Derived

BATCH = 1000


async def make_again(database_url: str) -> int:
    """Have the work due that makes what is missing; returns how many files that is."""
    missing, after = 0, (verify_queries.FIRST, "")
    async with await AsyncConnection.connect(database_url, autocommit=True) as conn:
        while page := await verify_queries.list_derived(conn, after=after, limit=BATCH):
            if found := _missing(page):
                versions = [(one.asset_id, one.kind) for one in found if _stage(one.path) == "transcode"]
                await queries.make_again(conn, [(one.asset_id, _stage(one.path)) for one in found])
                await queries.forget_versions(conn, versions)
                missing += len(found)
            after = (page[-1].asset_id, page[-1].kind)
    return missing


def _missing(page: Sequence[Derived]) -> list[Derived]:
    """Those that are not there; of a repository that is away nobody knows."""
    there = {home for home in {one.home for one in page} if os.path.lexists(os.path.join(home, layout.MARKER))}
    return [one for one in page if one.home in there and not os.path.lexists(os.path.join(one.home, one.path))]


def _stage(path: bytes) -> str:
    return next(stage for folder, stage in layout.DERIVED.items() if path.startswith(folder + b"/"))
