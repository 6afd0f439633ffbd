"""The SQL of what is left to do, as people and operators are told it."""

from datetime import datetime

import msgspec

from common.db import Connection, struct_row


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a stage is in a state (blocked, pending, running or failed), and for how long the oldest was due."""

    stage: str
    lane: int
    state: str
    count: int
    oldest_due_seconds: float | None


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A stage that nobody starts work on, until a time."""

    stage: str
    paused_by: str
    reason: str
    paused_at: datetime
    until: datetime


async def count(conn: Connection, *, owner: int | None) -> list[Count]:
    """How much is not done, of one owner or of all, by stage, lane and state."""
    async with conn.cursor(row_factory=struct_row(Count)) as cursor:
        await cursor.execute(
            """
            select stage, lane, state, count(*) as count,
                   extract(epoch from now() - min(next_at) filter (where next_at <= now()))::float8
                       as oldest_due_seconds
            from asset_stages
            where pile is not null
              and (%(owner)s::int is null or owner_id = %(owner)s)
            group by stage, lane, state
            order by stage, lane, state
            """,
            {"owner": owner},
        )
        return await cursor.fetchall()


async def list_pauses(conn: Connection) -> list[Pause]:
    """The pauses that last."""
    async with conn.cursor(row_factory=struct_row(Pause)) as cursor:
        await cursor.execute(
            """
            select stage, username as paused_by, reason, paused_at, until
            from stage_pauses
            join users on user_id = stage_pauses.paused_by
            where until > now()
            order by stage
            """
        )
        return await cursor.fetchall()


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why work was given up, and how often for this reason."""

    stage: str
    error: str
    count: int


async def list_reasons(conn: Connection, *, limit: int) -> list[Reason]:
    """Why work was given up, the most frequent reasons first."""
    async with conn.cursor(row_factory=struct_row(Reason)) as cursor:
        await cursor.execute(
            """
            select stage, error, count(*) as count
            from asset_stages
            where pile = 'failed'
            group by stage, error
            order by count(*) desc, stage, error
            limit %s
            """,
            (limit,),
        )
        return await cursor.fetchall()
