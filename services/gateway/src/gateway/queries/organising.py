"""The SQL of changing many assets of one owner with one statement each, always in the order of their ids."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from common.db import Connection, struct_row
from gateway.changes import Said


async def find_foreign(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> UUID | None:
    """One of the assets that the owner does not have."""
    cursor = await conn.execute(
        """
        select given.asset_id
        from unnest(%s::uuid[]) given (asset_id)
        where not exists (select from assets a where a.asset_id = given.asset_id and a.owner_id = %s)
        order by given.asset_id
        limit 1
        """,
        (list(asset_ids), owner),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def mark_liked(conn: Connection, asset_ids: Sequence[UUID], *, liked: bool, owner: int) -> list[UUID]:
    """The owner likes these assets, or does no longer; returns those for which that is new."""
    cursor = await conn.execute(
        """
        with other as materialized (
            select asset_id
            from assets
            where asset_id = any(%(assets)s) and owner_id = %(owner)s and liked <> %(liked)s
            order by asset_id
            for no key update
        )
        update assets a
        set liked = %(liked)s
        from other
        where a.asset_id = other.asset_id
        returning a.asset_id
        """,
        {"assets": list(asset_ids), "owner": owner, "liked": liked},
    )
    return [row[0] for row in await cursor.fetchall()]


async def mark_archived(conn: Connection, asset_ids: Sequence[UUID], *, archived: bool, owner: int) -> list[UUID]:
    """The owner's timeline leaves these assets out, or has them again; returns those for which that is new."""
    cursor = await conn.execute(
        """
        with other as materialized (
            select asset_id
            from assets
            where asset_id = any(%(assets)s) and owner_id = %(owner)s and (archived_at is not null) <> %(archived)s
            order by asset_id
            for no key update
        )
        update assets a
        set archived_at = case when %(archived)s then now() end
        from other
        where a.asset_id = other.asset_id
        returning a.asset_id
        """,
        {"assets": list(asset_ids), "owner": owner, "archived": archived},
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_outside(conn: Connection, album_id: int, asset_ids: Sequence[UUID], *, owner: int) -> list[UUID]:
    """Those of the owner's assets that are not in an album, the oldest picture first; none that is in the trash."""
    cursor = await conn.execute(
        """
        select asset_id
        from assets a
        where asset_id = any(%s)
          and owner_id = %s
          and trashed_at is null
          and not exists (select from album_assets x where x.album_id = %s and x.asset_id = a.asset_id)
        order by sort_at, asset_id
        """,
        (list(asset_ids), owner, album_id),
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_said(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> list[Said]:
    """What is said of those of the assets that the owner has."""
    async with conn.cursor(row_factory=struct_row(Said)) as cursor:
        await cursor.execute(
            """
            select a.asset_id, coalesce(m.edits, '{}') as edits,
                   case jsonb_typeof(m.facts -> 'keywords') when 'array' then m.facts -> 'keywords' else '[]' end
                       as keywords,
                   a.taken_at, a.taken_offset_minutes
            from assets a
            left join asset_metadata m on m.asset_id = a.asset_id
            where a.asset_id = any(%s)
              and a.owner_id = %s
            order by a.asset_id
            """,
            (list(asset_ids), owner),
        )
        return await cursor.fetchall()


async def demand_many(conn: Connection, asset_ids: Sequence[UUID], stage: str, *, owner: int, lane: int) -> None:
    """Make a stage of the owner's assets due that somebody asks for; what runs is to be done again."""
    values = {"assets": list(asset_ids), "stage": stage, "owner": owner, "lane": lane}
    await conn.execute(
        """
        insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
        select asset_id, %(stage)s, owner_id, %(lane)s, 'pending', now()
        from assets
        where asset_id = any(%(assets)s) and owner_id = %(owner)s
        order by asset_id
        on conflict (asset_id, stage) do nothing
        """,
        values,
    )
    await conn.execute(
        """
        select from asset_stages
        where asset_id = any(%(assets)s) and stage = %(stage)s
        order by asset_id
        for update
        """,
        values,
    )
    await conn.execute(
        """
        update asset_stages
        set again = again or state = 'running',
            next_at = case state when 'running' then next_at else now() end,
            lane = case when state in ('pending', 'running') then least(lane, %(lane)s) else %(lane)s end,
            state = case state when 'running' then state else 'pending' end,
            deaths = case state when 'running' then deaths else 0 end,
            failures = case state when 'running' then failures else 0 end,
            error_class = case state when 'running' then error_class end,
            error = case state when 'running' then error end,
            changed_at = now()
        where asset_id = any(%(assets)s)
          and stage = %(stage)s
          and owner_id = %(owner)s
          and state <> 'blocked'
        """,
        values,
    )


async def lock_assets(conn: Connection, asset_ids: Sequence[UUID]) -> None:
    """Hold assets before what is known of them, as everybody does who writes both."""
    await conn.execute(
        "select from assets where asset_id = any(%s) order by asset_id for no key update", (list(asset_ids),)
    )


async def save_edits(conn: Connection, edits: Sequence[tuple[UUID, dict[str, Any]]]) -> None:
    """What is said of assets is this from now on, and they stand in the timeline where it says; they are held."""
    await conn.execute(
        """
        insert into asset_metadata (asset_id, edits)
        select asset_id, said from unnest(%s::uuid[], %s::jsonb[]) given (asset_id, said)
        on conflict (asset_id) do update
        set edits = excluded.edits,
            edited_place = case
                when asset_metadata.edits -> 'gps_latitude' is not distinct from excluded.edits -> 'gps_latitude'
                 and asset_metadata.edits -> 'gps_longitude' is not distinct from excluded.edits -> 'gps_longitude'
                then asset_metadata.edited_place
            end
        """,
        ([asset_id for asset_id, _ in edits], [Jsonb(said) for _, said in edits]),
    )
    await conn.execute(
        """
        update assets a
        set edited_taken_at = (m.edits ->> 'taken_time')::timestamp,
            edited_offset_minutes = (m.edits ->> 'offset_minutes')::int
        from asset_metadata m
        where a.asset_id = any(%s)
          and m.asset_id = a.asset_id
          and (a.edited_taken_at, a.edited_offset_minutes)
              is distinct from ((m.edits ->> 'taken_time')::timestamp, (m.edits ->> 'offset_minutes')::int)
        """,
        ([asset_id for asset_id, _ in edits],),
    )
