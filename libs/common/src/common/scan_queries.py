"""The SQL of runs over a repository: wished for by people, programs and schedules, and what became of them."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row

Reason = Literal["startup", "daily", "full", "quick", "watch", "return", "vanished", "requested"]
State = Literal["queued", "running", "done", "partial", "asking", "failed"]


class Counts(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a run has seen and found so far.

    `gone` were called missing, of which `hidden` assets have no file left. `skipped` counts names that are passed over,
    by what they are; `linked` files have several names; `strays` lie in the inbox and are no upload's. `troubles` says
    what could not be seen, and `examples` are some files that were not found and not called missing.
    """

    folders: int = 0
    files: int = 0
    bytes: int = 0
    new: int = 0
    changed: int = 0
    moved: int = 0
    returned: int = 0
    gone: int = 0
    hidden: int = 0
    strays: int = 0
    linked: int = 0
    skipped: dict[str, int] = msgspec.field(default_factory=dict)
    troubles: list[str] = msgspec.field(default_factory=list)
    examples: list[str] = msgspec.field(default_factory=list)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One run over a repository or a folder of it; `counts` are as in `Counts`."""

    operation_id: int
    repository_id: UUID
    folder: bytes
    reason: Reason
    is_quick: bool
    state: State
    requested_by: int | None
    allowed: int | None
    asks: int | None
    counts: dict[str, Any]
    error: str | None
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


async def request_scan(
    conn: Connection,
    repository_id: UUID,
    folder: bytes,
    *,
    reason: Reason,
    requested_by: int | None = None,
    is_quick: bool = False,
    allowed: int | None = None,
) -> int:
    """Have a repository, or a folder of it, looked at; what waits already for the same is not doubled.

    `allowed` is how many files the run may call missing, where a person said so.
    """
    await conn.execute("select pg_advisory_xact_lock(hashtextextended(%s::uuid::text, 0))", (repository_id,))
    cursor = await conn.execute(
        """
        with waiting as (
            update sync_operations
            set allowed = coalesce(greatest(allowed, %(allowed)s::int), allowed, %(allowed)s),
                requested_by = coalesce(requested_by, %(requested_by)s::int)
            where operation_id = (
                select min(operation_id)
                from sync_operations
                where repository_id = %(repository)s
                  and folder = %(folder)s
                  and is_quick = %(quick)s
                  and state = 'queued'
            )
              and state = 'queued'
            returning operation_id
        ), added as (
            insert into sync_operations (repository_id, folder, reason, is_quick, requested_by, allowed)
            select %(repository)s, %(folder)s, %(reason)s, %(quick)s, %(requested_by)s, %(allowed)s
            where not exists (select from waiting)
            returning operation_id
        )
        select operation_id from waiting union all select operation_id from added
        """,
        {
            "repository": repository_id,
            "folder": folder,
            "reason": reason,
            "quick": is_quick,
            "requested_by": requested_by,
            "allowed": allowed,
        },
    )
    operation_id: int = (await cursor.fetchall())[0][0]
    return operation_id


async def list_operations(
    conn: Connection, repository_id: UUID, *, before: int | None = None, limit: int
) -> list[Operation]:
    """Runs over a repository before the given one, newest first."""
    async with conn.cursor(row_factory=struct_row(Operation)) as cursor:
        await cursor.execute(
            """
            select operation_id, repository_id, folder, reason, is_quick, state, requested_by, allowed, asks, counts,
                   error, requested_at, started_at, ended_at
            from sync_operations
            where repository_id = %(repository)s
              and operation_id < coalesce(%(before)s, 9223372036854775807)
            order by operation_id desc
            limit %(limit)s
            """,
            {"repository": repository_id, "before": before, "limit": limit},
        )
        return await cursor.fetchall()


async def find_operation(conn: Connection, operation_id: int, *, repository_id: UUID) -> Operation | None:
    """One run over a repository."""
    found = await list_operations(conn, repository_id, before=operation_id + 1, limit=1)
    return found[0] if found and found[0].operation_id == operation_id else None


async def list_open(conn: Connection, repository_id: UUID) -> list[Operation]:
    """The first hundred runs that are not over, the one at work first, then in the order of their wishes."""
    async with conn.cursor(row_factory=struct_row(Operation)) as cursor:
        await cursor.execute(
            """
            select operation_id, repository_id, folder, reason, is_quick, state, requested_by, allowed, asks, counts,
                   error, requested_at, started_at, ended_at
            from sync_operations
            where repository_id = %s
              and state in ('queued', 'running')
            order by state = 'running' desc, operation_id
            limit 100
            """,
            (repository_id,),
        )
        return await cursor.fetchall()


async def list_last(conn: Connection, repository_id: UUID) -> list[Operation]:
    """The last run over a repository that is over, for each reason that there can be."""
    async with conn.cursor(row_factory=struct_row(Operation)) as cursor:
        await cursor.execute(
            """
            select o.operation_id, o.repository_id, o.folder, o.reason, o.is_quick, o.state, o.requested_by, o.allowed,
                   o.asks, o.counts, o.error, o.requested_at, o.started_at, o.ended_at
            from unnest(array['startup', 'daily', 'full', 'quick', 'watch', 'return', 'vanished', 'requested'])
                     wanted (reason)
            cross join lateral (
                select operation_id
                from sync_operations
                where repository_id = %s
                  and reason = wanted.reason
                  and state not in ('queued', 'running')
                order by operation_id desc
                limit 1
            ) last
            join sync_operations o on o.operation_id = last.operation_id
            order by o.operation_id desc
            """,
            (repository_id,),
        )
        return await cursor.fetchall()


async def find_asking(conn: Connection, repository_id: UUID) -> Operation | None:
    """The last run that asks whether so many files may be called missing, unless a later one needed not to ask."""
    async with conn.cursor(row_factory=struct_row(Operation)) as cursor:
        await cursor.execute(
            """
            select operation_id, repository_id, folder, reason, is_quick, state, requested_by, allowed, asks, counts,
                   error, requested_at, started_at, ended_at
            from sync_operations asking
            where repository_id = %s
              and state = 'asking'
              and not exists (
                  select from sync_operations later
                  where later.repository_id = asking.repository_id
                    and later.operation_id > asking.operation_id
                    and later.state in ('done', 'asking')
                    and later.is_quick <= asking.is_quick
                    and (later.folder in ('', asking.folder)
                         or substring(asking.folder for length(later.folder) + 1) = later.folder || '/')
              )
            order by operation_id desc
            limit 1
            """,
            (repository_id,),
        )
        return await cursor.fetchone()
