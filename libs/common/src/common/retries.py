"""Tries again what failed, however much that is: a few rows at a time, so that no statement lasts."""

from datetime import datetime
from uuid import UUID

import msgspec

from common import retry_queries as queries
from common.db import Connection

BATCH = 2000


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """Which failures are meant; null where it does not matter."""

    stage: str | None = None
    error_class: str | None = None
    repository: UUID | None = None


ANY = Failed()


async def retry(conn: Connection, failed: Failed = ANY, *, owner: int | None = None) -> int:
    """Make what failed due again, of one owner or of all; returns how many. Many give way to what people wait for.

    `conn` commits each statement, so repeating goes on where an interrupted call ended. What fails meanwhile has had
    its turn.
    """
    began = await queries.find_now(conn)
    owners = await queries.list_owners(conn) if owner is None else [owner]
    return sum([await _retry_of(conn, failed, one, began) for one in owners])


async def _retry_of(conn: Connection, failed: Failed, owner: int, began: datetime) -> int:
    retried = 0
    while True:
        found = await queries.retry_some(conn, owner=owner, before=began, limit=BATCH, **msgspec.structs.asdict(failed))
        retried += found
        if found < BATCH:
            return retried
