"""The SQL of comparing originals with what they were: which are due, and what was found in them."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from syncer.queries.reading import keys
from syncer.reading import Reading

WRONG = "its bytes are not those that were stored"


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A file as it is recorded, and the hash that its asset says."""

    file_record_id: int
    path: bytes
    size: int
    modified_ns: int
    inode: int
    content_hash: bytes


class Corrupted(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was right when it was read before."""

    path: bytes
    asset_id: UUID
    owner_id: int
    trouble: str


async def list_due(conn: Connection, repository_id: UUID, *, days: float, limit: int) -> list[Due]:
    """Some files to compare: such as never were, then corrupt ones after a day, then those not seen for longest."""
    async with conn.cursor(row_factory=struct_row(Due)) as cursor:
        await cursor.execute(
            """
            select f.file_record_id, f.path, f.size, f.modified_ns, f.inode, a.content_hash
            from (
                (
                    select file_record_id, path, size, modified_ns, inode, asset_id
                    from file_records
                    where repository_id = %(repository)s and state = 'present' and scrubbed_at is null
                      and read_after is null and asset_id is not null
                    limit %(limit)s
                )
                union all
                (
                    select file_record_id, path, size, modified_ns, inode, asset_id
                    from file_records
                    where repository_id = %(repository)s and state = 'corrupt'
                      and verified_at < now() - interval '1 day' and read_after is null and asset_id is not null
                    limit %(limit)s
                )
                union all
                (
                    select file_record_id, path, size, modified_ns, inode, asset_id
                    from file_records
                    where repository_id = %(repository)s and state = 'present'
                      and scrubbed_at < now() - make_interval(secs => %(seconds)s)
                      and read_after is null and asset_id is not null
                    order by scrubbed_at
                    limit %(limit)s
                )
            ) f
            join assets a on a.asset_id = f.asset_id
            limit %(limit)s
            """,
            {"repository": repository_id, "seconds": days * 86400, "limit": limit},
        )
        return await cursor.fetchall()


async def is_reading(conn: Connection, repository_id: UUID) -> bool:
    """Whether files wait to be read for the first time, or after a change."""
    cursor = await conn.execute(
        "select exists (select from file_records where repository_id = %s and read_after <= now())", (repository_id,)
    )
    return (await cursor.fetchall())[0][0]  # type: ignore[no-any-return]


async def save_compared(
    conn: Connection, readings: Sequence[Reading], known: Sequence[bytes | None]
) -> list[Corrupted]:
    """Files are present that hold the bytes of their asset, and corrupt if not; returns those of which it is news.

    A result counts only for the content that was `known` of its asset, or where that is None, for a file that was to be
    read. One of no asset is none that we take; one that is what it was, but not what its asset is by now, waits to be
    registered.
    """
    async with conn.cursor(row_factory=struct_row(Corrupted)) as cursor:
        await cursor.execute(
            """
            with given as (
                select *
                from unnest(%(records)s::bigint[], %(paths)s::bytea[], %(sizes)s::bigint[], %(modified)s::bigint[],
                            %(inodes)s::bigint[], %(hashes)s::bytea[], %(known)s::bytea[], %(troubles)s::text[])
                    given (id, path, size, modified_ns, inode, content_hash, known, trouble)
            ), compared as (
                select given.*, old.state as was, a.asset_id, a.owner_id,
                       case
                           when a.asset_id is null then 'other'
                           when a.content_hash = given.content_hash then 'present'
                           when old.content_hash = given.content_hash then 'found'
                           else 'corrupt'
                       end as state
                from given
                join file_records old on old.file_record_id = given.id
                left join assets a on a.asset_id = old.asset_id
                where given.known is null or given.known = a.content_hash
            ), saved as (
                update file_records f
                set state = c.state,
                    size = coalesce(c.size, f.size),
                    modified_ns = coalesce(c.modified_ns, f.modified_ns),
                    inode = coalesce(c.inode, f.inode),
                    content_hash = case c.state when 'present' then c.content_hash else f.content_hash end,
                    read_after = null, missing_since = null, missed = 0, verified_at = now(),
                    trouble = case when c.state = 'corrupt' then coalesce(c.trouble, %(wrong)s) end,
                    scrubbed_at = case when c.state in ('present', 'found') then now() end
                from compared c
                where f.file_record_id = c.id
                  and f.path = c.path
                  and case
                          when c.known is null then f.read_after is not null
                          else f.read_after is null and f.state in ('present', 'corrupt')
                      end
                returning f.path, f.state, f.trouble, c.was, c.asset_id, c.owner_id
            ), shown as (
                update assets
                set missing_since = null
                from saved
                where assets.asset_id = saved.asset_id
                  and saved.state = 'present'
                  and assets.missing_since is not null
            )
            select path, asset_id, owner_id, trouble
            from saved
            where state = 'corrupt' and was <> 'corrupt'
            """,
            {
                **keys(readings),
                "sizes": [one.seen and one.seen.size for one in readings],
                "modified": [one.seen and one.seen.modified_ns for one in readings],
                "inodes": [one.seen and one.seen.inode for one in readings],
                "hashes": [one.content_hash for one in readings],
                "known": list(known),
                "troubles": [one.trouble for one in readings],
                "wrong": WRONG,
            },
        )
        return await cursor.fetchall()


async def read_again(conn: Connection, readings: Sequence[Reading]) -> None:
    """Have files read anew that are not as they were recorded: what became of them is to be found out."""
    await conn.execute(
        """
        update file_records f
        set read_after = now() + interval '2 s', trouble = null
        from unnest(%(records)s::bigint[], %(paths)s::bytea[]) given (id, path)
        where f.file_record_id = given.id and f.path = given.path and f.read_after is null
        """,
        keys(readings),
    )


async def leave_gone(conn: Connection, readings: Sequence[Reading]) -> None:
    """Files that are not there are left for a scan to judge, and not looked for again before it is their turn."""
    await conn.execute(
        """
        update file_records f
        set scrubbed_at = case f.state when 'present' then now() end,
            verified_at = case f.state when 'corrupt' then now() else f.verified_at end
        from unnest(%(records)s::bigint[], %(paths)s::bytea[]) given (id, path)
        where f.file_record_id = given.id and f.path = given.path and f.state in ('present', 'corrupt')
        """,
        keys(readings),
    )
