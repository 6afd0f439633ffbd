"""Runs over repositories and files of theirs, as rows that a syncer would have written."""

from typing import Any

import msgspec

from common.db import Pool
from tests.support.given import Repository


async def ran(
    pool: Pool,
    repository: Repository,
    state: str = "done",
    *,
    folder: bytes = b"",
    reason: str = "requested",
    is_quick: bool = False,
    asks: int | None = None,
    counts: dict[str, Any] | None = None,
) -> int:
    """A run in some state; returns its id."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            """
            insert into sync_operations (repository_id, folder, reason, is_quick, state, asks, counts)
            values (%s, %s, %s, %s, %s, %s, %s)
            returning operation_id
            """,
            (
                repository.repository_id,
                folder,
                reason,
                is_quick,
                state,
                asks,
                msgspec.json.encode(counts or {}).decode(),
            ),
        )
        return int((await cursor.fetchall())[0][0])


async def recorded(pool: Pool, repository: Repository, path: bytes, state: str = "present", **more: object) -> None:
    """A file of ten bytes, or as `more` says."""
    columns = {
        "repository_id": repository.repository_id,
        "path": path,
        "display_name": path.decode(errors="replace"),
        "size": 10,
        "modified_ns": 0,
        "inode": 0,
        "state": state,
        **more,
    }
    async with pool.connection() as conn:
        names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
        await conn.execute(f"insert into file_records ({names}) values ({places})".encode(), list(columns.values()))
