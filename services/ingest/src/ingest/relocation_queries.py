"""The SQL of moving the originals of an inbox: what is wished, what that means for each, and whose turn it is."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from common.relocating import Move, Order


class Relocation(msgspec.Struct, frozen=True, kw_only=True):
    """A wish that is not worked off; `listed_to` is None once all originals of its round are listed."""

    relocation_id: int
    repository_id: UUID
    root: bytes
    strategy: Order
    state: Literal["running", "stopped"]
    is_marked: bool
    round: int
    listed_to: bytes | None


async def list_open(conn: Connection) -> list[Relocation]:
    """The wishes with which something is left to do, the oldest first."""
    async with conn.cursor(row_factory=struct_row(Relocation)) as cursor:
        await cursor.execute(
            """
            select relocation_id, repository_id, root, strategy, l.state, marked_at is not null as is_marked, round,
                   listed_to
            from relocations l
            join repositories using (repository_id)
            where tidied_at is null
            order by relocation_id
            """
        )
        return await cursor.fetchall()


async def tell_trouble(conn: Connection, relocation_id: int, trouble: str | None) -> None:
    """Say what keeps a wish waiting."""
    await conn.execute(
        """
        update relocations
        set trouble = %(trouble)s
        where relocation_id = %(relocation)s and state = 'running' and trouble is distinct from %(trouble)s
        """,
        {"trouble": trouble, "relocation": relocation_id},
    )


async def mark(conn: Connection, relocation_id: int, *, clash: str) -> None:
    """Uploads go by the new strategy from here on."""
    await conn.execute(
        "update relocations set marked_at = now(), clash = %s where relocation_id = %s and marked_at is null",
        (clash, relocation_id),
    )


async def save_moves(
    conn: Connection, relocation: Relocation, moves: Sequence[Move], *, listed_to: bytes | None
) -> None:
    """List originals that belong elsewhere, up to a path or all; who was listed already had their turn."""
    await conn.execute(
        """
        insert into moves (relocation_id, file_record_id, source, goal, state, reason)
        select %(relocation)s, file_record_id, source, goal, case when reason is null then 'due' else 'left' end, reason
        from unnest(%(records)s::bigint[], %(sources)s::bytea[], %(goals)s::bytea[], %(reasons)s::text[])
            given (file_record_id, source, goal, reason)
        on conflict (relocation_id, file_record_id) do nothing
        """,
        {
            "relocation": relocation.relocation_id,
            "records": [one.file_record_id for one in moves],
            "sources": [one.source for one in moves],
            "goals": [one.goal for one in moves],
            "reasons": [one.reason for one in moves],
        },
    )
    await conn.execute(
        "update relocations set listed_to = %s where relocation_id = %s and round = %s",
        (listed_to, relocation.relocation_id, relocation.round),
    )


async def leave_others(conn: Connection, relocation_id: int, *, limit: int) -> None:
    """Of those whose turn it is, leave what is no original of the inbox any more, or can have no turn."""
    await conn.execute(
        """
        update moves m
        set state = 'left', reason = why.reason
        from (
            select next.file_record_id,
                   case
                       when f.asset_id is null then 'it is gone'
                       when f.state <> 'present' then 'it is no longer there as it was'
                       when substring(f.path from 1 for 6) <> 'inbox/' then 'it was moved elsewhere'
                       when s.state = 'failed' then 'an upload of it failed: see `lumilio failed`'
                   end as reason
            from (
                select file_record_id
                from moves
                where relocation_id = %(relocation)s and state = 'due'
                order by file_record_id
                limit %(limit)s
            ) next
            left join file_records f on f.file_record_id = next.file_record_id
            left join asset_stages s on s.asset_id = f.asset_id and s.stage = 'place'
        ) why
        where m.relocation_id = %(relocation)s
          and m.file_record_id = why.file_record_id
          and m.state = 'due'
          and why.reason is not null
        """,
        {"relocation": relocation_id, "limit": limit},
    )


async def reopen(conn: Connection, relocation_id: int, *, limit: int) -> bool:
    """Have those placed again whose turn it is; False when nobody is left. What people wait for goes first."""
    await conn.execute(
        """
        with ready as materialized (
            select s.asset_id
            from asset_stages s
            where s.stage = 'place'
              and s.state = 'done'
              and s.asset_id in (
                  select f.asset_id
                  from (
                      select file_record_id
                      from moves
                      where relocation_id = %(relocation)s and state = 'due'
                      order by file_record_id
                      limit %(limit)s
                  ) next
                  join file_records f on f.file_record_id = next.file_record_id
              )
            order by s.asset_id
            for update of s skip locked
        )
        update asset_stages s
        set state = 'pending', next_at = now(), lane = 1, deaths = 0, failures = 0, error_class = null, error = null,
            changed_at = now()
        from ready
        where s.asset_id = ready.asset_id
          and s.stage = 'place'
        """,
        {"relocation": relocation_id, "limit": limit},
    )
    cursor = await conn.execute(
        "select exists (select from moves where relocation_id = %s and state = 'due')", (relocation_id,)
    )
    return (await cursor.fetchall())[0][0]  # type: ignore[no-any-return]


async def is_placing(conn: Connection, relocation: Relocation) -> bool:
    """Whether an upload is just being placed that may have been named before the strategy was another."""
    cursor = await conn.execute(
        """
        select exists (
            select
            from relocations l
            join uploads u on u.repository_id = l.repository_id and u.state = 'staged' and u.created_at <= l.marked_at
            join asset_stages s on s.asset_id = u.asset_id and s.stage = 'place' and s.state = 'running'
            where l.relocation_id = %s
        )
        """,
        (relocation.relocation_id,),
    )
    return (await cursor.fetchall())[0][0]  # type: ignore[no-any-return]


async def look_once_more(conn: Connection, relocation: Relocation) -> None:
    """List everything a last time, for what was placed while all was listed first."""
    await conn.execute(
        "update relocations set round = round + 1, listed_to = '' where relocation_id = %s and round = %s",
        (relocation.relocation_id, relocation.round),
    )


async def list_sources(conn: Connection, relocation_id: int, *, after: int, limit: int) -> list[tuple[int, bytes]]:
    """Where some originals were that moved, by their records."""
    cursor = await conn.execute(
        """
        select file_record_id, source
        from moves
        where relocation_id = %s and state = 'moved' and file_record_id > %s
        order by file_record_id
        limit %s
        """,
        (relocation_id, after, limit),
    )
    return await cursor.fetchall()


async def end(conn: Connection, relocation_id: int) -> None:
    """Nothing is left to do."""
    await conn.execute(
        """
        update relocations
        set state = case state when 'running' then 'done' else state end, ended_at = coalesce(ended_at, now()),
            tidied_at = now(), trouble = null
        where relocation_id = %s
        """,
        (relocation_id,),
    )


async def settle_moves(conn: Connection, moves: Sequence[tuple[int, int, bytes, str | None]]) -> None:
    """Originals lie where they belong now, or are left for a reason: relocation, record, path and reason of each."""
    await conn.execute(
        """
        update moves m
        set state = case when given.reason is null then 'moved' else 'left' end, reason = given.reason,
            goal = case when given.reason is null then given.path else m.goal end
        from unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::text[]) given (relocation, record, path, reason)
        where m.relocation_id = given.relocation
          and m.file_record_id = given.record
          and m.state = 'due'
        """,
        tuple(map(list, zip(*moves, strict=True))),
    )
