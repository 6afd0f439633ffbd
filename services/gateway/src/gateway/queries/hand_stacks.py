"""The SQL of stacks that people made: which there are, and what is in each."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody put together and what of it is shown, the cover first; one of fewer than two is none."""

    stack_id: int
    asset_ids: list[UUID]
    created_at: datetime


async def find_held(conn: Connection, asset_ids: Sequence[UUID]) -> tuple[UUID, int] | None:
    """One of the assets that is in a stack, and in which."""
    cursor = await conn.execute(
        "select asset_id, stack_id from stack_assets where asset_id = any(%s) order by asset_id limit 1",
        (list(asset_ids),),
    )
    return await cursor.fetchone()


async def add(conn: Connection, *, owner: int, cover: UUID) -> int:
    """A new stack, without assets so far."""
    cursor = await conn.execute(
        "insert into stacks (owner_id, cover_asset_id) values (%s, %s) returning stack_id", (owner, cover)
    )
    return int((await cursor.fetchall())[0][0])


async def put(conn: Connection, stack_id: int, asset_ids: Sequence[UUID]) -> int:
    """Put assets into a stack in their order; how many, as none is taken out of another one."""
    cursor = await conn.execute(
        """
        insert into stack_assets (asset_id, stack_id, position)
        select asset_id, %s, place
        from unnest(%s::uuid[]) with ordinality given (asset_id, place)
        order by asset_id
        on conflict do nothing
        """,
        (stack_id, list(asset_ids)),
    )
    return cursor.rowcount


async def list_assets(conn: Connection, stack_id: int, *, owner: int) -> list[UUID]:
    """All that is in one of the owner's stacks, shown or not."""
    cursor = await conn.execute(
        """
        select asset_id
        from stack_assets
        join stacks using (stack_id)
        where stack_id = %s and owner_id = %s
        order by position, asset_id
        """,
        (stack_id, owner),
    )
    return [row[0] for row in await cursor.fetchall()]


async def save_cover(conn: Connection, stack_id: int, cover: UUID) -> None:
    """Have one of its assets stand for a stack."""
    await conn.execute("update stacks set cover_asset_id = %s where stack_id = %s", (cover, stack_id))


async def forget(conn: Connection, stack_id: int) -> None:
    """Take a stack apart; its assets stay."""
    await conn.execute("delete from stacks where stack_id = %s", (stack_id,))


async def list_page(
    conn: Connection, *, owner: int, stack_id: int | None = None, after: int | None = None, limit: int = 1
) -> list[Stack]:
    """The owner's stacks of which two assets at least are shown, the newest first, or just this one."""
    async with conn.cursor(row_factory=struct_row(Stack)) as cursor:
        await cursor.execute(
            """
            select s.stack_id, s.created_at, shown.asset_ids
            from stacks s,
            lateral (
                select array_agg(
                           x.asset_id order by x.asset_id is distinct from s.cover_asset_id, x.position, x.asset_id
                       ) as asset_ids
                from stack_assets x
                join assets a on a.asset_id = x.asset_id
                where x.stack_id = s.stack_id
                  and a.trashed_at is null
                  and a.missing_since is null
            ) shown
            where s.owner_id = %(owner)s
              and (%(stack)s::int is null or s.stack_id = %(stack)s)
              and (%(after)s::int is null or s.stack_id < %(after)s)
              and cardinality(shown.asset_ids) > 1
            order by s.stack_id desc
            limit %(limit)s
            """,
            {"owner": owner, "stack": stack_id, "after": after, "limit": limit},
        )
        return await cursor.fetchall()
