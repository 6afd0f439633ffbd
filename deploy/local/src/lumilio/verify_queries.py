"""The SQL of `lumilio verify`: what the record claims, to be compared with the disk."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    repository_id: UUID
    root: bytes


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """An acknowledged upload that has no place yet."""

    upload_id: int
    root: bytes
    staged_name: str
    asset_id: UUID
    content_hash: bytes


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """An original whose place stage has nothing more to do."""

    file_record_id: int
    path: bytes
    asset_id: UUID
    is_trashed: bool


class Derived(msgspec.Struct, frozen=True, kw_only=True):
    """A thumbnail or a rendition; `home` is where its repository keeps such."""

    home: bytes
    path: bytes
    asset_id: UUID
    kind: str
    hash: bytes


FIRST = UUID(int=0)


async def list_repositories(conn: Connection) -> list[Repository]:
    """Every repository that takes uploads."""
    async with conn.cursor(row_factory=struct_row(Repository)) as cursor:
        await cursor.execute(
            """
            select repository_id, root
            from repositories
            where private_root is null
            order by repository_id
            """
        )
        return await cursor.fetchall()


async def list_staged(conn: Connection, *, after: int, limit: int) -> list[Staged]:
    """Some uploads whose bytes should be in staging, in their order."""
    async with conn.cursor(row_factory=struct_row(Staged)) as cursor:
        await cursor.execute(
            """
            select upload_id, root, staged_name, asset_id, content_hash
            from uploads
            join repositories using (repository_id)
            join assets using (asset_id)
            where uploads.state = 'staged'
              and upload_id > %s
            order by upload_id
            limit %s
            """,
            (after, limit),
        )
        return await cursor.fetchall()


async def list_placed(conn: Connection, *, after: int, limit: int) -> list[Placed]:
    """Some originals that lie where the server keeps such, and whether their asset belongs in the trash."""
    async with conn.cursor(row_factory=struct_row(Placed)) as cursor:
        await cursor.execute(
            """
            select f.file_record_id, f.path, f.asset_id, a.trashed_at is not null as is_trashed
            from file_records f
            join assets a on a.asset_id = f.asset_id
            join asset_stages s on s.asset_id = f.asset_id and s.stage = 'place'
            join repositories r on r.repository_id = f.repository_id
            where f.state = 'present'
              and s.state = 'done'
              and r.private_root is null
              and (f.trashed_from is not null or substring(f.path from 1 for 6) = 'inbox/')
              and f.file_record_id > %s
            order by f.file_record_id
            limit %s
            """,
            (after, limit),
        )
        return await cursor.fetchall()


async def list_derived(conn: Connection, *, after: tuple[UUID, str], limit: int) -> list[Derived]:
    """Some thumbnails and renditions, in the order of their assets."""
    async with conn.cursor(row_factory=struct_row(Derived)) as cursor:
        await cursor.execute(
            """
            (
                select coalesce(private_root, root) as home, path, asset_id, size as kind, hash
                from thumbnails
                join repositories using (repository_id)
                where (asset_id, size) > (%(asset)s::uuid, %(kind)s::text)
                order by asset_id, size
                limit %(limit)s
            )
            union all
            (
                select coalesce(private_root, root), path, asset_id, kind, hash
                from renditions
                join repositories using (repository_id)
                where (asset_id, kind) > (%(asset)s::uuid, %(kind)s::text)
                order by asset_id, kind
                limit %(limit)s
            )
            order by asset_id, kind
            limit %(limit)s
            """,
            {"asset": after[0], "kind": after[1], "limit": limit},
        )
        return await cursor.fetchall()


async def list_unknown_acks(conn: Connection, asset_ids: Sequence[UUID], hashes: Sequence[bytes]) -> list[UUID]:
    """Acknowledged assets that the record does not have with just this content."""
    cursor = await conn.execute(
        """
        select acked.asset_id
        from unnest(%s::uuid[], %s::bytea[]) acked (asset_id, content_hash)
        left join assets using (asset_id, content_hash)
        where assets.owner_id is null
        """,
        (list(asset_ids), list(hashes)),
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_unrecorded(conn: Connection, repository_id: UUID, paths: Sequence[bytes]) -> list[bytes]:
    """Those of the paths that no file record has."""
    cursor = await conn.execute(
        """
        select seen.path
        from unnest(%s::bytea[]) seen (path)
        left join file_records on repository_id = %s and file_records.path = seen.path
        where file_records.path is null
        """,
        (list(paths), repository_id),
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_unstaged(conn: Connection, repository_id: UUID, names: Sequence[str]) -> list[str]:
    """Those of the staged names that no open upload has."""
    cursor = await conn.execute(
        """
        select seen.name
        from unnest(%s::text[]) seen (name)
        left join uploads on repository_id = %s and staged_name = seen.name and state = 'staged'
        where upload_id is null
        """,
        (list(names), repository_id),
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_unfailed(conn: Connection, repository_id: UUID, names: Sequence[str]) -> list[str]:
    """Those of the staged names whose upload has neither failed nor is still to be placed."""
    cursor = await conn.execute(
        """
        select seen.name
        from unnest(%s::text[]) seen (name)
        left join uploads on repository_id = %s and staged_name = seen.name and state in ('failed', 'staged')
        where upload_id is null
        """,
        (list(names), repository_id),
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_stale_leases(conn: Connection, *, seconds: float) -> list[str]:
    """Stages that are said to run although their lease ended long ago."""
    cursor = await conn.execute(
        """
        select stage || ' of ' || asset_id
        from asset_stages
        where state = 'running'
          and lease_until < now() - make_interval(secs => %s)
        """,
        (seconds,),
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_unpublished(conn: Connection, *, seconds: float) -> list[str]:
    """Events that nobody has published for too long."""
    cursor = await conn.execute(
        """
        select outbox_id || ' ' || subject
        from outbox
        where published_at is null
          and created_at < now() - make_interval(secs => %s)
        """,
        (seconds,),
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_doubles(conn: Connection) -> list[str]:
    """Contents that one owner has twice."""
    cursor = await conn.execute(
        """
        select owner_id || ' ' || encode(content_hash, 'hex')
        from assets
        group by owner_id, content_hash
        having count(*) > 1
        """
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_idle_purges(conn: Connection) -> list[str]:
    """Assets that are to be purged, though nobody is to do so."""
    cursor = await conn.execute(
        """
        select 'asset ' || p.asset_id
        from purges p
        left join asset_stages s on s.asset_id = p.asset_id and s.stage = 'purge'
        where s.state is null or s.state = 'done'
        """
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_unexplained(conn: Connection) -> list[str]:
    """Failed stages without a reason, or without the event that announced them."""
    cursor = await conn.execute(
        """
        select stage || ' of ' || asset_id
        from asset_stages
        where state = 'failed'
          and (error is null or (changed_at > now() - interval '12 hours' and not exists (
              select 1
              from outbox
              where subject = 'lumilio.stage.failed'
                and body ->> 'asset_id' = asset_stages.asset_id::text
                and body ->> 'stage' = asset_stages.stage
          )))
        """
    )
    return [row[0] for row in await cursor.fetchall()]


async def count_unfinished(conn: Connection) -> int:
    """Stages that are still to be done."""
    cursor = await conn.execute("select count(*) from asset_stages where next_at is not null")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0
