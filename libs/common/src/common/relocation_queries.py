"""The SQL of wishes that originals lie by another strategy, as whoever wishes them needs it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from common.relocating import Order, Stored


class Relocation(msgspec.Struct, frozen=True, kw_only=True):
    """A wish and how far it is; `is_listed` once everything that is to move is known."""

    relocation_id: int
    repository: str
    strategy: Order
    state: Literal["running", "stopped", "done"]
    is_listed: bool
    asked_at: datetime
    ended_at: datetime | None
    trouble: str | None
    due: int
    moved: int
    left: int


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why originals were left where they are, how many, and one of them."""

    reason: str
    count: int
    example: bytes


async def list_stored(conn: Connection, repository_id: UUID, *, after: bytes, limit: int) -> list[Stored]:
    """Some originals of a repository's inbox, in the order of their paths."""
    async with conn.cursor(row_factory=struct_row(Stored)) as cursor:
        await cursor.execute(
            """
            select f.file_record_id, f.path, f.state, a.asset_id, a.content_hash, a.mime_type, a.original_filename,
                   a.uploaded_at, coalesce(a.edited_taken_at, a.taken_at) as taken_at
            from file_records f
            join assets a on a.asset_id = f.asset_id
            where f.repository_id = %s
              and f.path > %s
              and f.path >= 'inbox/'
              and f.path < 'inbox0'
            order by f.path
            limit %s
            """,
            (repository_id, after, limit),
        )
        return await cursor.fetchall()


async def request(conn: Connection, repository_id: UUID, order: Order) -> bool:
    """Have originals ordered so; False when others are being moved there. What ended long ago is forgotten."""
    await conn.execute(
        "delete from relocations where repository_id = %s and tidied_at < now() - interval '30 days'",
        (repository_id,),
    )
    cursor = await conn.execute(
        """
        insert into relocations (repository_id, strategy)
        values (%s, %s)
        on conflict (repository_id) where state = 'running' do nothing
        returning true
        """,
        (repository_id, order),
    )
    return await cursor.fetchone() is not None


async def stop(conn: Connection, repository_id: UUID) -> bool:
    """Leave the rest where it is; False when nothing is being moved."""
    cursor = await conn.execute(
        """
        update relocations
        set state = 'stopped', ended_at = now(), trouble = null
        where repository_id = %s and state = 'running'
        returning true
        """,
        (repository_id,),
    )
    return await cursor.fetchone() is not None


async def list_relocations(conn: Connection, *, limit: int) -> list[Relocation]:
    """The latest wishes of all repositories, the newest first."""
    async with conn.cursor(row_factory=struct_row(Relocation)) as cursor:
        await cursor.execute(
            """
            select l.relocation_id, r.name as repository, l.strategy, l.state,
                   l.marked_at is not null and (l.listed_to is null or l.round > 1) as is_listed,
                   l.asked_at, l.ended_at, l.trouble, m.due, m.moved, m.left
            from relocations l
            join repositories r on r.repository_id = l.repository_id
            cross join lateral (
                select count(*) filter (where state = 'due') as due,
                       count(*) filter (where state = 'moved') as moved,
                       count(*) filter (where state = 'left') as left
                from moves
                where moves.relocation_id = l.relocation_id
            ) m
            order by l.relocation_id desc
            limit %s
            """,
            (limit,),
        )
        return await cursor.fetchall()


async def list_reasons(conn: Connection, relocation_ids: Sequence[int], *, limit: int) -> list[Reason]:
    """Why originals were left, the most frequent reason first."""
    async with conn.cursor(row_factory=struct_row(Reason)) as cursor:
        await cursor.execute(
            """
            select reason, count(*) as count, min(source) as example
            from moves
            where relocation_id = any(%s) and state = 'left'
            group by reason
            order by count(*) desc, reason
            limit %s
            """,
            (list(relocation_ids), limit),
        )
        return await cursor.fetchall()
