"""The SQL of tending a repository: who does it, what is wished for, and how each run goes."""

from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from common.db import Connection, struct_row
from common.scan_queries import Counts


class Tended(msgspec.Struct, frozen=True, kw_only=True):
    """A repository as whoever tends it sees it; `owner_id` gets what is found, None while there is nobody."""

    repository_id: UUID
    root: bytes
    private_root: bytes | None
    owner_id: int | None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A run that somebody asked for."""

    operation_id: int
    folder: bytes
    is_quick: bool
    allowed: int | None


async def list_tended(conn: Connection) -> list[Tended]:
    """Every repository."""
    async with conn.cursor(row_factory=struct_row(Tended)) as cursor:
        await cursor.execute(
            """
            select repository_id, root, private_root, coalesce(
                       owner_id, (select user_id from users where is_admin order by user_id limit 1)
                   ) as owner_id
            from repositories
            order by repository_id
            limit 1000
            """
        )
        return await cursor.fetchall()


async def begin(conn: Connection, repository_id: UUID, *, folder: bytes, reason: str, is_quick: bool) -> int:
    """A run that nobody asked for starts; returns its id."""
    cursor = await conn.execute(
        """
        insert into sync_operations (repository_id, folder, reason, is_quick, state, started_at)
        values (%s, %s, %s, %s, 'running', now())
        returning operation_id
        """,
        (repository_id, folder, reason, is_quick),
    )
    return (await cursor.fetchall())[0][0]  # type: ignore[no-any-return]


async def begin_wished(conn: Connection, repository_id: UUID) -> Wish | None:
    """The oldest run that somebody waits for starts."""
    async with conn.cursor(row_factory=struct_row(Wish)) as cursor:
        await cursor.execute(
            """
            update sync_operations
            set state = 'running', started_at = now()
            where operation_id = (
                select operation_id
                from sync_operations
                where repository_id = %s and state = 'queued'
                order by operation_id
                limit 1
            )
            returning operation_id, folder, is_quick, allowed
            """,
            (repository_id,),
        )
        return await cursor.fetchone()


async def put_back(conn: Connection, repository_id: UUID) -> None:
    """Runs that ended with whoever did them: one that was asked for waits again, another has failed."""
    await conn.execute(
        """
        update sync_operations
        set state = case when reason = 'requested' then 'queued' else 'failed' end,
            error = case when reason = 'requested' then error else 'it was interrupted' end,
            ended_at = case when reason = 'requested' then null else now() end
        where repository_id = %s and state = 'running'
        """,
        (repository_id,),
    )


async def report(conn: Connection, operation_id: int, counts: Counts) -> None:
    """Say how far a run is."""
    await conn.execute(
        "update sync_operations set counts = %s where operation_id = %s and state = 'running'",
        (Jsonb(msgspec.to_builtins(counts)), operation_id),
    )


async def end(
    conn: Connection, operation_id: int, *, state: str, counts: Counts, error: str | None, asks: int | None = None
) -> None:
    """Say how a run ended."""
    await conn.execute(
        """
        update sync_operations
        set state = %(state)s, counts = %(counts)s, error = %(error)s, asks = %(asks)s, ended_at = now()
        where operation_id = %(operation)s
        """,
        {
            "state": state,
            "counts": Jsonb(msgspec.to_builtins(counts)),
            "error": error,
            "asks": asks,
            "operation": operation_id,
        },
    )


async def forget_old(conn: Connection, repository_id: UUID, *, keep: int) -> None:
    """Forget runs that ended, but for some of the latest for each reason: those that are frequent hide no others."""
    await conn.execute(
        """
        delete from sync_operations o
        where o.repository_id = %(repository)s
          and o.ended_at is not null
          and o.operation_id < (
              select min(recent.operation_id)
              from (
                  select operation_id
                  from sync_operations
                  where repository_id = %(repository)s
                    and reason = o.reason
                  order by operation_id desc
                  limit %(keep)s
              ) recent
          )
        """,
        {"repository": repository_id, "keep": keep},
    )


async def mark_offline(conn: Connection, repository_id: UUID, reason: str) -> bool:
    """Say that a repository is not there; returns whether that is news."""
    cursor = await conn.execute(
        """
        with before as (select state from repositories where repository_id = %(repository)s for update)
        update repositories r
        set state = 'offline', offline_reason = %(reason)s
        from before
        where r.repository_id = %(repository)s
          and (r.state <> 'offline' or r.offline_reason is distinct from %(reason)s)
        returning before.state <> 'offline'
        """,
        {"repository": repository_id, "reason": reason},
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def mark_online(conn: Connection, repository_id: UUID) -> bool:
    """Say that a repository is there; returns whether that is news."""
    cursor = await conn.execute(
        """
        update repositories
        set state = case when private_root is null then 'online' else 'readonly' end, offline_reason = null
        where repository_id = %s and state = 'offline'
        returning true
        """,
        (repository_id,),
    )
    return await cursor.fetchone() is not None


async def save_watched(conn: Connection, repository_id: UUID, watched: str) -> None:
    """Say how changes in a repository are noticed, as `Watched` in JSON."""
    await conn.execute("update repositories set watched = %s where repository_id = %s", (watched, repository_id))
