"""The SQL of the work on assets as people see it: what is not done, why, and what is paused."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from common.queries import Progress

State = Literal["blocked", "pending", "running", "failed"]
ErrorClass = Literal["transient", "permanent", "poison", "waiting"]


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended; pages follow each other by the time of the last change."""

    changed_at: Annotated[datetime, msgspec.Meta(tz=True)]
    asset_id: UUID
    stage: str


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of one asset that is not done; `next_at` is when it may be tried, null when it will not be."""

    asset_id: UUID
    owner_id: int
    file_name: str
    stage: str
    state: State
    lane: int
    failures: int
    deaths: int
    error: str | None
    error_class: ErrorClass | None
    next_at: datetime | None
    changed_at: datetime
    progress: Progress | None
    """Of what runs."""


async def newest(
    conn: Connection,
    *,
    owner: int | None,
    state: State | None,
    stage: str | None,
    error_class: ErrorClass | None,
    repository: UUID | None,
    after: Cursor | None,
    limit: int,
) -> list[Work]:
    """What is not done, of one owner or of all, the last change first: each owner's piles, merged."""
    async with conn.cursor(row_factory=struct_row(Work)) as cursor:
        await cursor.execute(
            """
            with found as (
                select pile.asset_id, pile.owner_id, stage, state, lane, failures, deaths, error, error_class,
                       next_at, changed_at, progress
                from users
                cross join unnest(%(piles)s::text[]) wanted (pile)
                cross join lateral (
                    select asset_id, owner_id, stage, state, lane, failures, deaths, error, error_class,
                           next_at, changed_at, case when state = 'running' then progress end as progress
                    from asset_stages s
                    where owner_id = user_id
                      and s.pile = wanted.pile
                      and (%(state)s::text is null or state = %(state)s)
                      and (%(stage)s::text is null or stage = %(stage)s)
                      and (%(class)s::text is null or error_class = %(class)s)
                      and (%(repository)s::uuid is null or %(repository)s in (
                          select repository_id from file_records f where f.asset_id = s.asset_id
                          union all
                          select repository_id from uploads u where u.asset_id = s.asset_id and u.state = 'staged'
                      ))
                      and (changed_at, asset_id, stage) < (%(changed_at)s, %(asset_id)s, %(last_stage)s)
                    order by changed_at desc, asset_id desc, stage desc
                    limit %(limit)s
                ) pile
                where (%(owner)s::int is null or user_id = %(owner)s)
                order by changed_at desc, pile.asset_id desc, stage desc
                limit %(limit)s
            )
            select asset_id, found.owner_id, original_filename as file_name, stage, state, lane, failures, deaths,
                   error, error_class, next_at, changed_at, progress
            from found
            join assets using (asset_id)
            order by changed_at desc, asset_id desc, stage desc
            """,
            {
                "owner": owner,
                "piles": _piles(state),
                "state": state,
                "stage": stage,
                "class": error_class,
                "repository": repository,
                "changed_at": after.changed_at if after else "infinity",
                "asset_id": after.asset_id if after else UUID(int=2**128 - 1),
                "last_stage": after.stage if after else "",
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def find_state(conn: Connection, asset_id: UUID, stage: str, *, owner: int) -> str | None:
    """The state of a stage of one of the owner's assets."""
    cursor = await conn.execute(
        "select state from asset_stages where asset_id = %s and stage = %s and owner_id = %s", (asset_id, stage, owner)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def retry(conn: Connection, asset_id: UUID, stage: str, *, owner: int) -> bool:
    """Make a failed stage due again, as something that a person waits for; False when it has not failed."""
    cursor = await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now(), lane = 0, deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        where asset_id = %s
          and stage = %s
          and owner_id = %s
          and state = 'failed'
        """,
        (asset_id, stage, owner),
    )
    return cursor.rowcount == 1


async def pause(conn: Connection, stage: str, *, by: int, reason: str, minutes: int) -> None:
    """Let nobody start work of this stage for some minutes; a pause that lasts already is replaced."""
    await conn.execute(
        """
        insert into stage_pauses (stage, paused_by, reason, until)
        values (%(stage)s, %(by)s, %(reason)s, now() + make_interval(mins => %(minutes)s))
        on conflict (stage) do update
        set paused_by = excluded.paused_by, reason = excluded.reason, paused_at = now(), until = excluded.until
        """,
        {"stage": stage, "by": by, "reason": reason, "minutes": minutes},
    )


async def resume(conn: Connection, stage: str) -> None:
    """End a pause, if there is one."""
    await conn.execute("delete from stage_pauses where stage = %s", (stage,))


def _piles(state: State | None) -> list[str]:
    if state is None:
        return ["failed", "open"]
    return ["failed" if state == "failed" else "open"]
