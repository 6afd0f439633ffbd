"""The SQL of filling: stages for assets from before, spaces that take each other's place, and what is left of those."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct
from psycopg.types.json import Jsonb

from common.db import Connection, struct_row
from common.space_queries import Space


class Seen(Struct, frozen=True, kw_only=True):
    """A server as a dispatcher finds it: what it offers, of which model its vectors are, and how much it has to do."""

    address: str
    is_there: bool
    tasks: list[str]
    model: str | None
    slots: int
    busy: int
    complaint: str | None = None


async def ensure_space(conn: Connection, *, model: str, dimension: int, most: int) -> Space | None:
    """The space of a model that was seen just now, made if there is none; None when too many are being filled.

    The first is current at once, and one of two that are the first at the same time.
    """
    for _ in range(2):
        await conn.execute(
            """
            insert into embedding_spaces (model, dimension, state)
            select %(model)s, %(dimension)s,
                   case when exists (select from embedding_spaces where state = 'current')
                       then 'filling' else 'current' end
            where not exists (select from embedding_spaces where model = %(model)s and dimension = %(dimension)s)
              and (select count(*) from embedding_spaces where state = 'filling') < %(most)s
            on conflict do nothing
            """,
            {"model": model, "dimension": dimension, "most": most},
        )
        space = await _see_space(conn, model=model, dimension=dimension)
        if space is not None:
            return space
    return None


async def _see_space(conn: Connection, *, model: str, dimension: int) -> Space | None:
    await conn.execute(
        """
        update embedding_spaces
        set seen_at = now()
        where model = %s and dimension = %s and seen_at < now() - interval '1 minute'
        """,
        (model, dimension),
    )
    async with conn.cursor(row_factory=struct_row(Space)) as cursor:
        await cursor.execute(
            "select space_id, model, dimension, state from embedding_spaces where model = %s and dimension = %s",
            (model, dimension),
        )
        return await cursor.fetchone()


async def ensure_space_stage(conn: Connection, space_id: int, *, kinds: Sequence[str]) -> bool:
    """Have a space filled unless it is retired; whether it is not."""
    await conn.execute(
        """
        insert into inference_stages (stage, kinds)
        select 'embed:' || space_id, %(kinds)s::text[]
        from embedding_spaces
        where space_id = %(space)s
          and state <> 'retired'
          and not exists (select from inference_stages where stage = 'embed:' || space_id and is_wanted)
        for share of embedding_spaces
        on conflict (stage) do update
        set is_wanted = true, wanted_at = now(), begun_at = now(), filled_at = null, filled_to = null
        where not inference_stages.is_wanted
        """,
        {"space": space_id, "kinds": list(kinds)},
    )
    cursor = await conn.execute(
        "select true from inference_stages where stage = 'embed:' || %s::int and is_wanted", (space_id,)
    )
    return await cursor.fetchone() is not None


async def is_current_gone(conn: Connection, *, days: float) -> bool:
    """Whether no server has offered the model of the current space for so long."""
    cursor = await conn.execute(
        """
        select not exists (
            select from embedding_spaces where state = 'current' and seen_at > now() - make_interval(secs => 86400 * %s)
        )
        """,
        (days,),
    )
    return bool((await cursor.fetchall())[0][0])


async def list_walks(conn: Connection) -> list[str]:
    """The stages whose walk has not reached the last asset."""
    cursor = await conn.execute(
        """
        select stage
        from inference_stages
        where is_wanted and (filled_at is null or filled_at <= begun_at)
        order by stage
        """
    )
    return [row[0] for row in await cursor.fetchall()]


async def fill(conn: Connection, stage: str, *, most: int, due: int) -> bool | None:
    """Make the rows that the next assets lack; False when there is no asset left, None when so many are due already.

    Assets that are not rendered get theirs when they are. What another model was asked before is due again.
    """
    cursor = await conn.execute(
        """
        with walk as (
            select stage, kinds, current_model, current_since,
                   coalesce(filled_to, '00000000-0000-0000-0000-000000000000') as filled_to
            from inference_stages
            where stage = %(stage)s and is_wanted and (filled_at is null or filled_at <= begun_at)
              and (select count(*) from (
                  select from asset_stages where stage = %(stage)s and next_at is not null limit %(due)s
              ) queued) < %(due)s
            for update skip locked
        ), following as materialized (
            select a.asset_id, a.owner_id, a.kind = any(walk.kinds) as is_meant
            from walk
            cross join lateral (
                select asset_id, owner_id, kind
                from assets
                where asset_id > walk.filled_to
                order by asset_id
                limit %(most)s
            ) a
        ), made as (
            insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
            select asset_id, %(stage)s, owner_id, 1, 'pending', now()
            from following f
            where is_meant
              and exists (select from thumbnails t where t.asset_id = f.asset_id)
              and not exists (select from asset_stages s where s.asset_id = f.asset_id and s.stage = %(stage)s)
            on conflict do nothing
        ), outdated as (
            select s.asset_id
            from walk
            join following f on is_meant
            join asset_stages s on s.asset_id = f.asset_id and s.stage = %(stage)s
            where s.state = 'done'
              and s.changed_at < walk.current_since
              and not exists (
                  select
                  from labels l
                  where l.asset_id = s.asset_id and l.model = walk.current_model and l.source <> 'learnt'
              )
              and not exists (
                  select
                  from lesser_labels l
                  where l.asset_id = s.asset_id and l.model = walk.current_model and l.source <> 'learnt'
              )
            for update of s skip locked
        ), reopened as (
            update asset_stages s
            set state = 'pending', next_at = now(), lane = 1, changed_at = now()
            from outdated
            where s.asset_id = outdated.asset_id and s.stage = %(stage)s
        )
        update inference_stages i
        set filled_to = coalesce((select asset_id from following order by asset_id desc limit 1), i.filled_to),
            filled_at = case when exists (select from following) then i.filled_at else now() end
        from walk
        where i.stage = walk.stage
        returning exists (select from following)
        """,
        {"stage": stage, "most": most, "due": due},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def begin_walks(conn: Connection, *, days: float) -> list[str]:
    """Begin anew where the last walk ended long ago, or may have passed an asset before its rendering was committed.

    A rendering that did not see the stage has ended within a minute, for no transaction lasts longer. The stages.
    """
    cursor = await conn.execute(
        """
        update inference_stages
        set begun_at = now(), filled_at = null, filled_to = null
        where is_wanted
          and filled_at > begun_at
          and (filled_at < now() - make_interval(secs => 86400 * %s)
               or (begun_at < wanted_at + interval '1 minute' and now() >= wanted_at + interval '1 minute'))
        returning stage
        """,
        (days,),
    )
    return [row[0] for row in await cursor.fetchall()]


async def find_complete(conn: Connection) -> int | None:
    """A space that every asset has its place in, as far as it can, and whose model is offered."""
    cursor = await conn.execute(
        """
        select space_id
        from embedding_spaces e
        join inference_stages i on i.stage = 'embed:' || space_id
        where e.state = 'filling'
          and e.seen_at > now() - interval '3 minutes'
          and i.filled_at > i.begun_at
          and i.begun_at >= i.wanted_at + interval '1 minute'
          and not exists (select from asset_stages s where s.stage = i.stage and next_at is not null)
        order by space_id desc
        limit 1
        """
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def list_unwanted(conn: Connection, *, days: float) -> list[tuple[int, bool]]:
    """Retired spaces of which there may be something left, and whether it is so long ago that nobody goes back."""
    cursor = await conn.execute(
        """
        select space_id, since < now() - make_interval(secs => 86400 * %s)
        from embedding_spaces
        join inference_stages on stage = 'embed:' || space_id
        where state = 'retired' and not is_wanted
        order by space_id
        """,
        (days,),
    )
    return await cursor.fetchall()


async def forget_due(conn: Connection, space_id: int, *, limit: int) -> int:
    """Take back some of what was to be done for a retired space; what runs ends by itself."""
    cursor = await conn.execute(
        """
        delete from asset_stages
        where stage = 'embed:' || %(space)s::int
          and asset_id in (
              select asset_id
              from asset_stages
              where stage = 'embed:' || %(space)s::int
                and next_at is not null
                and (lease_until is null or lease_until < now())
              limit %(limit)s
              for update skip locked
          )
          and exists (select from embedding_spaces where space_id = %(space)s and state = 'retired')
        """,
        {"space": space_id, "limit": limit},
    )
    return cursor.rowcount


async def forget_vectors(conn: Connection, space_id: int, *, limit: int) -> int:
    """Delete some vectors of a retired space, and that their assets had them; returns how many."""
    cursor = await conn.execute(
        """
        with space as (
            select space_id from embedding_spaces where space_id = %(space)s and state = 'retired' for update
        ), chosen as (
            select e.asset_id, e.space_id, e.frame
            from space
            join embeddings e on e.space_id = space.space_id and e.owner_id = any(array(select user_id from users))
            limit %(limit)s
        ), gone as (
            delete from asset_stages
            where stage = 'embed:' || %(space)s::int and asset_id in (select asset_id from chosen)
        )
        delete from embeddings e
        using chosen
        where (e.asset_id, e.space_id, e.frame) = (chosen.asset_id, chosen.space_id, chosen.frame)
        """,
        {"space": space_id, "limit": limit},
    )
    return cursor.rowcount


async def forget_stage(conn: Connection, space_id: int, *, limit: int) -> int:
    """Delete what is left of the stage of a space without vectors, in the end the stage; returns how much that was."""
    cursor = await conn.execute(
        """
        delete from asset_stages
        where stage = 'embed:' || %(space)s::int
          and asset_id in (
              select asset_id
              from asset_stages
              where pile = 'failed'
                and owner_id = any(array(select user_id from users))
                and stage = 'embed:' || %(space)s::int
              limit %(limit)s
          )
        """,
        {"space": space_id, "limit": limit},
    )
    if cursor.rowcount == 0:
        await conn.execute(
            "delete from inference_stages where stage = 'embed:' || %s::int and not is_wanted", (space_id,)
        )
    return cursor.rowcount


async def add_up(conn: Connection, *, limit: int) -> int:
    """Add a batch of changes to the counts of stages; returns how many there were."""
    cursor = await conn.execute(
        """
        with changes as (
            delete from stage_count_changes
            where change_id in (
                select change_id from stage_count_changes order by change_id limit %s for update skip locked
            )
            returning stage, changed_at, open, done, failed
        ), added as (
            insert into stage_counts as c (stage, open, done, failed)
            select stage, sum(open), sum(done), sum(failed)
            from changes
            group by stage
            order by stage
            on conflict (stage) do update
            set open = c.open + excluded.open, done = c.done + excluded.done, failed = c.failed + excluded.failed
        ), by_minute as (
            insert into stage_minutes as m (stage, minute, done)
            select stage, date_trunc('minute', changed_at), sum(done)
            from changes
            where done > 0
            group by 1, 2
            order by 1, 2
            on conflict (stage, minute) do update
            set done = m.done + excluded.done
        )
        select count(*) from changes
        """,
        (limit,),
    )
    return int((await cursor.fetchall())[0][0])


async def save_servers(conn: Connection, dispatcher: UUID, servers: Sequence[Seen]) -> None:
    """What a dispatcher finds is this from now on."""
    await conn.execute(
        """
        with found as (
            select address, is_there, tasks, model, slots, busy, complaint
            from jsonb_to_recordset(%(found)s) as found (
                address text, is_there boolean, tasks text[], model text, slots int, busy int, complaint text
            )
        ), gone as (
            delete from inference_servers
            where dispatcher = %(dispatcher)s and address not in (select address from found)
        )
        insert into inference_servers (address, dispatcher, is_there, tasks, model, slots, busy, complaint)
        select address, %(dispatcher)s, is_there, tasks, model, slots, busy, complaint
        from found
        order by address
        on conflict (address, dispatcher) do update
        set is_there = excluded.is_there, tasks = excluded.tasks, model = excluded.model, slots = excluded.slots,
            busy = excluded.busy, complaint = excluded.complaint, seen_at = now()
        """,
        {"dispatcher": dispatcher, "found": Jsonb([msgspec.to_builtins(one) for one in servers])},
    )


async def forget_old(conn: Connection) -> None:
    """What was done an hour ago says nothing of how fast it is now; nor do dispatchers that say nothing any more."""
    await conn.execute("delete from stage_minutes where minute < now() - interval '1 hour'")
    await conn.execute("delete from inference_servers where seen_at < now() - interval '1 hour'")
