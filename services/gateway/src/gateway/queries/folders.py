"""The SQL of folders as one person sees them: only files of their own assets, found along one index.

A folder is its path with a slash at its end, and nothing at the root.
"""

from uuid import UUID

from msgspec import Struct

from common.db import Connection, struct_row

LAST = b"\xff" * 4096
"""No path comes after it."""


class Folder(Struct, frozen=True, kw_only=True):
    """A folder in another one: the files of shown assets in it and below it, and one of these assets."""

    folder: bytes
    count: int
    cover_asset_id: UUID | None


class File(Struct, frozen=True, kw_only=True):
    asset_id: UUID
    path: bytes


class Cursor(Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended."""

    path: bytes


async def is_known(conn: Connection, repository_id: UUID, folder: bytes, *, owner: int) -> bool:
    """Whether the owner's lists show anything in a folder or below it."""
    cursor = await conn.execute(
        """
        select exists (
            select
            from file_records f
            join assets a on a.asset_id = f.asset_id
            where f.owner_id = %(owner)s
              and f.repository_id = %(repository)s
              and f.state <> 'missing'
              and f.folder >= %(folder)s
              and f.folder < %(end)s
              and a.is_shown
        )
        """,
        {"owner": owner, "repository": repository_id, "folder": folder, "end": _end(folder)},
    )
    return bool((await cursor.fetchall())[0][0])


async def list_folders(
    conn: Connection, repository_id: UUID, folder: bytes, *, owner: int, after: bytes | None, limit: int
) -> list[Folder]:
    """Folders in a folder that hold files of the owner, by their names; those of hidden assets alone have a count of 0.

    The walk leaps from each to the first file behind it, so it takes no longer for what lies below.
    """
    async with conn.cursor(row_factory=struct_row(Folder)) as cursor:
        await cursor.execute(
            r"""
            with recursive steps (folder) as (
                (
                    select f.folder
                    from file_records f
                    where f.owner_id = %(owner)s
                      and f.repository_id = %(repository)s
                      and f.state <> 'missing'
                      and f.folder >= %(start)s
                      and f.folder < %(end)s
                    order by f.folder
                    limit 1
                )
                union all
                select (
                    select f.folder
                    from file_records f
                    where f.owner_id = %(owner)s
                      and f.repository_id = %(repository)s
                      and f.state <> 'missing'
                      and f.folder >= substring(s.folder from 1 for %(length)s - 1 + position(
                          '\x2f'::bytea in substring(s.folder from %(length)s + 1))) || '\x30'::bytea
                      and f.folder < %(end)s
                    order by f.folder
                    limit 1
                )
                from steps s
                where s.folder is not null
            ),
            inside as (
                select substring(folder from 1 for %(length)s + position(
                           '\x2f'::bytea in substring(folder from %(length)s + 1))) as folder
                from steps
                where folder is not null
                limit %(limit)s
            ),
            hidden as materialized (
                select substring(f.folder from 1 for %(length)s + position(
                           '\x2f'::bytea in substring(f.folder from %(length)s + 1))) as folder, count(*) as count
                from assets a
                join file_records f on f.asset_id = a.asset_id
                where a.owner_id = %(owner)s
                  and not a.is_shown
                  and f.repository_id = %(repository)s
                  and f.state <> 'missing'
                  and f.folder >= %(start)s
                  and f.folder < %(end)s
                group by 1
            )
            select i.folder, (held.count - coalesce(h.count, 0))::int as count, cover.asset_id as cover_asset_id
            from inside i
            left join hidden h on h.folder = i.folder
            cross join lateral (
                select count(*) as count
                from file_records f
                where f.owner_id = %(owner)s
                  and f.repository_id = %(repository)s
                  and f.state <> 'missing'
                  and f.folder >= i.folder
                  and f.folder < substring(i.folder from 1 for length(i.folder) - 1) || '\x30'::bytea
            ) held
            left join lateral (
                select f.asset_id
                from file_records f
                join assets a on a.asset_id = f.asset_id and a.is_shown
                where f.owner_id = %(owner)s
                  and f.repository_id = %(repository)s
                  and f.state <> 'missing'
                  and f.folder >= i.folder
                  and f.folder < substring(i.folder from 1 for length(i.folder) - 1) || '\x30'::bytea
                order by f.folder, f.path
                limit 1
            ) cover on held.count > coalesce(h.count, 0)
            order by i.folder
            """,
            {
                "owner": owner,
                "repository": repository_id,
                "start": folder + b"\x01" if after is None else _end(after),
                "end": _end(folder),
                "length": len(folder),
                "limit": limit,
            },
        )
        return await cursor.fetchall()


async def list_files(
    conn: Connection, repository_id: UUID, folder: bytes, *, owner: int, after: bytes, limit: int
) -> list[File]:
    """Files in a folder, not below it, of assets that the owner's lists show, by their names."""
    async with conn.cursor(row_factory=struct_row(File)) as cursor:
        await cursor.execute(
            """
            select f.asset_id, f.path
            from file_records f
            join assets a on a.asset_id = f.asset_id and a.is_shown
            where f.owner_id = %(owner)s
              and f.repository_id = %(repository)s
              and f.state <> 'missing'
              and f.folder = %(folder)s
              and f.path > %(after)s
            order by f.path
            limit %(limit)s
            """,
            {"owner": owner, "repository": repository_id, "folder": folder, "after": after, "limit": limit},
        )
        return await cursor.fetchall()


def _end(folder: bytes) -> bytes:
    """What comes after all that is in a folder: `0` is the byte after the slash."""
    return folder.removesuffix(b"/") + b"0" if folder else LAST
