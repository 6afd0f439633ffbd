"""The SQL of what only a person asks: versions, how much there is, and what is being worked on."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from common.db import Connection, struct_row

LOOKED_AT = 10_000
"""So many of the most urgent rows of a stage are looked at, for what is worked on is among them."""
MOST_LOST = 100_000
"""So many missing files are looked at: whoever lost more knows."""


class Catalogue(Struct, frozen=True, kw_only=True):
    """How much there is, of all users."""

    users: int
    photos: int
    videos: int
    recordings: int
    bytes: int


class Lost(Struct, frozen=True, kw_only=True):
    """Assets of a repository that have no file any more: of files that the server kept, and of people's own."""

    repository_id: UUID
    name: str
    kept: int
    own: int


class Backup(Struct, frozen=True, kw_only=True):
    """How many seconds ago the last one was made, None for never, and why the last try failed, if it did."""

    made_seconds: float | None
    error: str | None


async def find_version(conn: Connection) -> str:
    """The version of the database's server, as in 18.4."""
    cursor = await conn.execute("select split_part(current_setting('server_version'), ' ', 1)")
    return str((await cursor.fetchall())[0][0])


async def find_catalogue(conn: Connection) -> Catalogue:
    """Counted beforehand, with what was not added up yet."""
    async with conn.cursor(row_factory=struct_row(Catalogue)) as cursor:
        await cursor.execute(
            """
            select (select count(*) from users)::int as users,
                   coalesce(sum(files) filter (where kind = 'photo'), 0)::int as photos,
                   coalesce(sum(files) filter (where kind = 'video'), 0)::int as videos,
                   coalesce(sum(files) filter (where kind = 'audio'), 0)::int as recordings,
                   coalesce(sum(bytes), 0)::bigint as bytes
            from (
                select kind, files, bytes from month_counts
                union all
                select kind, files, bytes from day_count_changes
            ) counts
            """
        )
        return (await cursor.fetchall())[0]


async def count_running(conn: Connection, stages: Sequence[str]) -> dict[str, int]:
    """How much of each stage is being worked on."""
    cursor = await conn.execute(
        """
        select wanted.stage, running
        from unnest(%s::text[]) as wanted (stage)
        cross join lateral (
            select count(*)::int as running
            from (
                select lease_until
                from asset_stages s
                where s.stage = wanted.stage and next_at is not null
                order by lane, next_at
                limit %s
            ) front
            where lease_until > now()
        ) counted
        where running > 0
        """,
        (list(stages), LOOKED_AT),
    )
    return dict(await cursor.fetchall())


async def find_backup(conn: Connection) -> Backup:
    """What became of backups."""
    async with conn.cursor(row_factory=struct_row(Backup)) as cursor:
        await cursor.execute(
            """
            select
                (
                    select extract(epoch from now() - ended_at)::float8
                    from backups
                    where state = 'made'
                    order by ended_at desc
                    limit 1
                ) as made_seconds,
                (select error from backups where state <> 'running' order by backup_id desc limit 1) as error
            """
        )
        return (await cursor.fetchall())[0]


async def list_lost(conn: Connection) -> list[Lost]:
    """Where assets are hidden because no file of them is left; what was thrown away is not missed."""
    async with conn.cursor(row_factory=struct_row(Lost)) as cursor:
        await cursor.execute(
            """
            select repository_id, name,
                   (count(distinct asset_id) filter (where is_kept))::int as kept,
                   (count(distinct asset_id) filter (where not is_kept))::int as own
            from (
                select r.repository_id, r.name, a.asset_id,
                       r.private_root is null and substring(f.path from 1 for 6) = 'inbox/' as is_kept
                from file_records f
                join repositories r on r.repository_id = f.repository_id
                join assets a on a.asset_id = f.asset_id
                where f.state = 'missing'
                  and a.missing_since is not null
                  and a.trashed_at is null
                limit %s
            ) missing
            group by repository_id, name
            order by repository_id
            """,
            (MOST_LOST,),
        )
        return await cursor.fetchall()
