"""The SQL of an owner's trash."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended."""

    trashed_at: Annotated[datetime, msgspec.Meta(tz=True)]
    asset_id: UUID


class Trashed(msgspec.Struct, frozen=True, kw_only=True):
    """An asset in the trash, and what becomes of it."""

    asset_id: UUID
    trashed_at: datetime
    reason: str | None
    purged_after: datetime | None
    is_going: bool
    trouble: str | None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One of the owner's assets, and whether it lies in the trash."""

    asset_id: UUID
    is_trashed: bool


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """So many assets, and so many bytes of files."""

    count: int
    bytes: int


async def list_page(conn: Connection, *, owner: int, days: int, after: Cursor | None, limit: int) -> list[Trashed]:
    """What the owner threw away before the cursor, newest first; after so many days it goes by itself, if not zero."""
    async with conn.cursor(row_factory=struct_row(Trashed)) as cursor:
        await cursor.execute(
            """
            select a.asset_id, a.trashed_at, a.trash_reason as reason,
                   case when %(days)s > 0 and not exists (
                       select
                       from file_records f
                       join repositories r on r.repository_id = f.repository_id
                       where f.asset_id = a.asset_id and r.private_root is not null
                   ) then a.trashed_at + make_interval(days => %(days)s) end as purged_after,
                   p.asset_id is not null and s.state in ('pending', 'running') as is_going,
                   case when p.asset_id is not null and s.state in ('pending', 'failed') then s.error end as trouble
            from assets a
            left join purges p on p.asset_id = a.asset_id
            left join asset_stages s on s.asset_id = a.asset_id and s.stage = 'purge'
            where a.owner_id = %(owner)s
              and a.trashed_at is not null
              and (%(at)s::timestamptz is null or (a.trashed_at, a.asset_id) < (%(at)s, %(asset)s::uuid))
            order by a.trashed_at desc, a.asset_id desc
            limit %(limit)s
            """,
            {
                "owner": owner,
                "days": days,
                "at": after and after.trashed_at,
                "asset": after and after.asset_id,
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def measure_all(conn: Connection, *, owner: int) -> Total:
    """How much lies in the owner's trash."""
    async with conn.cursor(row_factory=struct_row(Total)) as cursor:
        await cursor.execute(
            """
            select count(*) as count, coalesce(sum(size), 0)::bigint as bytes
            from assets
            where owner_id = %s and trashed_at is not null
            """,
            (owner,),
        )
        return (await cursor.fetchall())[0]


async def measure(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> Total:
    """How many files' bytes these assets of the owner have, and how many assets they are."""
    async with conn.cursor(row_factory=struct_row(Total)) as cursor:
        await cursor.execute(
            """
            select count(distinct a.asset_id) as count, coalesce(sum(f.size), 0)::bigint as bytes
            from assets a
            left join file_records f on f.asset_id = a.asset_id and f.state = 'present'
            where a.asset_id = any(%s) and a.owner_id = %s
            """,
            (list(asset_ids), owner),
        )
        return (await cursor.fetchall())[0]


async def list_all(conn: Connection, *, owner: int) -> bytes:
    """The ids of all that lies in the owner's trash, in their order, one behind the other."""
    cursor = await conn.execute(
        """
        select coalesce(string_agg(uuid_send(asset_id), '' order by asset_id), '')
        from assets
        where owner_id = %s and trashed_at is not null
        """,
        (owner,),
    )
    return bytes((await cursor.fetchall())[0][0])


async def measure_files(conn: Connection, *, owner: int) -> int:
    """How many bytes the files of all have that lies in the owner's trash."""
    cursor = await conn.execute(
        """
        select coalesce(sum(f.size), 0)::bigint
        from assets a
        join file_records f on f.asset_id = a.asset_id and f.state = 'present'
        where a.owner_id = %s and a.trashed_at is not null
        """,
        (owner,),
    )
    return int((await cursor.fetchall())[0][0])


async def list_known(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> list[Known]:
    """Those of the assets that the owner has."""
    async with conn.cursor(row_factory=struct_row(Known)) as cursor:
        await cursor.execute(
            """
            select asset_id, trashed_at is not null as is_trashed
            from assets
            where asset_id = any(%s) and owner_id = %s
            order by asset_id
            """,
            (list(asset_ids), owner),
        )
        return await cursor.fetchall()


async def count_assets(conn: Connection, *, owner: int) -> int:
    """How many assets the owner has, in the trash or not."""
    cursor = await conn.execute("select count(*) from assets where owner_id = %s", (owner,))
    return int((await cursor.fetchall())[0][0])
