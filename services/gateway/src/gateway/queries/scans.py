"""The SQL of how true the catalogue is to the disk: counts of files, and those that something is wrong with."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row

FileState = Literal["missing", "corrupt", "unread", "other"]


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """Files that are still to be read, that could not be read so far, and that were read and wait to be registered."""

    unread: int
    troubled: int
    waiting: int


class FileCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Files of a repository by what became of them; one that is to be read again may count twice."""

    present: int
    missing: int
    corrupt: int
    unread: int
    waiting: int
    other: int


class Figures(FileCounts, frozen=True, kw_only=True):
    """What the record says of a repository; `missing_long` are files that a day and three scans did not bring back."""

    size: int
    missing_long: int
    hidden_assets: int
    uncompared: int
    compared_since: datetime | None
    offline_reason: str | None
    watched: str | None


class FileCursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page of files ended."""

    path: bytes


class OddFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a repository that something is wrong with."""

    path: bytes
    state: str
    size: int
    asset_id: UUID | None
    since: datetime | None
    read_after: datetime | None
    trouble: str | None


async def find_figures(conn: Connection, repository_id: UUID) -> Figures | None:
    """The counts of a repository's files and what its watcher said last."""
    async with conn.cursor(row_factory=struct_row(Figures)) as cursor:
        await cursor.execute(
            """
            select files.present, files.missing, files.corrupt, files.unread, files.waiting, files.other, files.size,
                   files.missing_long, hidden.count as hidden_assets, files.uncompared, files.compared_since,
                   r.offline_reason, r.watched
            from repositories r
            cross join lateral (
                select count(*) filter (where state = 'present') as present,
                       count(*) filter (where state = 'missing') as missing,
                       count(*) filter (where state = 'corrupt') as corrupt,
                       count(*) filter (where read_after is not null) as unread,
                       count(*) filter (where state = 'found' and read_after is null) as waiting,
                       count(*) filter (where state = 'other') as other,
                       coalesce(sum(size) filter (where state = 'present'), 0)::bigint as size,
                       count(*) filter (
                           where state = 'missing' and missed >= 3 and missing_since < now() - interval '1 day'
                       ) as missing_long,
                       count(*) filter (where state = 'present' and scrubbed_at is null) as uncompared,
                       min(scrubbed_at) filter (where state = 'present') as compared_since
                from file_records
                where repository_id = r.repository_id
            ) files
            cross join lateral (
                select count(distinct a.asset_id) as count
                from file_records f
                join assets a on a.asset_id = f.asset_id and a.missing_since is not null
                where f.repository_id = r.repository_id and f.state = 'missing'
            ) hidden
            where r.repository_id = %s
            """,
            (repository_id,),
        )
        return await cursor.fetchone()


async def count_left(conn: Connection, repository_id: UUID) -> Left:
    """How much reading and registering is left to do in a repository."""
    async with conn.cursor(row_factory=struct_row(Left)) as cursor:
        await cursor.execute(
            """
            select unread.count as unread, unread.troubled, waiting.count as waiting
            from (
                select count(*) filter (where trouble is null) as count,
                       count(*) filter (where trouble is not null) as troubled
                from file_records
                where repository_id = %(repository)s and read_after is not null
            ) unread
            cross join (
                select count(*)
                from file_records
                where repository_id = %(repository)s and state = 'found' and read_after is null
            ) waiting
            """,
            {"repository": repository_id},
        )
        return (await cursor.fetchall())[0]


async def list_files(
    conn: Connection, repository_id: UUID, *, state: FileState, after: bytes, limit: int
) -> list[OddFile]:
    """Files in a state that come after a path, by their paths."""
    async with conn.cursor(row_factory=struct_row(OddFile)) as cursor:
        await cursor.execute(
            """
            select path, state, size, asset_id, missing_since as since, read_after, trouble
            from file_records
            where repository_id = %(repository)s
              and path > %(after)s
              and case when %(state)s = 'unread' then read_after is not null else state = %(state)s end
            order by path
            limit %(limit)s
            """,
            {"repository": repository_id, "state": state, "after": after, "limit": limit},
        )
        return await cursor.fetchall()
