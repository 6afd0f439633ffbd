"""The SQL of `lumilio verify` about files of assets: which should be there, whether the record agrees with itself."""

import os
from uuid import UUID

import msgspec

from common import layout
from common.db import Connection, struct_row
from common.files import Seen


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A path that the record says holds these bytes."""

    file_record_id: int
    root: bytes
    private_root: bytes | None
    path: bytes
    asset_id: UUID
    content_hash: bytes
    size: int
    modified_ns: int
    inode: int

    @property
    def is_kept(self) -> bool:
        """Whether it lies where only the server puts files, and nobody edits them."""
        return self.private_root is None and layout.is_managed(self.path)

    @property
    def whole(self) -> bytes:
        """Its path from the root of the machine."""
        return os.path.join(self.root, self.path)

    @property
    def recorded(self) -> Seen:
        """What the disk said of it when it was read last."""
        return Seen(self.size, self.modified_ns, self.inode)


async def list_claimed(conn: Connection, *, after: int, limit: int) -> list[Claimed]:
    """Some paths that should hold an original, in the order of their records."""
    async with conn.cursor(row_factory=struct_row(Claimed)) as cursor:
        await cursor.execute(
            """
            select file_record_id, root, private_root, path, asset_id, assets.content_hash, file_records.size,
                   modified_ns, inode
            from file_records
            join repositories using (repository_id)
            join assets using (asset_id)
            where file_records.state = 'present'
              and not exists (
                  select from purges where purges.asset_id = assets.asset_id and began_at is not null
              )
              and file_record_id > %s
            order by file_record_id
            limit %s
            """,
            (after, limit),
        )
        return await cursor.fetchall()


async def list_homeless(conn: Connection) -> list[UUID]:
    """Assets that are said to be stored, of which no file is left as far as we know, nor an upload in staging.

    What people take out of their own folders is theirs to take.
    """
    cursor = await conn.execute(
        """
        select a.asset_id
        from assets a
        where a.stored_at is not null
          and not exists (select from file_records f where f.asset_id = a.asset_id and f.state = 'present')
          and not exists (select from purges p where p.asset_id = a.asset_id and p.began_at is not null)
          and not exists (select from uploads u where u.asset_id = a.asset_id and u.state = 'staged')
          and (
              not exists (select from file_records f where f.asset_id = a.asset_id)
              or exists (
                  select
                  from file_records f
                  join repositories r on r.repository_id = f.repository_id
                  where f.asset_id = a.asset_id
                    and (
                        f.state = 'corrupt'
                        or (r.private_root is null and substring(f.path from 1 for 6) = 'inbox/')
                        or f.trashed_from is not null
                    )
              )
          )
        """
    )
    return [row[0] for row in await cursor.fetchall()]


async def count_hidden(conn: Connection) -> int:
    """Assets that are hidden because no file is left of them, and that nobody threw away."""
    cursor = await conn.execute(
        """
        select count(distinct a.asset_id)
        from file_records f
        join assets a on a.asset_id = f.asset_id
        where f.state = 'missing'
          and a.missing_since is not null
          and a.trashed_at is null
        """
    )
    return int((await cursor.fetchall())[0][0])


async def list_contradictions(conn: Connection) -> list[str]:
    """Where what is said of files, and of the assets that they are of, does not fit together."""
    cursor = await conn.execute(
        """
        select 'asset ' || a.asset_id || ' is shown, and whole scans have found no file of it'
        from assets a
        where a.missing_since is null
          and exists (select from file_records f where f.asset_id = a.asset_id)
          and not exists (
              select
              from file_records f
              where f.asset_id = a.asset_id and (f.state <> 'missing' or f.missed = 0)
          )
          and not exists (select from uploads u where u.asset_id = a.asset_id and u.state = 'staged')
        union all
        select 'asset ' || a.asset_id || ' is hidden as missing, and has a file'
        from assets a
        where a.missing_since is not null
          and exists (select from file_records f where f.asset_id = a.asset_id and f.state = 'present')
        union all
        select 'file record ' || f.file_record_id || ' is called ' || f.state || ', and is of no asset'
        from file_records f
        where f.state in ('present', 'missing', 'corrupt')
          and f.asset_id is null
        union all
        select 'file record ' || f.file_record_id || ' is called present, and held other bytes than its asset'
        from file_records f
        join assets a on a.asset_id = f.asset_id
        where f.state = 'present'
          and f.content_hash <> a.content_hash
        """
    )
    return [row[0] for row in await cursor.fetchall()]
