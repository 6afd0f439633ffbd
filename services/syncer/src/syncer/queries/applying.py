"""The SQL that makes records true to what a scan found, some rows at a time."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from syncer.area import leaf

BATCH = 2000


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is not as it was recorded; `path` is where it is or was, `moved_to` where it is instead."""

    path: bytes
    asset_id: UUID | None
    owner_id: int
    moved_to: bytes | None = None


async def apply_new(conn: Connection, repository_id: UUID, operation_id: int) -> int:
    """Record some files that are new, to be read once they stand still; returns how many, 0 at the end."""
    cursor = await conn.execute(
        """
        with batch as (
            delete from differences
            where n in (select n from differences where kind = 'new' order by n limit %(limit)s)
            returning path, size, modified_ns, inode, changed_ns
        ), made as (
            insert into file_records (repository_id, path, size, modified_ns, inode, state, generation, read_after)
            select %(repository)s, path, size, modified_ns, inode, 'found', %(operation)s,
                   least(now(), to_timestamp(changed_ns / 1e9)) + interval '2 s'
            from batch
            on conflict (repository_id, path) do nothing
        )
        select count(*) from batch
        """,
        {"repository": repository_id, "operation": operation_id, "limit": BATCH},
    )
    return (await cursor.fetchall())[0][0]  # type: ignore[no-any-return]


async def apply_changed(conn: Connection, operation_id: int) -> int:
    """Have some files read again that are not what they were; returns how many, 0 at the end.

    What is said of a file of an asset stays as it was read, until it is read.
    """
    cursor = await conn.execute(
        """
        with batch as (
            delete from differences
            where n in (select n from differences where kind = 'changed' order by n limit %(limit)s)
            returning file_record_id, size, modified_ns, inode, changed_ns
        ), made as (
            update file_records f
            set read_after = least(now(), to_timestamp(batch.changed_ns / 1e9)) + interval '2 s',
                trouble = null, generation = %(operation)s,
                size = case when f.asset_id is null then batch.size else f.size end,
                modified_ns = case when f.asset_id is null then batch.modified_ns else f.modified_ns end,
                inode = case when f.asset_id is null then batch.inode else f.inode end
            from batch
            where f.file_record_id = batch.file_record_id
        )
        select count(*) from batch
        """,
        {"operation": operation_id, "limit": BATCH},
    )
    return (await cursor.fetchall())[0][0]  # type: ignore[no-any-return]


async def apply_returned(conn: Connection, operation_id: int) -> list[Difference]:
    """Some files that were missing are there as they were, and so are their assets."""
    async with conn.cursor(row_factory=struct_row(Difference)) as cursor:
        await cursor.execute(
            """
            with batch as (
                delete from differences
                where n in (select n from differences where kind = 'returned' order by n limit %(limit)s)
                returning file_record_id, path, asset_id
            ), made as (
                update file_records f
                set state = case when f.content_hash = a.content_hash then 'present' else 'found' end,
                    missing_since = null, missed = 0, generation = %(operation)s
                from batch
                left join assets a on a.asset_id = batch.asset_id
                where f.file_record_id = batch.file_record_id
            ), shown as (
                update assets a
                set missing_since = null
                from batch
                join file_records f on f.file_record_id = batch.file_record_id
                where a.asset_id = batch.asset_id
                  and a.content_hash = f.content_hash
                  and a.missing_since is not null
            )
            select batch.path, batch.asset_id, coalesce(a.owner_id, 0) as owner_id
            from batch
            left join assets a on a.asset_id = batch.asset_id
            """,
            {"operation": operation_id, "limit": BATCH},
        )
        return await cursor.fetchall()


async def apply_moved(conn: Connection, operation_id: int) -> list[Difference]:
    """Some files have another path, and are what they were; an asset that was called as the file was is renamed."""
    async with conn.cursor(row_factory=struct_row(Difference)) as cursor:
        await cursor.execute(
            """
            with batch as (
                delete from differences
                where n in (select n from differences where kind = 'moved' order by n limit %(limit)s)
                returning file_record_id, path, moved_to, asset_id
            ), made as (
                update file_records f
                set path = batch.moved_to, missing_since = null, missed = 0, generation = %(operation)s,
                    state = case
                        when f.state <> 'missing' then f.state
                        when f.content_hash = a.content_hash then 'present'
                        when f.content_hash is null then 'other'
                        else 'found'
                    end
                from batch
                join assets a on a.asset_id = batch.asset_id
                where f.file_record_id = batch.file_record_id
            ), shown as (
                update assets a
                set missing_since = null
                from batch
                join file_records f on f.file_record_id = batch.file_record_id
                where a.asset_id = batch.asset_id
                  and a.content_hash = f.content_hash
                  and a.missing_since is not null
            )
            select batch.path, batch.moved_to, batch.asset_id, a.owner_id
            from batch
            join assets a on a.asset_id = batch.asset_id
            """,
            {"operation": operation_id, "limit": BATCH},
        )
        return await cursor.fetchall()


async def rename_assets(conn: Connection, moved: Sequence[Difference]) -> None:
    """Assets that were called as their file was are called as it is."""
    await conn.execute(
        """
        update assets a
        set original_filename = given.new_name
        from unnest(%(assets)s::uuid[], %(old)s::text[], %(new)s::text[]) given (asset_id, old_name, new_name)
        where a.asset_id = given.asset_id
          and a.original_filename = given.old_name
          and given.old_name <> given.new_name
        """,
        {
            "assets": [one.asset_id for one in moved],
            "old": [leaf(one.path) for one in moved],
            "new": [leaf(one.moved_to or one.path) for one in moved],
        },
    )


async def apply_gone(conn: Connection, operation_id: int) -> list[Difference]:
    """Call some files missing, and forget those of no asset; returns both, nothing at the end."""
    async with conn.cursor(row_factory=struct_row(Difference)) as cursor:
        await cursor.execute(
            """
            with batch as (
                delete from differences
                where n in (select n from differences where kind = 'gone' order by n limit %(limit)s)
                returning file_record_id, path, asset_id
            ), made as (
                update file_records f
                set state = 'missing', missing_since = now(), missed = 0, read_after = null, trouble = null,
                    generation = %(operation)s
                from batch
                where f.file_record_id = batch.file_record_id and f.asset_id is not null
            ), forgotten as (
                delete from file_records f
                using batch
                where f.file_record_id = batch.file_record_id and f.asset_id is null
            )
            select batch.path, batch.asset_id, coalesce(a.owner_id, 0) as owner_id
            from batch
            left join assets a on a.asset_id = batch.asset_id
            """,
            {"operation": operation_id, "limit": BATCH},
        )
        return await cursor.fetchall()


async def count_missed(conn: Connection, repository_id: UUID) -> None:
    """A whole scan has not found what is missing."""
    await conn.execute(
        "update file_records set missed = missed + 1 where repository_id = %s and state = 'missing'", (repository_id,)
    )


async def hide_assets(conn: Connection, repository_id: UUID) -> int:
    """Hide assets of which no file is left, in this repository or another, nor in staging; returns how many."""
    cursor = await conn.execute(
        """
        with hidden as (
            update assets a
            set missing_since = now()
            where a.missing_since is null
              and a.asset_id in (
                  select asset_id
                  from file_records
                  where repository_id = %s and state in ('missing', 'other') and asset_id is not null
              )
              and not exists (
                  select from file_records f where f.asset_id = a.asset_id and f.state not in ('missing', 'other')
              )
              and not exists (select from uploads u where u.asset_id = a.asset_id and u.state = 'staged')
            returning true
        )
        select count(*) from hidden
        """,
        (repository_id,),
    )
    return (await cursor.fetchall())[0][0]  # type: ignore[no-any-return]


async def forget_copies(conn: Connection, repository_id: UUID) -> None:
    """Forget missing copies of assets that have another file here; in the inbox it would return as nobody's."""
    await conn.execute(
        """
        delete from file_records f
        where f.repository_id = %s
          and f.state = 'missing'
          and f.trashed_from is null
          and substring(f.path from 1 for 6) <> 'inbox/'
          and exists (
              select
              from file_records other
              where other.asset_id = f.asset_id and other.state = 'present' and other.repository_id = f.repository_id
          )
        """,
        (repository_id,),
    )
