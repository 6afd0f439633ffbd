"""The SQL of turns at an operation: who works on it, batch by batch, until it is at its end."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from gateway.queries.operations import forget_rest


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """The right to work on an operation, until somebody newer has it."""

    operation_id: int
    owner_id: int
    action: dict[str, Any]
    lease_epoch: int
    tries: int


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Some assets that are to be done together; none when all are done."""

    number: int | None
    asset_ids: list[UUID] | None
    is_last: bool


async def take_turn(conn: Connection, operation_id: int | None, *, lease_seconds: float) -> Turn | None:
    """The operation whose turn it is, or this one: never before an earlier one of its owner is at its end."""
    async with conn.cursor(row_factory=struct_row(Turn)) as cursor:
        await cursor.execute(
            """
            update operations o
            set state = 'running',
                lease_epoch = o.lease_epoch + 1,
                lease_until = now() + make_interval(secs => %(lease)s),
                started_at = coalesce(o.started_at, now())
            from (
                select operation_id
                from operations due
                where state in ('waiting', 'running')
                  and turn_at <= now()
                  and (lease_until is null or lease_until <= now())
                  and (%(operation)s::bigint is null or operation_id = %(operation)s)
                  and not exists (
                      select
                      from operations earlier
                      where earlier.owner_id = due.owner_id
                        and earlier.operation_id < due.operation_id
                        and earlier.state in ('waiting', 'running')
                  )
                order by turn_at, operation_id
                limit 1
                for update skip locked
            ) due
            where o.operation_id = due.operation_id
            returning o.operation_id, o.owner_id, o.action, o.lease_epoch, o.tries
            """,
            {"operation": operation_id, "lease": lease_seconds},
        )
        return await cursor.fetchone()


async def lock_batch(conn: Connection, turn: Turn) -> Batch | None:
    """What is to be done next, held until the transaction ends; None when the turn is not the caller's any more."""
    cursor = await conn.execute(
        """
        select from operations
        where operation_id = %s and lease_epoch = %s and state = 'running'
        for no key update
        """,
        (turn.operation_id, turn.lease_epoch),
    )
    if not cursor.rowcount:
        return None
    async with conn.cursor(row_factory=struct_row(Batch)) as rows:
        await rows.execute(
            """
            select number, asset_ids, count(*) over () < 2 as is_last
            from (
                select number, asset_ids from operation_batches where operation_id = %s order by number limit 2
            ) following
            order by number
            limit 1
            """,
            (turn.operation_id,),
        )
        return await rows.fetchone() or Batch(number=None, asset_ids=None, is_last=True)


async def save_batch(
    conn: Connection, turn: Turn, batch: Batch, *, changed: int, failures: Mapping[UUID, str], lease_seconds: float
) -> None:
    """A batch is done, with this change and these failures; the operation with it if it was the last."""
    await conn.execute(
        "delete from operation_batches where operation_id = %s and number = %s", (turn.operation_id, batch.number)
    )
    await conn.execute(
        """
        insert into operation_failures (operation_id, asset_id, reason)
        select %s, asset_id, reason from unnest(%s::uuid[], %s::text[]) failed (asset_id, reason)
        on conflict do nothing
        """,
        (turn.operation_id, list(failures), list(failures.values())),
    )
    await conn.execute(
        """
        update operations
        set done = done + %(done)s,
            changed = changed + %(changed)s,
            failed = failed + %(failed)s,
            tries = 0,
            state = case when %(is_last)s then 'done' else state end,
            ended_at = case when %(is_last)s then now() end,
            lease_until = case when not %(is_last)s then now() + make_interval(secs => %(lease)s) end
        where operation_id = %(operation)s
        """,
        {
            "operation": turn.operation_id,
            "done": len(batch.asset_ids or ()),
            "changed": changed,
            "failed": len(failures),
            "is_last": batch.is_last,
            "lease": lease_seconds,
        },
    )


async def give_turn(conn: Connection, turn: Turn, *, after: float = 0, is_failure: bool = False) -> None:
    """Let others go first, for some seconds at least."""
    await conn.execute(
        """
        update operations
        set lease_until = null, turn_at = now() + make_interval(secs => %s), tries = tries + %s
        where operation_id = %s and lease_epoch = %s and state = 'running'
        """,
        (after, int(is_failure), turn.operation_id, turn.lease_epoch),
    )


async def give_up(conn: Connection, turn: Turn, reason: str) -> None:
    """It cannot be done, for a reason that people can act on; what was done stays done."""
    cursor = await conn.execute(
        """
        update operations
        set state = 'failed', error = %s, ended_at = now(), lease_until = null
        where operation_id = %s and lease_epoch = %s and state = 'running'
        """,
        (reason, turn.operation_id, turn.lease_epoch),
    )
    if cursor.rowcount:
        await forget_rest(conn, turn.operation_id)
