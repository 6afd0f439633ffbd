"""The SQL of processing again: one asset before everything else, or many behind everything else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row

Scope = Literal["missing", "failed", "all", "web"]


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """Which assets are meant, besides their owner; null where it does not matter. Ends of spans are not in them."""

    repository: UUID | None = None
    kind: str | None = None
    mime_types: list[str] | None = None
    taken_from: datetime | None = None
    taken_to: datetime | None = None
    uploaded_from: datetime | None = None
    uploaded_to: datetime | None = None


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Some assets that follow each other by id, and where they end; no end when there are no more."""

    assets: list[UUID]
    end: UUID | None


async def add_missing_stage(conn: Connection, asset_id: UUID, *, owner: int) -> None:
    """An asset of the owner that nobody meant to render is to be rendered."""
    await conn.execute(
        """
        insert into asset_stages (asset_id, stage, owner_id, state, next_at)
        select asset_id, 'render', owner_id, case when stored_at is null then 'blocked' else 'pending' end,
               case when stored_at is not null then now() end
        from assets
        where asset_id = %s and owner_id = %s
        on conflict do nothing
        """,
        (asset_id, owner),
    )


async def lock_rendering(conn: Connection, asset_id: UUID, *, owner: int) -> str | None:
    """How far the rendering of one of the owner's assets is, held there with its place until the transaction ends."""
    cursor = await conn.execute(
        """
        select stage, state
        from asset_stages
        where asset_id = %s
          and owner_id = %s
          and stage in ('place', 'render')
        order by stage
        for update
        """,
        (asset_id, owner),
    )
    return dict(await cursor.fetchall()).get("render")


async def render_after_this(conn: Connection, asset_id: UUID) -> None:
    """What is being rendered is to be rendered once more, as something that a person waits for."""
    await conn.execute(
        """
        update asset_stages
        set again = true, lane = 0
        where asset_id = %s and stage = 'render' and state = 'running'
        """,
        (asset_id,),
    )


async def render_now(conn: Connection, asset_id: UUID) -> None:
    """What is not being rendered is due, as something that a person waits for; so is a place that it waits for."""
    await conn.execute(
        """
        update asset_stages
        set state = case when state = 'blocked' then state else 'pending' end,
            next_at = case when state <> 'blocked' then least(next_at, now()) end,
            lane = 0, deaths = 0, failures = 0, error_class = null, error = null, changed_at = now()
        where asset_id = %s
          and state <> 'running'
          and (stage = 'render' or (stage = 'place' and state in ('pending', 'failed')))
        """,
        (asset_id,),
    )


async def next_window(conn: Connection, *, owner: int | None, after: UUID, limit: int) -> Window:
    """The owner's assets, or anybody's, among the next so many of all: as fast for those who have few."""
    async with conn.cursor(row_factory=struct_row(Window)) as cursor:
        await cursor.execute(
            """
            select coalesce(array_agg(asset_id) filter (where %(owner)s::int is null or owner_id = %(owner)s), '{}')
                       as assets,
                   (array_agg(asset_id order by asset_id desc))[1] as end
            from (
                select asset_id, owner_id from assets where asset_id > %(after)s order by asset_id limit %(limit)s
            ) following
            """,
            {"owner": owner, "after": after, "limit": limit},
        )
        return (await cursor.fetchall())[0]


async def reopen_many(
    conn: Connection, assets: Sequence[UUID], scope: Scope, chosen: Chosen, *, owner: int | None, version: int
) -> int:
    """Have those of the assets that are meant processed again, in the bulk lane; returns how many were not due already.

    `version` is of the current reader; facts of an older one are missing. What is hidden is left alone.
    """
    cursor = await conn.execute(
        """
        with meant as materialized (
            select a.asset_id, a.owner_id, kind, stored_at
            from unnest(%(assets)s::uuid[]) given (asset_id)
            join assets a on a.asset_id = given.asset_id
            where trashed_at is null
              and missing_since is null
              and (%(owner)s::int is null or owner_id = %(owner)s)
              and (%(kind)s::text is null or kind = %(kind)s)
              and (%(mime_types)s::text[] is null or mime_type = any(%(mime_types)s))
              and (%(taken_from)s::timestamp is null or coalesce(edited_taken_at, taken_at) >= %(taken_from)s)
              and (%(taken_to)s::timestamp is null or coalesce(edited_taken_at, taken_at) < %(taken_to)s)
              and (%(uploaded_from)s::timestamptz is null or uploaded_at >= %(uploaded_from)s)
              and (%(uploaded_to)s::timestamptz is null or uploaded_at < %(uploaded_to)s)
              and (%(repository)s::uuid is null or %(repository)s in (
                  select repository_id from file_records f where f.asset_id = a.asset_id
                  union all
                  select repository_id from uploads u where u.asset_id = a.asset_id and u.state = 'staged'
              ))
        ), added as (
            insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
            select asset_id, 'render', owner_id, 1, case when stored_at is null then 'blocked' else 'pending' end,
                   case when stored_at is not null then now() end
            from meant
            where %(scope)s in ('missing', 'all')
              and not exists (select from asset_stages s where s.asset_id = meant.asset_id and s.stage = 'render')
            union all
            select asset_id, 'transcode', owner_id, 1, 'pending', now()
            from meant
            where %(scope)s = 'web'
              and kind <> 'photo'
              and exists (
                  select from asset_stages s
                  where s.asset_id = meant.asset_id and s.stage = 'render' and s.state in ('done', 'failed')
              )
              and not exists (select from asset_stages s where s.asset_id = meant.asset_id and s.stage = 'transcode')
            on conflict do nothing
            returning asset_id
        ), due as (
            select s.asset_id, s.stage, s.state
            from meant
            join asset_stages s on s.asset_id = meant.asset_id and s.stage in ('place', 'render', 'transcode')
            where (s.state = 'failed' and (%(scope)s <> 'web' or s.stage = 'transcode'))
               or (s.state in ('done', 'running') and not again and (
                   (%(scope)s = 'all' and s.stage = 'render') or (%(scope)s = 'web' and s.stage = 'transcode')
               ))
               or (%(scope)s = 'missing' and s.stage = 'render' and s.state = 'done' and (
                   (kind <> 'audio' and (select count(*) from thumbnails t where t.asset_id = s.asset_id) < 3)
                   or not exists (
                       select from asset_metadata m where m.asset_id = s.asset_id and m.version >= %(version)s
                   )
               ))
            order by s.asset_id, s.stage
            for update of s
        ), after_this as (
            update asset_stages s
            set again = true
            from due
            where s.asset_id = due.asset_id and s.stage = due.stage and due.state = 'running'
            returning s.asset_id
        ), now_due as (
            update asset_stages s
            set state = 'pending', next_at = now(), lane = 1, deaths = 0, failures = 0,
                error_class = null, error = null, changed_at = now()
            from due
            where s.asset_id = due.asset_id and s.stage = due.stage and due.state <> 'running'
            returning s.asset_id
        )
        select count(*)
        from (
            select asset_id from added
            union
            select asset_id from after_this
            union
            select asset_id from now_due
        ) queued
        """,
        {"assets": list(assets), "scope": scope, "owner": owner, "version": version, **msgspec.structs.asdict(chosen)},
    )
    return int((await cursor.fetchall())[0][0])
