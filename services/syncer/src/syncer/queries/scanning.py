"""The SQL of a scan: what lies on the disk is written down and compared with what is recorded.

All of it runs on one session, which alone sees the tables made here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from common.db import Connection
from syncer.area import Folder, Part, area, scope

COPY_BEGINS, COPY_ENDS = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


async def prepare(conn: Connection) -> None:
    """Room for what the disk says."""
    await conn.execute(
        """
        create temp table seen (
            path bytea not null,
            size bigint not null,
            modified_ns bigint not null,
            inode bigint not null,
            changed_ns bigint not null
        )
        """
    )
    await conn.execute("create temp table listed (path bytea not null, parent bytea, modified_ns bigint not null)")
    await conn.execute("create temp table scope (low bytea not null, high bytea not null, is_deep boolean not null)")
    await conn.execute(
        """
        create temp table differences (
            n int generated always as identity primary key,
            kind text not null,
            file_record_id bigint,
            asset_id uuid,
            path bytea not null,
            moved_to bytea,
            size bigint not null,
            modified_ns bigint not null,
            inode bigint not null,
            changed_ns bigint
        )
        """
    )


async def copy_files(conn: Connection, rows: bytes) -> None:
    """Write down files: rows of path, size, modified_ns, inode and changed_ns, as COPY takes them in binary."""
    async with conn.cursor() as cursor, cursor.copy("copy seen from stdin (format binary)") as copy:
        await copy.write(COPY_BEGINS + rows + COPY_ENDS)


async def save_listed(conn: Connection, folders: Sequence[Folder]) -> None:
    """Write down folders."""
    await conn.execute(
        "insert into listed select * from unnest(%s::bytea[], %s::bytea[], %s::bigint[])",
        ([one.path for one in folders], [one.parent for one in folders], [one.modified_ns for one in folders]),
    )


async def save_scope(conn: Connection, scope: Sequence[Part]) -> None:
    """Which records are compared; no two parts have a path in common."""
    await conn.execute(
        "insert into scope select * from unnest(%s::bytea[], %s::bytea[], %s::boolean[])",
        ([part.low for part in scope], [part.high for part in scope], [part.is_deep for part in scope]),
    )


async def settle_seen(conn: Connection) -> None:
    """Let the database know how much was seen, so that it chooses how to compare."""
    await conn.execute("analyze seen")
    await conn.execute("analyze scope")


async def find_now(conn: Connection) -> datetime:
    """The time by the one clock that counts."""
    cursor = await conn.execute("select now()")
    return (await cursor.fetchall())[0][0]  # type: ignore[no-any-return]


async def compare(conn: Connection, repository_id: UUID, *, began: datetime, is_whole: bool) -> None:
    """Write down how the disk differs from the records; nothing of the server's own folders is looked at.

    A file that somebody has had in hand since the walk began is not called gone, for it may have come behind our back,
    and neither is one that the server itself may be moving.
    """
    await conn.execute(
        """
        insert into differences (kind, file_record_id, asset_id, path, size, modified_ns, inode, changed_ns)
        select case
                   when k.file_record_id is null then 'new'
                   when s.path is null then 'gone'
                   when k.state = 'missing' and k.content_hash is not null
                        and (k.size, k.modified_ns, k.inode) = (s.size, s.modified_ns, s.inode) then 'returned'
                   else 'changed'
               end,
               k.file_record_id, k.asset_id, coalesce(s.path, k.path), coalesce(s.size, k.size),
               coalesce(s.modified_ns, k.modified_ns), coalesce(s.inode, k.inode), s.changed_ns
        from seen s
        full join (
            select file_record_id, asset_id, path, size, modified_ns, inode, state, content_hash, verified_at
            from file_records
            where %(whole)s
              and repository_id = %(repository)s
              and substring(path from 1 for 9) <> '.lumilio/'
            union all
            select file_record_id, asset_id, path, size, modified_ns, inode, state, content_hash, verified_at
            from scope
            join file_records on repository_id = %(repository)s and path >= low and path < high
            where not %(whole)s
              and (is_deep or position('/'::bytea in substring(path from length(low) + 1)) = 0)
              and substring(path from 1 for 9) <> '.lumilio/'
        ) k on k.path = s.path
        where k.file_record_id is null
           or (
               s.path is null and k.state <> 'missing' and k.verified_at < %(began)s
               and not (
                   substring(k.path from 1 for 6) = 'inbox/'
                   and exists (
                       select
                       from asset_stages p
                       where p.asset_id = k.asset_id and p.stage = 'place' and p.state in ('pending', 'running')
                   )
               )
           )
           or (s.path is not null and k.state = 'missing')
           or (k.size, k.modified_ns, k.inode) <> (s.size, s.modified_ns, s.inode)
        """,
        {"repository": repository_id, "began": began, "whole": is_whole},
    )


async def pair_moved(conn: Connection, repository_id: UUID) -> None:
    """Find out which new files are such that went: the same inode, size and time, and no other file with these."""
    await conn.execute(
        """
        insert into differences (kind, file_record_id, asset_id, path, size, modified_ns, inode)
        select 'away', f.file_record_id, f.asset_id, f.path, f.size, f.modified_ns, f.inode
        from (select distinct inode from differences where kind = 'new') fresh
        join file_records f on f.repository_id = %(repository)s and f.inode = fresh.inode and f.state = 'missing'
        where not exists (select from differences d where d.file_record_id = f.file_record_id)
        """,
        {"repository": repository_id},
    )
    await conn.execute(
        """
        with once as (
            select size, modified_ns, inode, max(path) filter (where kind = 'new') as path
            from differences
            where kind in ('new', 'gone', 'away')
              and (kind = 'new' or asset_id is not null)
            group by size, modified_ns, inode
            having count(*) = 2 and count(*) filter (where kind = 'new') = 1
        ), used as (
            delete from differences d
            using once
            where d.kind = 'new' and d.path = once.path
        )
        update differences d
        set kind = 'moved', moved_to = once.path
        from once
        where d.kind in ('gone', 'away')
          and d.asset_id is not null
          and (d.size, d.modified_ns, d.inode) = (once.size, once.modified_ns, once.inode)
        """
    )
    await conn.execute("delete from differences where kind = 'away'")


async def drop_covered(conn: Connection, paths: Sequence[bytes]) -> None:
    """Call nothing gone that lies at or below paths upon which something else is mounted."""
    await conn.execute(
        """
        delete from differences d
        using unnest(%s::bytea[]) covered (path)
        where d.kind = 'gone'
          and (d.path = covered.path or (d.path >= covered.path || '/'::bytea and d.path < covered.path || '0'::bytea))
        """,
        (list(paths),),
    )


async def drop_strays(conn: Connection) -> int:
    """Pass over new files in the inbox, which is the server's: one may be just being placed; returns how many.

    Sidecars are not counted, for the server writes such itself.
    """
    cursor = await conn.execute(
        """
        with strays as (
            delete from differences where kind = 'new' and substring(path from 1 for 6) = 'inbox/' returning path
        )
        select count(*) from strays where substring(path from length(path) - 3) <> '.xmp'
        """
    )
    strays: int = (await cursor.fetchall())[0][0]
    return strays


async def count_differences(conn: Connection) -> dict[str, int]:
    """How many there are of each kind; `gone` counts only files of assets."""
    cursor = await conn.execute(
        """
        select kind, count(*)
        from differences
        where kind <> 'gone' or asset_id is not null
        group by kind
        """
    )
    return dict(await cursor.fetchall())


async def count_unconfirmed(conn: Connection, repository_id: UUID) -> int:
    """How many files are missing by the word of scans of some folders alone, and were not found by this one either."""
    cursor = await conn.execute(
        """
        select count(*)
        from file_records f
        where f.repository_id = %s
          and f.state = 'missing'
          and f.missed = 0
          and f.asset_id is not null
          and substring(f.path from 1 for 9) <> '.lumilio/'
          and not exists (select from differences d where d.file_record_id = f.file_record_id)
        """,
        (repository_id,),
    )
    unconfirmed: int = (await cursor.fetchall())[0][0]
    return unconfirmed


async def list_gone(conn: Connection, repository_id: UUID, *, limit: int) -> list[bytes]:
    """Some of the paths at which nothing lies any more, as no whole scan has confirmed yet."""
    cursor = await conn.execute(
        """
        select path
        from differences
        where kind = 'gone' and asset_id is not null
        union
        select path
        from file_records
        where repository_id = %(repository)s
          and state = 'missing'
          and missed = 0
          and asset_id is not null
          and substring(path from 1 for 9) <> '.lumilio/'
        order by path
        limit %(limit)s
        """,
        {"repository": repository_id, "limit": limit},
    )
    return [row[0] for row in await cursor.fetchall()]


async def count_known(conn: Connection, repository_id: UUID) -> int:
    """How many files of assets lie in a repository as far as we know."""
    cursor = await conn.execute(
        """
        select count(*)
        from file_records
        where repository_id = %s
          and asset_id is not null
          and state <> 'missing'
          and substring(path from 1 for 9) <> '.lumilio/'
        """,
        (repository_id,),
    )
    known: int = (await cursor.fetchall())[0][0]
    return known


async def save_folders(conn: Connection, repository_id: UUID, *, is_whole: bool) -> None:
    """Record the folders that were listed, and forget those that were looked for and are gone."""
    await conn.execute(
        """
        insert into folders (repository_id, path, parent, modified_ns)
        select %(repository)s, path, parent, modified_ns
        from listed
        where parent is not null
        on conflict (repository_id, path) do update
        set modified_ns = excluded.modified_ns
        where folders.modified_ns <> excluded.modified_ns
        """,
        {"repository": repository_id},
    )
    await conn.execute(
        """
        delete from folders f
        where f.repository_id = %(repository)s
          and (%(whole)s or exists (select from scope s where s.is_deep and f.path || '/' >= s.low and f.path < s.high))
          and not exists (select from listed l where l.path = f.path)
        """,
        {"repository": repository_id, "whole": is_whole},
    )


async def list_folders(conn: Connection, repository_id: UUID, *, parents: Sequence[bytes]) -> list[bytes]:
    """The known folders directly in some."""
    cursor = await conn.execute(
        "select path from folders where repository_id = %s and parent = any(%s)", (repository_id, list(parents))
    )
    return [row[0] for row in await cursor.fetchall()]


class Listed(NamedTuple):
    """A folder and when its names had changed last when it was listed; 0 says that they may have changed since."""

    path: bytes
    modified_ns: int


async def list_listed(conn: Connection, repository_id: UUID, *, below: bytes, after: bytes, limit: int) -> list[Listed]:
    """The known folders below one, b"" being the root, in the order of their paths and behind `after`."""
    (part,) = scope(area([below]))
    cursor = await conn.execute(
        """
        select path, modified_ns
        from folders
        where repository_id = %(repository)s
          and path > %(after)s
          and path >= %(low)s
          and path < %(high)s
        order by path
        limit %(limit)s
        """,
        {"repository": repository_id, "after": after, "low": part.low, "high": part.high, "limit": limit},
    )
    return [Listed(*row) for row in await cursor.fetchall()]
