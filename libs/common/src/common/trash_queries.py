"""The SQL of the wishes that an asset lies in the trash, does not, or goes for good."""

from collections.abc import Sequence
from uuid import UUID

from common.db import Connection


async def lock_places(conn: Connection, asset_ids: Sequence[UUID]) -> None:
    """Hold the places of assets: a worker that settles one sees the wish before, or is made to look again after."""
    await conn.execute(
        "select 1 from asset_stages where asset_id = any(%s) and stage = 'place' order by asset_id for update",
        (list(asset_ids),),
    )


async def mark_trashed(conn: Connection, asset_ids: Sequence[UUID], *, owner: int, reason: str) -> list[UUID]:
    """Say since when some of the owner's assets belong into the trash; returns those that were not there."""
    cursor = await conn.execute(
        """
        with mine as materialized (
            select asset_id
            from assets
            where asset_id = any(%s)
              and owner_id = %s
              and trashed_at is null
            order by asset_id
            for update
        )
        update assets
        set trashed_at = now(), trash_reason = %s
        from mine
        where assets.asset_id = mine.asset_id
        returning assets.asset_id
        """,
        (list(asset_ids), owner, reason),
    )
    return [row[0] for row in await cursor.fetchall()]


async def move_away(conn: Connection, asset_ids: Sequence[UUID], *, lane: int) -> None:
    """Have the files of assets moved that were thrown away; their places are held."""
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now(), lane = case state when 'pending' then least(lane, %s) else %s end,
            deaths = 0, failures = 0, error_class = null, error = null, changed_at = now()
        where asset_id = any(%s)
          and stage = 'place'
          and (state in ('done', 'failed') or (state = 'pending' and next_at > now()))
        """,
        (lane, lane, list(asset_ids)),
    )


async def lock_stages(conn: Connection, asset_ids: Sequence[UUID]) -> None:
    """Hold how far the files of many assets are, in the order in which everybody locks."""
    await conn.execute(
        """
        select 1
        from asset_stages
        where asset_id = any(%s)
          and stage in ('place', 'purge', 'render', 'transcode')
        order by asset_id, stage
        for update
        """,
        (list(asset_ids),),
    )


async def list_going(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> list[UUID]:
    """Those of the owner's assets of which files may be gone for good already."""
    cursor = await conn.execute(
        """
        select p.asset_id
        from purges p
        join assets a on a.asset_id = p.asset_id
        join asset_stages s on s.asset_id = p.asset_id and s.stage = 'purge' and s.state in ('pending', 'running')
        where p.asset_id = any(%s)
          and a.owner_id = %s
          and p.began_at is not null
        order by p.asset_id
        """,
        (list(asset_ids), owner),
    )
    return [row[0] for row in await cursor.fetchall()]


async def call_off(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> None:
    """Forget the wish that any of these goes for good, unless it is being done; that looks soon what is wanted now."""
    await conn.execute(
        """
        delete from purges p
        using assets a
        where p.asset_id = any(%(assets)s)
          and a.asset_id = p.asset_id
          and a.owner_id = %(owner)s
          and (p.began_at is null or not exists (
              select from asset_stages s
              where s.asset_id = p.asset_id and s.stage = 'purge' and s.state in ('pending', 'running')
          ))
        """,
        {"assets": list(asset_ids), "owner": owner},
    )
    await conn.execute(
        """
        update asset_stages
        set next_at = now()
        where asset_id = any(%s)
          and owner_id = %s
          and stage = 'purge'
          and state = 'pending'
        """,
        (list(asset_ids), owner),
    )


async def mark_restored(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> list[UUID]:
    """Say that some of the owner's assets no longer belong into the trash; returns those that were there."""
    cursor = await conn.execute(
        """
        with mine as materialized (
            select asset_id
            from assets
            where asset_id = any(%s)
              and owner_id = %s
              and trashed_at is not null
            order by asset_id
            for update
        )
        update assets
        set trashed_at = null, trash_reason = null
        from mine
        where assets.asset_id = mine.asset_id
        returning assets.asset_id
        """,
        (list(asset_ids), owner),
    )
    return [row[0] for row in await cursor.fetchall()]


async def move_back(conn: Connection, asset_ids: Sequence[UUID], *, lane: int) -> None:
    """Have the files of restored assets moved back, and made what was not because they were thrown away.

    Their stages are held already, so no worker claims one between the two statements.
    """
    await conn.execute(
        """
        update asset_stages
        set again = state = 'running', lane = %s
        where asset_id = any(%s)
          and stage = 'transcode'
          and state <> 'blocked'
        """,
        (lane, list(asset_ids)),
    )
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = least(next_at, now()), lane = %s, deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        where asset_id = any(%s)
          and stage in ('place', 'transcode')
          and state in ('pending', 'done', 'failed')
        """,
        (lane, list(asset_ids)),
    )


async def is_known(conn: Connection, asset_id: UUID, *, owner: int) -> bool:
    """Whether the owner has this asset, in the trash or not."""
    cursor = await conn.execute("select 1 from assets where asset_id = %s and owner_id = %s", (asset_id, owner))
    return await cursor.fetchone() is not None


async def wish_purge(
    conn: Connection, asset_ids: Sequence[UUID], *, asked_by: int | None, reason: str
) -> list[tuple[UUID, int]]:
    """Note who wants which assets in the trash to go for good, and why; returns those with their owners.

    The caller holds their stages. What is being purged already is left alone, what was wished before is wished anew.
    """
    cursor = await conn.execute(
        """
        with meant as materialized (
            select a.asset_id, a.owner_id
            from assets a
            where a.asset_id = any(%(assets)s)
              and a.trashed_at is not null
              and not exists (
                  select
                  from purges p
                  join asset_stages s on s.asset_id = p.asset_id and s.stage = 'purge'
                  where p.asset_id = a.asset_id and p.began_at is not null and s.state in ('pending', 'running')
              )
            order by a.asset_id
            for update of a
        ), wished as (
            insert into purges (asset_id, asked_by, reason)
            select asset_id, %(by)s, %(reason)s from meant
            on conflict (asset_id) do update
            set asked_by = excluded.asked_by, reason = excluded.reason, asked_at = now(), began_at = null
            returning asset_id
        )
        select asset_id, owner_id from meant join wished using (asset_id)
        """,
        {"assets": list(asset_ids), "by": asked_by, "reason": reason},
    )
    return await cursor.fetchall()


async def list_files(conn: Connection, asset_ids: Sequence[UUID]) -> None:
    """Write down which files go with assets whose purge is wished: those that they have now."""
    await conn.execute("delete from intents where asset_id = any(%s)", (list(asset_ids),))
    await conn.execute(
        """
        insert into intents (asset_id, file_record_id, repository_id, path, content_hash)
        select a.asset_id, f.file_record_id, f.repository_id, f.path, a.content_hash
        from assets a
        join file_records f on f.asset_id = a.asset_id
        where a.asset_id = any(%s)
        """,
        (list(asset_ids),),
    )


async def open_purge(conn: Connection, asset_ids: Sequence[UUID], *, lane: int) -> None:
    """Make the purge of assets due; one that runs and has not begun is looked at once more."""
    await conn.execute(
        """
        insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
        select asset_id, 'purge', owner_id, %s, 'pending', now()
        from assets
        where asset_id = any(%s)
        order by asset_id
        on conflict (asset_id, stage) do update
        set again = asset_stages.state = 'running', lane = excluded.lane
        """,
        (lane, list(asset_ids)),
    )
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now(), deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        where asset_id = any(%s)
          and stage = 'purge'
          and state in ('pending', 'done', 'failed')
        """,
        (list(asset_ids),),
    )
