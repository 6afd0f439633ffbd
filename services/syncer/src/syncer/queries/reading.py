"""The SQL of reading files: which are due, and what was read in them."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from syncer.reading import Reading

HOUR = 3600.0


class Due(msgspec.Struct, frozen=True, kw_only=True):
    file_record_id: int
    path: bytes
    size: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file whose content is news, and whose it is if it is an asset's; `moved_from` is where it lay before."""

    file_record_id: int
    path: bytes
    asset_id: UUID | None = None
    owner_id: int | None = None
    moved_from: bytes | None = None


async def list_due(conn: Connection, repository_id: UUID, *, limit: int) -> list[Due]:
    """Some files that are to be read now, the longest due first."""
    async with conn.cursor(row_factory=struct_row(Due)) as cursor:
        await cursor.execute(
            """
            select file_record_id, path, size
            from file_records
            where repository_id = %s and read_after <= now()
            order by read_after
            limit %s
            """,
            (repository_id, limit),
        )
        return await cursor.fetchall()


async def next_due(conn: Connection, repository_id: UUID) -> float | None:
    """Seconds until the next file is to be read, None when there is none."""
    cursor = await conn.execute(
        """
        select extract(epoch from min(read_after) - now())::float8
        from file_records
        where repository_id = %s and read_after is not null
        """,
        (repository_id,),
    )
    return (await cursor.fetchall())[0][0]  # type: ignore[no-any-return]


async def put_off(conn: Connection, readings: Sequence[Reading], *, seconds: float) -> None:
    """Have files read later that could not be now, and say why if it is not their being written."""
    await conn.execute(
        """
        update file_records f
        set read_after = now() + make_interval(secs => %(seconds)s), trouble = given.trouble
        from unnest(%(records)s::bigint[], %(paths)s::bytea[], %(troubles)s::text[]) given (id, path, trouble)
        where f.file_record_id = given.id and f.path = given.path and f.read_after is not null
        """,
        {**keys(readings), "troubles": [one.trouble for one in readings], "seconds": seconds},
    )


async def forget_gone(conn: Connection, readings: Sequence[Reading]) -> None:
    """Files that are no longer there need not be read; those of an asset are left for a scan to judge."""
    await conn.execute(
        """
        delete from file_records f
        using unnest(%(records)s::bigint[], %(paths)s::bytea[]) given (id, path)
        where f.file_record_id = given.id and f.path = given.path and f.asset_id is null
        """,
        keys(readings),
    )
    await conn.execute(
        """
        update file_records f
        set read_after = null
        from unnest(%(records)s::bigint[], %(paths)s::bytea[]) given (id, path)
        where f.file_record_id = given.id and f.path = given.path
        """,
        keys(readings),
    )


async def save_other(conn: Connection, readings: Sequence[Reading]) -> bool:
    """Files that are nothing we take; returns whether one is an asset's.

    It stays that asset's own, for it may become a picture again.
    """
    cursor = await conn.execute(
        """
        update file_records f
        set state = 'other', size = given.size, modified_ns = given.modified_ns, inode = given.inode,
            content_hash = null, mime_type = null, read_after = null, trouble = null,
            missing_since = null, missed = 0, verified_at = now()
        from unnest(%(records)s::bigint[], %(paths)s::bytea[], %(sizes)s::bigint[], %(modified)s::bigint[],
                    %(inodes)s::bigint[]) given (id, path, size, modified_ns, inode)
        where f.file_record_id = given.id and f.path = given.path and f.read_after is not null
        returning f.asset_id is not null
        """,
        {**keys(readings), **_seen(readings)},
    )
    return (True,) in await cursor.fetchall()


async def save_read(conn: Connection, readings: Sequence[Reading]) -> list[Found]:
    """What files hold: those of which it is news wait to be registered, and are returned."""
    async with conn.cursor(row_factory=struct_row(Found)) as cursor:
        await cursor.execute(
            """
            with given as (
                select *
                from unnest(%(records)s::bigint[], %(paths)s::bytea[], %(sizes)s::bigint[], %(modified)s::bigint[],
                            %(inodes)s::bigint[], %(hashes)s::bytea[], %(mimes)s::text[])
                    given (id, path, size, modified_ns, inode, content_hash, mime_type)
            ), saved as (
                update file_records f
                set state = case when a.content_hash = given.content_hash then 'present' else 'found' end,
                    size = given.size, modified_ns = given.modified_ns, inode = given.inode,
                    content_hash = given.content_hash, mime_type = given.mime_type, read_after = null, trouble = null,
                    missing_since = null, missed = 0, verified_at = now(), scrubbed_at = now()
                from given
                join file_records old on old.file_record_id = given.id
                left join assets a on a.asset_id = old.asset_id
                where f.file_record_id = given.id and f.path = given.path and f.read_after is not null
                returning f.file_record_id, f.path, f.asset_id, f.state, a.owner_id
            ), shown as (
                update assets
                set missing_since = null
                from saved
                where assets.asset_id = saved.asset_id
                  and saved.state = 'present'
                  and assets.missing_since is not null
            )
            select file_record_id, path, asset_id, owner_id
            from saved
            where state = 'found'
            """,
            {
                **keys(readings),
                **_seen(readings),
                "hashes": [one.content_hash for one in readings],
                "mimes": [one.mime_type for one in readings],
            },
        )
        return await cursor.fetchall()


async def take_over(conn: Connection, repository_id: UUID, fresh: Sequence[Found], *, owner: int | None) -> list[Found]:
    """Find out which files that were just read are such of the owner that went missing elsewhere: those only moved."""
    async with conn.cursor(row_factory=struct_row(Found)) as cursor:
        await cursor.execute(
            """
            with given as materialized (
                select file_record_id, path, content_hash, asset_id, state
                from file_records
                where file_record_id = any(%(records)s)
            ), fresh as (
                select file_record_id, path, content_hash,
                       row_number() over (partition by content_hash order by file_record_id) as n
                from given
                where asset_id is null and state = 'found'
            ), gone as (
                select f.file_record_id, f.path, f.content_hash, f.asset_id,
                       row_number() over (partition by f.content_hash order by f.file_record_id) as n
                from file_records f
                join assets a on a.asset_id = f.asset_id and a.content_hash = f.content_hash
                where f.repository_id = %(repository)s
                  and f.state = 'missing'
                  and a.owner_id = %(owner)s
                  and f.content_hash in (select content_hash from fresh)
            ), pairs as (
                select fresh.file_record_id as fresh_id, gone.file_record_id as gone_id, gone.path as moved_from,
                       fresh.path, gone.asset_id
                from fresh
                join gone using (content_hash, n)
            ), removed as (
                delete from file_records f
                using pairs
                where f.file_record_id = pairs.gone_id
            ), linked as (
                update file_records f
                set asset_id = pairs.asset_id, state = 'present'
                from pairs
                where f.file_record_id = pairs.fresh_id
            ), shown as (
                update assets
                set missing_since = null
                from pairs
                where assets.asset_id = pairs.asset_id and assets.missing_since is not null
            )
            select fresh_id as file_record_id, path, asset_id, moved_from
            from pairs
            """,
            {"repository": repository_id, "records": [one.file_record_id for one in fresh], "owner": owner},
        )
        return await cursor.fetchall()


def keys(readings: Sequence[Reading]) -> dict[str, object]:
    """Which records were read, as statements take them."""
    return {"records": [one.file_record_id for one in readings], "paths": [one.path for one in readings]}


def _seen(readings: Sequence[Reading]) -> dict[str, object]:
    seen = [one.seen for one in readings if one.seen is not None]
    return {
        "sizes": [one.size for one in seen],
        "modified": [one.modified_ns for one in seen],
        "inodes": [one.inode for one in seen],
    }
