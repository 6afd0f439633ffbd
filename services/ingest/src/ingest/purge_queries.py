"""The SQL of purging: what is wished, which files that means, and what becomes of the rows."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from common import layout
from common.db import Connection, struct_row


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The wish that an asset goes for good, and what stands against it."""

    has_begun: bool
    is_trashed: bool
    has_staged: bool
    is_placing: bool
    is_read_only: bool

    @property
    def is_wanted_back(self) -> bool:
        """Whether somebody took it back, or sent its bytes again after its files began to go."""
        return not self.is_trashed or (self.has_begun and self.has_staged)

    @property
    def is_moving(self) -> bool:
        """Whether its files do not lie yet where they are to go from."""
        return self.is_placing or self.has_staged


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A file that may be removed, while it is this."""

    file_record_id: int
    repository_id: UUID
    root: bytes
    path: bytes
    content_hash: bytes


class Derived(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was made of an asset, and where its repository keeps such."""

    home: bytes
    path: bytes


async def lock_stages(conn: Connection, asset_id: UUID) -> None:
    """Hold all that is to be done with an asset, in the order in which everybody locks."""
    await conn.execute("select 1 from asset_stages where asset_id = %s order by stage for update", (asset_id,))


async def is_ours(conn: Connection, asset_id: UUID, *, epoch: int) -> bool:
    """Whether the purge is still the work of who claimed it so."""
    cursor = await conn.execute(
        """
        select 1
        from asset_stages
        where asset_id = %s and stage = 'purge' and state = 'running' and lease_epoch = %s
        """,
        (asset_id, epoch),
    )
    return await cursor.fetchone() is not None


async def find_wish(conn: Connection, asset_id: UUID) -> Wish | None:
    """What is wished of an asset whose stages the caller holds; None when that is not its purge."""
    async with conn.cursor(row_factory=struct_row(Wish)) as cursor:
        await cursor.execute(
            """
            select p.began_at is not null as has_begun,
                   a.trashed_at is not null as is_trashed,
                   exists (select from uploads u where u.asset_id = a.asset_id and u.state = 'staged') as has_staged,
                   exists (
                       select
                       from asset_stages s
                       where s.asset_id = a.asset_id and s.stage = 'place' and s.state in ('pending', 'running')
                   ) as is_placing,
                   exists (
                       select
                       from file_records f
                       join repositories r on r.repository_id = f.repository_id
                       where f.asset_id = a.asset_id and r.private_root is not null
                   ) as is_read_only
            from purges p
            join assets a on a.asset_id = p.asset_id
            where p.asset_id = %s
            """,
            (asset_id,),
        )
        return await cursor.fetchone()


async def begin(conn: Connection, asset_id: UUID) -> None:
    """From here on files may be gone."""
    await conn.execute("update purges set began_at = now() where asset_id = %s", (asset_id,))


async def stop(conn: Connection, asset_id: UUID) -> None:
    """From here on nothing goes any more, and what is left can be taken back."""
    await conn.execute("update purges set began_at = null where asset_id = %s", (asset_id,))


async def forget_wish(conn: Connection, asset_id: UUID) -> None:
    """Nobody wants it to go."""
    await conn.execute("delete from purges where asset_id = %s", (asset_id,))


async def list_files(conn: Connection, asset_id: UUID) -> list[Listed]:
    """The files that may go with an asset, as they were listed."""
    async with conn.cursor(row_factory=struct_row(Listed)) as cursor:
        await cursor.execute(
            """
            select file_record_id, repository_id, root, path, content_hash
            from intents
            join repositories using (repository_id)
            where asset_id = %s
            order by file_record_id
            """,
            (asset_id,),
        )
        return await cursor.fetchall()


async def lock_listed(conn: Connection, asset_id: UUID, file_record_id: int, *, epoch: int) -> bool:
    """Whether a listed file is just what was listed, its record held so; no as well when the claim is over."""
    cursor = await conn.execute(
        """
        select 1
        from file_records f
        join intents i
          on i.file_record_id = f.file_record_id and i.repository_id = f.repository_id and i.path = f.path
        join purges p on p.asset_id = i.asset_id and p.began_at is not null
        join assets a on a.asset_id = i.asset_id and a.content_hash = i.content_hash
        join asset_stages s on s.asset_id = i.asset_id and s.stage = 'purge'
        where f.file_record_id = %(record)s
          and f.asset_id = %(asset)s
          and i.asset_id = %(asset)s
          and s.state = 'running'
          and s.lease_epoch = %(epoch)s
        for update of f
        """,
        {"record": file_record_id, "asset": asset_id, "epoch": epoch},
    )
    return await cursor.fetchone() is not None


async def release(conn: Connection, file_record_id: int, *, path: bytes) -> None:
    """A file is not what its asset was: it is to be read as something new."""
    await conn.execute(
        """
        update file_records f
        set asset_id = null, state = 'found', content_hash = null, read_after = now(), missing_since = null,
            trashed_from = null
        from intents i
        where f.file_record_id = %(record)s
          and f.path = %(path)s
          and i.file_record_id = f.file_record_id
          and i.asset_id = f.asset_id
        """,
        {"record": file_record_id, "path": path},
    )


async def leave_in_trash(conn: Connection, file_record_id: int, *, path: bytes, trouble: str) -> None:
    """A file in the trash is not what its asset was: it stays there for people to look at."""
    await conn.execute(
        """
        update file_records f
        set asset_id = null, state = 'other', content_hash = null, read_after = null, missing_since = null,
            trouble = %(trouble)s
        from intents i
        where f.file_record_id = %(record)s
          and f.path = %(path)s
          and i.file_record_id = f.file_record_id
          and i.asset_id = f.asset_id
        """,
        {"record": file_record_id, "path": path, "trouble": trouble},
    )


async def forget_records(conn: Connection, asset_id: UUID, file_record_ids: Sequence[int]) -> None:
    """Listed files are gone; a record that tells of another path by now is of another file. The asset is held first."""
    await conn.execute("select 1 from assets where asset_id = %s for update", (asset_id,))
    await conn.execute(
        """
        delete from file_records f
        using intents i
        where f.file_record_id = any(%(records)s)
          and f.asset_id = %(asset)s
          and i.asset_id = %(asset)s
          and i.file_record_id = f.file_record_id
          and i.repository_id = f.repository_id
          and i.path = f.path
        """,
        {"records": list(file_record_ids), "asset": asset_id},
    )


async def delete_asset(conn: Connection, asset_id: UUID) -> bool:
    """The asset is gone with all that hangs on it; False when it has a file still, which then keeps it."""
    cursor = await conn.execute(
        """
        delete from assets a
        where a.asset_id = %s
          and a.trashed_at is not null
          and not exists (select from file_records f where f.asset_id = a.asset_id)
          and not exists (select from uploads u where u.asset_id = a.asset_id and u.state = 'staged')
        returning true
        """,
        (asset_id,),
    )
    return await cursor.fetchone() is not None


async def list_derived(conn: Connection, asset_id: UUID) -> list[Derived]:
    """The thumbnails and renditions of an asset."""
    async with conn.cursor(row_factory=struct_row(Derived)) as cursor:
        await cursor.execute(
            """
            select coalesce(private_root, root) as home, path
            from (
                select repository_id, path from thumbnails where asset_id = %(asset)s
                union all
                select repository_id, path from renditions where asset_id = %(asset)s
            ) made
            join repositories using (repository_id)
            """,
            {"asset": asset_id},
        )
        return await cursor.fetchall()


async def list_failed_uploads(conn: Connection, asset_id: UUID) -> list[Derived]:
    """What was set aside of failed uploads of an asset, each with its note."""
    cursor = await conn.execute(
        """
        select root, staged_name
        from uploads
        join repositories using (repository_id)
        where asset_id = %s and uploads.state = 'failed'
        """,
        (asset_id,),
    )
    aside = [(root, layout.failed(name)) for root, name in await cursor.fetchall()]
    return [Derived(home=root, path=path) for root, one in aside for path in (one, layout.sidecar(one))]


async def list_expired(conn: Connection, *, days: int, limit: int) -> list[UUID]:
    """Some assets that lie in the trash for so many days and whose purge is not wished yet, the oldest first.

    One with a file in a repository that is only read cannot go; a purge that failed is tried again after a day.
    """
    cursor = await conn.execute(
        """
        select asset_id
        from assets a
        where trashed_at < now() - make_interval(days => %s)
          and not exists (
              select
              from purges p
              join asset_stages s on s.asset_id = p.asset_id and s.stage = 'purge'
              where p.asset_id = a.asset_id
                and (s.state in ('pending', 'running') or s.changed_at > now() - interval '1 day')
          )
          and not exists (
              select
              from file_records f
              join repositories r on r.repository_id = f.repository_id
              where f.asset_id = a.asset_id and r.private_root is not null
          )
        order by trashed_at, asset_id
        limit %s
        """,
        (days, limit),
    )
    return [row[0] for row in await cursor.fetchall()]
