"""The SQL of work on many assets at once: what was asked for, what is left of it, and who is at it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from common.db import Connection, struct_row
from gateway.filter_schemas import AssetFilter
from gateway.queries import filters

SHOWN = 100


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """Work on many assets, and how far it is."""

    operation_id: int
    action: dict[str, Any]
    filter: dict[str, Any] | None
    state: str
    total: int
    done: int
    changed: int
    failed: int
    error: str | None
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier request asked for."""

    operation_id: int
    action: dict[str, Any]
    filter: dict[str, Any] | None
    named_hash: bytes | None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why something could not be done with some assets of an operation."""

    operation_id: int
    reason: str
    count: int
    asset_ids: list[UUID]


async def count_open(conn: Connection, *, owner: int) -> int:
    """How many operations of the owner are not at their end."""
    cursor = await conn.execute(
        "select count(*) from operations where owner_id = %s and state in ('waiting', 'running')", (owner,)
    )
    return int((await cursor.fetchall())[0][0])


async def find_by_key(conn: Connection, key: str, *, owner: int) -> Asked | None:
    """What an idempotency key of the owner stands for."""
    async with conn.cursor(row_factory=struct_row(Asked)) as cursor:
        await cursor.execute(
            """
            select operation_id, action, filter, named_hash
            from operations
            where owner_id = %s and request_key = %s
            """,
            (owner, key),
        )
        return await cursor.fetchone()


async def add(
    conn: Connection,
    action: Mapping[str, Any],
    *,
    owner: int,
    chosen: Mapping[str, Any] | None,
    named: bytes | None,
    key: str | None,
) -> int | None:
    """A new operation, without assets so far; None when the owner's key stands for another one."""
    cursor = await conn.execute(
        """
        insert into operations (owner_id, action, filter, named_hash, request_key)
        values (%s, %s, %s, %s, %s)
        on conflict (owner_id, request_key) do nothing
        returning operation_id
        """,
        (owner, Jsonb(action), None if chosen is None else Jsonb(chosen), named, key),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def choose_named(conn: Connection, operation_id: int, asset_ids: Sequence[UUID], *, size: int) -> None:
    """The operation is about these assets, so many at a time."""
    await conn.execute(
        """
        insert into operation_batches (operation_id, number, asset_ids)
        select %(operation)s, number, array_agg(asset_id order by asset_id)
        from (
            select asset_id, (row_number() over (order by asset_id) - 1) / %(size)s as number
            from unnest(%(assets)s::uuid[]) given (asset_id)
        ) numbered
        group by number
        """,
        {"operation": operation_id, "assets": list(asset_ids), "size": size},
    )


async def choose_filtered(conn: Connection, operation_id: int, wanted: AssetFilter, *, owner: int, size: int) -> None:
    """The operation is about those of the owner's assets that the filter chooses at this moment."""
    condition, values = filters.condition(wanted, owner=owner)
    statement = SQL(
        """
        insert into operation_batches (operation_id, number, asset_ids)
        select %(operation)s, number, array_agg(asset_id order by asset_id)
        from (
            select a.asset_id, (row_number() over (order by a.asset_id) - 1) / %(batch_size)s as number
            from assets a
            where {condition}
        ) numbered
        group by number
        """
    ).format(condition=condition)
    await conn.execute(statement, {**values, "operation": operation_id, "batch_size": size})


async def choose_tagged(conn: Connection, operation_id: int, tag_id: int, *, size: int) -> None:
    """The operation is about all that has a tag or one below it, wherever it is."""
    await conn.execute(
        """
        insert into operation_batches (operation_id, number, asset_ids)
        select %(operation)s, number, array_agg(asset_id order by asset_id)
        from (
            select asset_id, (row_number() over (order by asset_id) - 1) / %(size)s as number
            from asset_tags
            where tag_id = %(tag)s
        ) numbered
        group by number
        """,
        {"operation": operation_id, "tag": tag_id, "size": size},
    )


async def save_total(conn: Connection, operation_id: int) -> int:
    """Say how many assets the operation is about, which are chosen; one about none is done."""
    cursor = await conn.execute(
        """
        update operations o
        set total = chosen.total,
            state = case chosen.total when 0 then 'done' else state end,
            ended_at = case chosen.total when 0 then now() end
        from (
            select coalesce(sum(cardinality(asset_ids)), 0)::int as total
            from operation_batches
            where operation_id = %(operation)s
        ) chosen
        where o.operation_id = %(operation)s
        returning o.total
        """,
        {"operation": operation_id},
    )
    return int((await cursor.fetchall())[0][0])


async def stop(conn: Connection, operation_id: int, *, owner: int) -> bool:
    """Do nothing more of it; False when it was at its end."""
    cursor = await conn.execute(
        """
        update operations
        set state = 'stopped', ended_at = now(), lease_until = null
        where operation_id = %s and owner_id = %s and state in ('waiting', 'running')
        """,
        (operation_id, owner),
    )
    if cursor.rowcount:
        await forget_rest(conn, operation_id)
    return bool(cursor.rowcount)


async def forget_rest(conn: Connection, operation_id: int) -> None:
    """Nobody is going to do what is left of it."""
    await conn.execute("delete from operation_batches where operation_id = %s", (operation_id,))


async def forget_old(conn: Connection, *, owner: int, days: int) -> None:
    """What ended long ago nobody asks for."""
    await conn.execute(
        "delete from operations where owner_id = %s and ended_at < now() - make_interval(days => %s)", (owner, days)
    )


async def list_page(
    conn: Connection, *, owner: int, operation_id: int | None, after: int | None, limit: int
) -> list[Operation]:
    """What the owner asked for, the newest first, or just this one."""
    async with conn.cursor(row_factory=struct_row(Operation)) as cursor:
        await cursor.execute(
            """
            select operation_id, action, filter, state, total, done, changed, failed, error,
                   username as asked_by, asked_at, started_at, ended_at
            from operations o
            join users u on u.user_id = o.owner_id
            where o.owner_id = %(owner)s
              and (%(operation)s::bigint is null or operation_id = %(operation)s)
              and (%(after)s::bigint is null or operation_id < %(after)s)
            order by operation_id desc
            limit %(limit)s
            """,
            {"owner": owner, "operation": operation_id, "after": after, "limit": limit},
        )
        return await cursor.fetchall()


async def list_failures(conn: Connection, operation_ids: Sequence[int]) -> list[Failure]:
    """Why things could not be done, the most frequent reasons first."""
    async with conn.cursor(row_factory=struct_row(Failure)) as cursor:
        await cursor.execute(
            """
            select operation_id, reason, count(*) as count,
                   (array_agg(asset_id order by asset_id))[1:%s] as asset_ids
            from operation_failures
            where operation_id = any(%s)
            group by operation_id, reason
            order by count(*) desc, reason
            """,
            (SHOWN, list(operation_ids)),
        )
        return await cursor.fetchall()
