"""The SQL of deleting users: how much they leave behind, and what is to become of it."""

from typing import Literal

import msgspec

from common.db import Connection, struct_row


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has: so many assets of so many bytes, and how many of them nobody may remove from their disk."""

    assets: int
    bytes: int
    read_only: int


async def measure(conn: Connection, user_id: int) -> Total:
    """How much a user leaves behind."""
    async with conn.cursor(row_factory=struct_row(Total)) as cursor:
        await cursor.execute(
            """
            select count(*) as assets, coalesce(sum(size), 0)::bigint as bytes,
                   count(*) filter (where exists (
                       select
                       from file_records f
                       join repositories r on r.repository_id = f.repository_id
                       where f.asset_id = a.asset_id and r.private_root is not null
                   )) as read_only
            from assets a
            where owner_id = %s
            """,
            (user_id,),
        )
        return (await cursor.fetchall())[0]


async def is_receiver(conn: Connection, user_id: int) -> bool:
    """Whether somebody who leaves has their assets given to this user."""
    cursor = await conn.execute("select exists (select from departures where receiver_id = %s)", (user_id,))
    return bool((await cursor.fetchall())[0][0])


async def save_departure(
    conn: Connection, user_id: int, *, fate: Literal["transfer", "trash_and_purge"], receiver: int | None, asked_by: int
) -> None:
    """A user leaves; what is wished last counts for what is left of their assets."""
    await conn.execute(
        """
        insert into departures (user_id, fate, receiver_id, asked_by)
        values (%(user)s, %(fate)s, %(receiver)s, %(by)s)
        on conflict (user_id) do update
        set fate = excluded.fate, receiver_id = excluded.receiver_id, asked_by = excluded.asked_by, asked_at = now()
        """,
        {"user": user_id, "fate": fate, "receiver": receiver, "by": asked_by},
    )
