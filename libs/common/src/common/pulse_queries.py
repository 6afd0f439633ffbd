"""The SQL of how the whole server is: what waits and for how long, what was given up, what is away, what is damaged.

Whatever could be many is counted up to a limit, and every statement is answered by an index or a small table.
"""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from common.db import Connection, struct_row

MOST = 100_000
"""What is more is told as so many at least."""
MOST_HELD = 1000


class Due(Struct, frozen=True, kw_only=True):
    """Work that anybody might begin now: how much of a stage in a lane, and for how long the oldest waits."""

    stage: str
    lane: int
    due: int
    oldest_seconds: float
    is_paused: bool


class Failed(Struct, frozen=True, kw_only=True):
    """How much of a stage was given up."""

    stage: str
    count: int


class Waiting(Struct, frozen=True, kw_only=True):
    """How many wait, and for how long the oldest of them; 0 seconds where none does."""

    count: int
    oldest_seconds: float


class Tree(Struct, frozen=True, kw_only=True):
    """How a repository is.

    `corrupt` originals are not what was stored; `unverified` ones were not read again yet since they came, `overdue`
    ones not for as many days as was asked; the oldest reading is so many seconds ago, None where there was none.
    A scan would call `asks` files missing and waits for a person's word; None where none waits.
    """

    repository_id: UUID
    name: str
    state: Literal["online", "offline", "readonly"]
    offline_reason: str | None
    corrupt: int
    unverified: int
    overdue: int
    oldest_verified_seconds: float | None
    asks: int | None


class Meaning(Struct, frozen=True, kw_only=True):
    """How far a stage of meaning is that is wanted, by rows; `model` and `space_state` are of embeddings only."""

    stage: str
    model: str | None
    space_state: str | None
    open: int
    done: int
    failed: int


async def list_due(conn: Connection) -> list[Due]:
    """What is due and in nobody's hands by stage and lane, paused or not; blocked work is not due."""
    async with conn.cursor(row_factory=struct_row(Due)) as cursor:
        await cursor.execute(
            """
            with recursive lanes as (
                (
                    select stage, lane from asset_stages where next_at is not null order by stage, lane limit 1
                )
                union all
                select following.stage, following.lane
                from lanes
                cross join lateral (
                    select s.stage, s.lane
                    from asset_stages s
                    where s.next_at is not null
                      and (s.stage, s.lane) > (lanes.stage, lanes.lane)
                    order by s.stage, s.lane
                    limit 1
                ) following
            )
            select stage, lane, due, oldest_seconds,
                   exists (select from stage_pauses p where p.stage = lanes.stage and until > now()) as is_paused
            from lanes
            cross join lateral (
                select count(*)::int as due, extract(epoch from now() - min(next_at))::float8 as oldest_seconds
                from (
                    select next_at
                    from asset_stages s
                    where s.stage = lanes.stage
                      and s.lane = lanes.lane
                      and next_at <= now()
                      and (lease_until is null or lease_until <= now())
                    order by next_at
                    limit %s
                ) waiting
            ) counted
            where due > 0
            order by stage, lane
            """,
            (MOST,),
        )
        return await cursor.fetchall()


async def count_held(conn: Connection) -> dict[str, int]:
    """How much of each stage is in somebody's hands; who claims takes the oldest, so few of a lane are looked at."""
    cursor = await conn.execute(
        """
        with recursive lanes as (
            (
                select stage, lane from asset_stages where next_at is not null order by stage, lane limit 1
            )
            union all
            select following.stage, following.lane
            from lanes
            cross join lateral (
                select s.stage, s.lane
                from asset_stages s
                where s.next_at is not null
                  and (s.stage, s.lane) > (lanes.stage, lanes.lane)
                order by s.stage, s.lane
                limit 1
            ) following
        )
        select stage, count(*)::int
        from lanes
        cross join lateral (
            select lease_until
            from asset_stages s
            where s.stage = lanes.stage
              and s.lane = lanes.lane
              and next_at <= now()
            order by next_at
            limit %s
        ) oldest
        where lease_until > now()
        group by stage
        order by stage
        """,
        (MOST_HELD,),
    )
    return dict(await cursor.fetchall())


async def list_failed(conn: Connection) -> list[Failed]:
    """What was given up, by stage."""
    async with conn.cursor(row_factory=struct_row(Failed)) as cursor:
        await cursor.execute(
            """
            select stage, count(*)::int as count
            from users
            cross join lateral (
                select stage from asset_stages s where owner_id = user_id and pile = 'failed' limit %(most)s
            ) failed
            group by stage
            order by stage
            """,
            {"most": MOST},
        )
        return await cursor.fetchall()


async def find_unpublished(conn: Connection) -> Waiting:
    """Events that nobody has published."""
    async with conn.cursor(row_factory=struct_row(Waiting)) as cursor:
        await cursor.execute(
            """
            select count(*)::int as count,
                   coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest_seconds
            from (select created_at from outbox where published_at is null order by outbox_id limit %s) waiting
            """,
            (MOST,),
        )
        return (await cursor.fetchall())[0]


async def find_unplaced(conn: Connection) -> Waiting:
    """Uploads that were acknowledged and whose bytes lie in staging still."""
    async with conn.cursor(row_factory=struct_row(Waiting)) as cursor:
        await cursor.execute(
            """
            select count(*)::int as count,
                   coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest_seconds
            from (select created_at from uploads where state = 'staged' limit %s) waiting
            """,
            (MOST,),
        )
        return (await cursor.fetchall())[0]


async def find_dead_letters(conn: Connection) -> Waiting:
    """Messages that nobody could read."""
    async with conn.cursor(row_factory=struct_row(Waiting)) as cursor:
        await cursor.execute(
            """
            select count(*)::int as count,
                   coalesce(extract(epoch from now() - min(received_at)), 0)::float8 as oldest_seconds
            from (select received_at from dead_letters order by dead_letter_id limit %s) waiting
            """,
            (MOST,),
        )
        return (await cursor.fetchall())[0]


async def list_trees(conn: Connection, *, days: int) -> list[Tree]:
    """Every repository; files are overdue that were not compared for so many days, with 0 none ever."""
    async with conn.cursor(row_factory=struct_row(Tree)) as cursor:
        await cursor.execute(
            """
            select repository_id, name, state, offline_reason,
                   (
                       select count(*)::int
                       from (
                           select from file_records f
                           where f.repository_id = r.repository_id and f.state = 'corrupt'
                           limit %(most)s
                       ) corrupt
                   ) as corrupt,
                   (
                       select count(*)::int
                       from (
                           select from file_records f
                           where f.repository_id = r.repository_id and f.state = 'present' and scrubbed_at is null
                           limit %(most)s
                       ) unverified
                   ) as unverified,
                   (
                       select count(*)::int
                       from (
                           select from file_records f
                           where f.repository_id = r.repository_id and f.state = 'present'
                             and %(days)s > 0 and scrubbed_at < now() - make_interval(days => %(days)s)
                           limit %(most)s
                       ) overdue
                   ) as overdue,
                   (
                       select extract(epoch from now() - scrubbed_at)::float8
                       from file_records f
                       where f.repository_id = r.repository_id and f.state = 'present' and scrubbed_at is not null
                       order by scrubbed_at
                       limit 1
                   ) as oldest_verified_seconds,
                   asking.asks
            from repositories r
            left join lateral (
                select coalesce(asks, 0) as asks
                from sync_operations o
                where o.repository_id = r.repository_id
                  and state = 'asking'
                  and not exists (
                      select
                      from sync_operations later
                      where later.repository_id = o.repository_id
                        and later.operation_id > o.operation_id
                        and later.state in ('done', 'asking')
                        and later.is_quick <= o.is_quick
                        and (later.folder in ('', o.folder)
                             or substring(o.folder for length(later.folder) + 1) = later.folder || '/')
                  )
                order by operation_id desc
                limit 1
            ) asking on true
            order by repository_id
            limit 1000
            """,
            {"most": MOST, "days": days},
        )
        return await cursor.fetchall()


async def list_meaning(conn: Connection) -> list[Meaning]:
    """How far each stage of meaning is that is wanted: counted beforehand, with the changes not added up yet."""
    async with conn.cursor(row_factory=struct_row(Meaning)) as cursor:
        await cursor.execute(
            """
            with changes as (
                select stage, sum(open) as open, sum(done) as done, sum(failed) as failed
                from stage_count_changes
                group by stage
            )
            select i.stage, model, s.state as space_state,
                   greatest(coalesce(c.open, 0) + coalesce(changes.open, 0), 0)::bigint as open,
                   greatest(coalesce(c.done, 0) + coalesce(changes.done, 0), 0)::bigint as done,
                   greatest(coalesce(c.failed, 0) + coalesce(changes.failed, 0), 0)::bigint as failed
            from inference_stages i
            left join stage_counts c on c.stage = i.stage
            left join changes on changes.stage = i.stage
            left join embedding_spaces s on 'embed:' || s.space_id = i.stage
            where is_wanted
            order by i.stage
            """
        )
        return await cursor.fetchall()


async def count_servers(conn: Connection) -> dict[bool, int]:
    """How many inference servers dispatchers heard of lately, by whether they are there."""
    cursor = await conn.execute(
        """
        select is_there, count(*)::int
        from (
            select bool_or(is_there) as is_there
            from inference_servers
            where seen_at > now() - interval '2 minutes'
            group by address
        ) servers
        group by is_there
        """
    )
    return dict(await cursor.fetchall())


async def find_backup_age(conn: Connection) -> float | None:
    """How many seconds ago the last backup was made; None where there was none."""
    cursor = await conn.execute(
        """
        select extract(epoch from now() - ended_at)::float8
        from backups
        where state = 'made'
        order by ended_at desc
        limit 1
        """
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def has_backup_failed(conn: Connection) -> bool | None:
    """Whether the last backup that ended is none; None where none was ever tried."""
    cursor = await conn.execute(
        """
        select state = 'failed'
        from backups
        where state <> 'running'
        order by backup_id desc
        limit 1
        """
    )
    row = await cursor.fetchone()
    return row[0] if row else None
