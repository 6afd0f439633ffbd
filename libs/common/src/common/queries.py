"""The SQL of stages, the leases of their rows, and dead letters."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from common.db import Connection, struct_row


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far work is: percent of it, how many seconds of the original a second gets through, and seconds left."""

    percent: float
    speed: float | None = None
    seconds_left: float | None = None


class ClaimedRow(msgspec.Struct, frozen=True, kw_only=True):
    asset_id: UUID
    owner_id: int
    lane: int
    lease_epoch: int
    deaths: int
    failures: int
    error: str | None
    is_suspect: bool
    has_more: bool


async def claim(
    conn: Connection, stage: str, *, most: int, lease_seconds: float, suspicious: int, may_suspect: bool
) -> list[ClaimedRow]:
    """The most urgent due rows of a stage, leased to the caller: those of dead workers first, none while paused.

    Of rows whose workers died so often or oftener it is one at most, if any: one may end whoever works on it, and is
    not to take the others along.
    """
    async with conn.cursor(row_factory=struct_row(ClaimedRow)) as cursor:
        await cursor.execute(
            """
            with due as materialized (
                select asset_id, stage, state = 'running' and deaths >= %(suspicious)s as is_suspect
                from asset_stages
                where stage = %(stage)s
                  and next_at <= now()
                  and (lease_until is null or lease_until <= now())
                  and not exists (select from stage_pauses where stage = %(stage)s and until > now())
                order by lane, next_at, asset_id
                limit %(most)s
                for update skip locked
            ), taken as (
                select asset_id, stage, is_suspect
                from (
                    select asset_id, stage, is_suspect, row_number() over (partition by is_suspect) as place from due
                ) placed
                where not is_suspect or (place = 1 and %(may_suspect)s)
            )
            update asset_stages s
            set state = 'running',
                lease_epoch = s.lease_epoch + 1,
                lease_until = now() + make_interval(secs => %(lease)s),
                deaths = s.deaths + 1,
                again = false,
                progress = null
            from taken
            where s.asset_id = taken.asset_id
              and s.stage = taken.stage
            returning s.asset_id, s.owner_id, s.lane, s.lease_epoch, s.deaths, s.failures, s.error, taken.is_suspect, (
                select true
                from asset_stages other
                where other.stage = %(stage)s
                  and other.next_at <= now()
                  and (other.lease_until is null or other.lease_until <= now())
                  and other.asset_id not in (select due.asset_id from due)
                order by other.lane, other.next_at, other.asset_id
                limit 1
            ) is not null as has_more
            """,
            {
                "stage": stage,
                "most": most,
                "lease": lease_seconds,
                "suspicious": suspicious,
                "may_suspect": may_suspect,
            },
        )
        return await cursor.fetchall()


async def renew(
    conn: Connection, stage: str, held: Sequence[tuple[UUID, int]], *, lease_seconds: float
) -> dict[tuple[UUID, int], bool]:
    """Extend leases, each of an asset and an epoch, and wait for nobody; returns those that could not be extended.

    Of each it says whether it is still the caller's: then only its row is held by somebody at the moment.
    """
    cursor = await conn.execute(
        """
        with held as (
            select * from unnest(%(assets)s::uuid[], %(epochs)s::bigint[]) held (asset_id, epoch)
        ), mine as materialized (
            select s.asset_id
            from held
            join asset_stages s on s.asset_id = held.asset_id and s.stage = %(stage)s and s.lease_epoch = held.epoch
            where s.state = 'running'
            order by s.asset_id
            for update of s skip locked
        ), renewed as (
            update asset_stages s
            set lease_until = now() + make_interval(secs => %(lease)s)
            from mine
            where s.asset_id = mine.asset_id
              and s.stage = %(stage)s
            returning s.asset_id, s.lease_epoch
        )
        select asset_id, epoch, exists (
            select
            from asset_stages s
            where s.asset_id = held.asset_id
              and s.stage = %(stage)s
              and s.lease_epoch = held.epoch
              and s.state = 'running'
        )
        from held
        where (asset_id, epoch) not in (select renewed.asset_id, renewed.lease_epoch from renewed)
        """,
        {"stage": stage, "assets": [a for a, _ in held], "epochs": [e for _, e in held], "lease": lease_seconds},
    )
    return {(asset_id, epoch): is_ours for asset_id, epoch, is_ours in await cursor.fetchall()}


async def settle_done(conn: Connection, asset_id: UUID, stage: str, *, epoch: int) -> bool:
    """Mark the stage done, or due if it is to be done again, and lock its row; False when somebody newer owns it."""
    cursor = await conn.execute(
        """
        update asset_stages
        set state = case when again then 'pending' else 'done' end, next_at = case when again then now() end,
            lease_until = null, deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        where asset_id = %s and stage = %s and lease_epoch = %s and state = 'running'
        returning true
        """,
        (asset_id, stage, epoch),
    )
    return await cursor.fetchone() is not None


async def settle_all_done(conn: Connection, held: Sequence[tuple[UUID, str, int]]) -> set[tuple[UUID, str, int]]:
    """The same for many, each an asset, a stage and an epoch; returns which of them were the caller's."""
    cursor = await conn.execute(
        """
        with mine as materialized (
            select s.asset_id, s.stage
            from unnest(%s::uuid[], %s::text[], %s::bigint[]) held (asset_id, stage, epoch)
            join asset_stages s
                on s.asset_id = held.asset_id and s.stage = held.stage and s.lease_epoch = held.epoch
            where s.state = 'running'
            order by s.asset_id, s.stage
            for update of s
        )
        update asset_stages s
        set state = case when again then 'pending' else 'done' end, next_at = case when again then now() end,
            lease_until = null, deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        from mine
        where s.asset_id = mine.asset_id and s.stage = mine.stage
        returning s.asset_id, s.stage, s.lease_epoch
        """,
        ([one[0] for one in held], [one[1] for one in held], [one[2] for one in held]),
    )
    return set(await cursor.fetchall())


async def settle_failed(
    conn: Connection, asset_id: UUID, stage: str, *, epoch: int, error_class: str, error: str
) -> bool:
    """Give up on the stage, with its reason, unless it is to be done again; False when somebody newer owns it."""
    cursor = await conn.execute(
        """
        update asset_stages
        set state = case when again then 'pending' else 'failed' end, next_at = case when again then now() end,
            lease_until = null, deaths = 0,
            error_class = %(class)s, error = %(error)s, changed_at = now()
        where asset_id = %(asset)s and stage = %(stage)s and lease_epoch = %(epoch)s and state = 'running'
        returning true
        """,
        {"asset": asset_id, "stage": stage, "epoch": epoch, "class": error_class, "error": error},
    )
    return await cursor.fetchone() is not None


async def put_back(
    conn: Connection,
    asset_id: UUID,
    stage: str,
    *,
    epoch: int,
    after: float,
    death: bool = False,
    failure: bool = False,
    error_class: str | None = None,
    error: str | None = None,
) -> bool:
    """Make the row due again after some seconds; one that died or failed is counted and gives way to fresh ones."""
    cursor = await conn.execute(
        """
        update asset_stages
        set state = 'pending',
            next_at = greatest(next_at, now() + make_interval(secs => %(after)s)),
            lease_until = null,
            deaths = greatest(deaths - %(returned)s, 0),
            failures = failures + %(failed)s,
            lane = greatest(lane, %(failed)s, 1 - %(returned)s),
            error_class = coalesce(%(class)s, error_class),
            error = coalesce(%(error)s, error),
            changed_at = now()
        where asset_id = %(asset)s and stage = %(stage)s and lease_epoch = %(epoch)s and state = 'running'
        """,
        {
            "asset": asset_id,
            "stage": stage,
            "epoch": epoch,
            "after": after,
            "returned": 0 if death else 1,
            "failed": 1 if failure else 0,
            "class": error_class,
            "error": error,
        },
    )
    return cursor.rowcount == 1


async def give_back(conn: Connection, stage: str, asset_ids: Sequence[UUID], epochs: Sequence[int]) -> None:
    """Return unfinished rows untouched, so that another worker has them at once."""
    await conn.execute(
        """
        with mine as materialized (
            select s.asset_id
            from unnest(%(assets)s::uuid[], %(epochs)s::bigint[]) held (asset_id, epoch)
            join asset_stages s on s.asset_id = held.asset_id and s.stage = %(stage)s and s.lease_epoch = held.epoch
            where s.state = 'running'
            order by s.asset_id
            for update of s
        )
        update asset_stages s
        set state = 'pending', lease_until = null, deaths = greatest(s.deaths - 1, 0)
        from mine
        where s.asset_id = mine.asset_id
          and s.stage = %(stage)s
        """,
        {"stage": stage, "assets": list(asset_ids), "epochs": list(epochs)},
    )


async def report(conn: Connection, asset_id: UUID, stage: str, *, epoch: int, progress: Progress) -> bool | None:
    """Say how far work in hand is; returns whether nobody wants it so any more, None when somebody newer owns it.

    It is to be done once more then, or its asset lies in the trash.
    """
    cursor = await conn.execute(
        """
        update asset_stages
        set progress = %s
        where asset_id = %s and stage = %s and lease_epoch = %s and state = 'running'
        returning again or exists (
            select from assets where assets.asset_id = asset_stages.asset_id and trashed_at is not null
        )
        """,
        (Jsonb(msgspec.to_builtins(progress)), asset_id, stage, epoch),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def follow(conn: Connection, asset_id: UUID, stage: str, *, owner: int, lane: int) -> None:
    """Make a stage due that comes after one which settles now; one that is due or at work already stays as it is."""
    await conn.execute(
        """
        insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
        values (%s, %s, %s, %s, 'pending', now())
        on conflict (asset_id, stage) do update
        set state = 'pending', next_at = now(), lane = excluded.lane, deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        where asset_stages.state in ('blocked', 'done', 'failed')
        """,
        (asset_id, stage, owner, lane),
    )


async def lock_stages(conn: Connection, asset_id: UUID) -> dict[str, str]:
    """How far an asset's files are, held there until the transaction ends, in the order in which everybody locks."""
    cursor = await conn.execute(
        """
        select stage, state
        from asset_stages
        where asset_id = %s
          and stage in ('place', 'purge', 'render', 'transcode')
        order by stage
        for update
        """,
        (asset_id,),
    )
    return dict(await cursor.fetchall())


async def release(conn: Connection, asset_id: UUID, stage: str) -> None:
    """Make a stage due that waited for its turn, or that failed on what has been replaced since."""
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now(), deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        where asset_id = %s and stage = %s and state in ('blocked', 'failed')
        """,
        (asset_id, stage),
    )


async def reopen(conn: Connection, asset_id: UUID, stage: str, *, lane: int | None = None) -> None:
    """Make a stage due that ended, well or not, or waits for its next try.

    A worker that is at it is to look for what is new before it settles.
    """
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now(), deaths = 0, failures = 0,
            lane = case state when 'pending' then least(lane, %(lane)s) else coalesce(%(lane)s, lane) end,
            error_class = null, error = null, changed_at = now()
        where asset_id = %(asset)s
          and stage = %(stage)s
          and (state in ('done', 'failed') or (state = 'pending' and next_at > now()))
        """,
        {"asset": asset_id, "stage": stage, "lane": lane},
    )


async def demand(conn: Connection, asset_id: UUID, stage: str, *, owner: int) -> None:
    """Make a stage due at once that a person asks for, whatever became of it before; what runs is to be done again."""
    await conn.execute(
        """
        insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
        values (%s, %s, %s, 0, 'pending', now())
        on conflict (asset_id, stage) do nothing
        """,
        (asset_id, stage, owner),
    )
    await redo(conn, asset_id, stage)


async def redo(conn: Connection, asset_id: UUID, stage: str, *, after: float = 0) -> None:
    """Make a stage due once more that had its turn; what runs is to be done again, as it may have seen what was before.

    A person waits for it. The first statement holds the row, so that nobody claims it before the second.
    """
    await conn.execute(
        """
        update asset_stages
        set again = state = 'running', lane = 0
        where asset_id = %s
          and stage = %s
          and state <> 'blocked'
        """,
        (asset_id, stage),
    )
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = least(next_at, now() + make_interval(secs => %s)), deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        where asset_id = %s
          and stage = %s
          and state in ('pending', 'done', 'failed')
        """,
        (after, asset_id, stage),
    )


async def save_dead_letter(conn: Connection, *, subject: str, body: bytes, reason: str) -> None:
    """Keep a message that nobody could read."""
    await conn.execute("insert into dead_letters (subject, body, reason) values (%s, %s, %s)", (subject, body, reason))


async def find_now(conn: Connection) -> float:
    """The time by the one clock that counts, in seconds since 1970."""
    cursor = await conn.execute("select extract(epoch from now())::float8")
    now: float = (await cursor.fetchall())[0][0]
    return now


async def takes_writes(conn: Connection) -> bool:
    """Whether anything can be changed."""
    cursor = await conn.execute("select not current_setting('transaction_read_only')::bool")
    does: bool = (await cursor.fetchall())[0][0]
    return does


async def unsafe_settings(conn: Connection) -> list[str]:
    """Names of database settings under which a commit could be lost or torn."""
    cursor = await conn.execute(
        """
        select name
        from pg_settings
        where (name in ('fsync', 'full_page_writes') and setting <> 'on')
           or (name = 'synchronous_commit' and setting in ('off', 'local'))
        order by name
        """
    )
    return [row[0] for row in await cursor.fetchall()]
