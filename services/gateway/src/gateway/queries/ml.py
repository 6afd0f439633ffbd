"""The SQL of how far the stages of meaning are, and of the servers that do them."""

from datetime import datetime

from msgspec import Struct

from common.db import Connection, struct_row


class Progress(Struct, frozen=True, kw_only=True):
    """How far a stage is: rows by what became of them, what was done lately, and within how many seconds."""

    stage: str
    kinds: list[str]
    is_walking: bool
    open: int
    done: int
    failed: int
    lately: int
    seconds: float


class KnownSpace(Struct, frozen=True, kw_only=True):
    """An embedding space, and since when it is what it is."""

    space_id: int
    model: str
    dimension: int
    state: str
    since: datetime


class KnownServer(Struct, frozen=True, kw_only=True):
    """An inference server as a dispatcher finds it: what it offers, and how many questions it takes and has at once."""

    address: str
    is_there: bool
    tasks: list[str]
    model: str | None
    slots: int
    busy: int
    complaint: str | None
    seen_at: datetime


async def list_progress(conn: Connection) -> list[Progress]:
    """How far each stage is that is wanted: counted beforehand, with the changes that were not added up yet."""
    async with conn.cursor(row_factory=struct_row(Progress)) as cursor:
        await cursor.execute(
            """
            with changes as (
                select stage, sum(open) as open, sum(done) as done, sum(failed) as failed,
                       sum(done) filter (where done > 0) as lately, min(changed_at) filter (where done > 0) as since
                from stage_count_changes
                group by stage
            ), minutes as (
                select stage, sum(done) as lately, min(minute) as since
                from stage_minutes
                where minute >= date_trunc('minute', now()) - interval '5 minutes'
                group by stage
            )
            select i.stage, kinds, filled_at is null or filled_at <= begun_at as is_walking,
                   greatest(coalesce(c.open, 0) + coalesce(changes.open, 0), 0)::bigint as open,
                   greatest(coalesce(c.done, 0) + coalesce(changes.done, 0), 0)::bigint as done,
                   greatest(coalesce(c.failed, 0) + coalesce(changes.failed, 0), 0)::bigint as failed,
                   (coalesce(minutes.lately, 0) + coalesce(changes.lately, 0))::bigint as lately,
                   greatest(coalesce(extract(epoch from now() - least(minutes.since, changes.since)), 0), 1)::float8
                       as seconds
            from inference_stages i
            left join stage_counts c on c.stage = i.stage
            left join changes on changes.stage = i.stage
            left join minutes on minutes.stage = i.stage
            where is_wanted
            order by i.stage
            """
        )
        return await cursor.fetchall()


async def count_kinds(conn: Connection) -> dict[str, int]:
    """How many photos, videos and recordings there are of everybody."""
    cursor = await conn.execute(
        """
        select kind, sum(files)::bigint
        from (
            select kind, files from month_counts
            union all
            select kind, files from day_count_changes
        ) counted
        group by kind
        """
    )
    return dict(await cursor.fetchall())


async def list_spaces(conn: Connection) -> list[KnownSpace]:
    """All spaces, the current one first."""
    async with conn.cursor(row_factory=struct_row(KnownSpace)) as cursor:
        await cursor.execute(
            """
            select space_id, model, dimension, state, since
            from embedding_spaces
            order by state <> 'current', state <> 'filling', space_id
            """
        )
        return await cursor.fetchall()


async def list_servers(conn: Connection) -> list[KnownServer]:
    """The servers that dispatchers know, each as the one found it that saw it last."""
    async with conn.cursor(row_factory=struct_row(KnownServer)) as cursor:
        await cursor.execute(
            """
            select distinct on (address) address, is_there, tasks, model, slots, busy, complaint, seen_at
            from inference_servers
            where seen_at > now() - interval '2 minutes'
            order by address, is_there desc, seen_at desc
            """
        )
        return await cursor.fetchall()
