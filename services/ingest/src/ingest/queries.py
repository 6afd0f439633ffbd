"""The SQL of placing originals and of cleaning up after uploads."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from common.files import Seen
from common.marker import Clash
from common.messages import Kind

Spot: TypeAlias = tuple[UUID, bytes]


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset as placing sees it."""

    asset_id: UUID
    owner_id: int
    kind: Kind
    content_hash: bytes
    size: int
    mime_type: str
    stored_at: datetime | None
    trashed_at: datetime | None
    trash_reason: str | None = None
    original_filename: str = ""
    uploaded_at: datetime | None = None
    is_going: bool = False
    """Whether it is being purged, so that its files may be gone at any moment."""


class StagedUpload(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that wait in staging, and the repository they are meant for."""

    upload_id: int
    staged_name: str
    file_name: str
    created_at: datetime
    repository_id: UUID
    root: bytes


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """A path that should hold an asset's bytes."""

    file_record_id: int
    repository_id: UUID
    root: bytes
    private_root: bytes | None
    path: bytes
    size: int
    modified_ns: int
    inode: int
    trashed_from: bytes | None
    verified_lately: bool
    relocation_id: int = 0
    goal: bytes | None = None
    clash: Clash = "uuid"
    is_wanted: bool = False
    known_paths: Sequence[bytes] = ()
    """The latest wish that it lies elsewhere: which, where, whether that lasts, and all paths that any wish gave it."""

    @property
    def recorded(self) -> Seen:
        """What the disk said when the bytes were read last."""
        return Seen(self.size, self.modified_ns, self.inode)


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A path that is recorded, and who has it; `is_moving` while the place stage of its asset is still to be done."""

    repository_id: UUID
    path: bytes
    file_record_id: int
    asset_id: UUID | None
    owner_id: int | None
    is_trashed: bool
    is_moving: bool

    @property
    def spot(self) -> Spot:
        """The path and the repository that it is in."""
        return self.repository_id, self.path


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """Where uploads go, and when the database was restored from a backup that knows none of the latest."""

    repository_id: UUID
    root: bytes
    restored_at: float | None = None


async def find_asset(conn: Connection, asset_id: UUID) -> Asset | None:
    """The asset to place."""
    async with conn.cursor(row_factory=struct_row(Asset)) as cursor:
        await cursor.execute(
            """
            select asset_id, owner_id, kind, content_hash, size, mime_type, stored_at, trashed_at, trash_reason,
                   original_filename, uploaded_at,
                   exists (
                       select
                       from purges p
                       join asset_stages s on s.asset_id = p.asset_id and s.stage = 'purge'
                       where p.asset_id = assets.asset_id
                         and p.began_at is not null
                         and s.state in ('pending', 'running')
                   ) as is_going
            from assets
            where asset_id = %s
            """,
            (asset_id,),
        )
        return await cursor.fetchone()


async def list_staged(conn: Connection, asset_id: UUID) -> list[StagedUpload]:
    """The asset's uploads whose bytes are in staging, oldest first."""
    async with conn.cursor(row_factory=struct_row(StagedUpload)) as cursor:
        await cursor.execute(
            """
            select upload_id, staged_name, file_name, uploads.created_at, repository_id, root
            from uploads
            join repositories using (repository_id)
            where asset_id = %s
              and uploads.state = 'staged'
            order by upload_id
            """,
            (asset_id,),
        )
        return await cursor.fetchall()


async def list_originals(conn: Connection, asset_id: UUID) -> list[Original]:
    """The paths that hold the asset's bytes, as far as we know."""
    async with conn.cursor(row_factory=struct_row(Original)) as cursor:
        await cursor.execute(
            """
            select f.file_record_id, f.repository_id, root, private_root, path, size, modified_ns, inode, trashed_from,
                   verified_at > now() - interval '1 day' as verified_lately,
                   coalesce(due.relocation_id, 0) as relocation_id, due.goal, coalesce(due.clash, 'uuid') as clash,
                   coalesce(due.is_wanted, false) as is_wanted,
                   array(
                       select distinct known
                       from moves m
                       cross join lateral (values (m.source), (m.goal)) paths (known)
                       where m.file_record_id = f.file_record_id
                   ) as known_paths
            from file_records f
            join repositories r on r.repository_id = f.repository_id
            left join lateral (
                select m.relocation_id, m.goal, l.clash, l.state = 'running' as is_wanted
                from moves m
                join relocations l on l.relocation_id = m.relocation_id
                where m.file_record_id = f.file_record_id
                  and m.state = 'due'
                order by m.relocation_id desc
                limit 1
            ) due on true
            where f.asset_id = %s
              and f.state = 'present'
            order by f.file_record_id
            """,
            (asset_id,),
        )
        return await cursor.fetchall()


async def list_taken(conn: Connection, spots: Sequence[Spot]) -> list[Taken]:
    """Those of the places that are recorded as somebody's."""
    async with conn.cursor(row_factory=struct_row(Taken)) as cursor:
        await cursor.execute(
            """
            select f.repository_id, f.path, f.file_record_id, f.asset_id, a.owner_id,
                   a.trashed_at is not null as is_trashed,
                   coalesce(s.state in ('pending', 'running') and s.failures = 0, false) as is_moving
            from unnest(%s::uuid[], %s::bytea[]) wanted (repository_id, path)
            join file_records f on f.repository_id = wanted.repository_id and f.path = wanted.path
            left join assets a on a.asset_id = f.asset_id
            left join asset_stages s on s.asset_id = f.asset_id and s.stage = 'place'
            """,
            ([repository for repository, _ in spots], [path for _, path in spots]),
        )
        return await cursor.fetchall()


class PathTaken(RuntimeError):
    """The path already belongs to another asset."""


async def save_original(
    conn: Connection, asset_id: UUID, *, repository_id: UUID, path: bytes, display_name: str, seen: Seen
) -> None:
    """Record where the asset's original lies, so that it is stored; PathTaken when the path is another asset's."""
    cursor = await conn.execute(
        """
        insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode, content_hash,
                                  mime_type)
        select %(repository)s, %(path)s, %(name)s, asset_id, %(size)s, %(modified)s, %(inode)s, content_hash, mime_type
        from assets
        where asset_id = %(asset)s
        on conflict (repository_id, path) do update
        set asset_id = excluded.asset_id, size = excluded.size, modified_ns = excluded.modified_ns,
            inode = excluded.inode, state = 'present', verified_at = now(), content_hash = excluded.content_hash,
            mime_type = excluded.mime_type, read_after = null, trouble = null, missing_since = null, missed = 0,
            scrubbed_at = null
        where file_records.asset_id is null or file_records.asset_id = excluded.asset_id
        returning true
        """,
        {
            "repository": repository_id,
            "path": path,
            "name": display_name,
            "asset": asset_id,
            "size": seen.size,
            "modified": seen.modified_ns,
            "inode": seen.inode,
        },
    )
    if await cursor.fetchone() is None:
        raise PathTaken(display_name)
    await conn.execute(
        "update assets set stored_at = coalesce(stored_at, now()), missing_since = null where asset_id = %s",
        (asset_id,),
    )


async def save_standing(
    conn: Connection, file_record_id: int, *, state: str, path: bytes, trashed_from: bytes | None
) -> None:
    """Note where an original lies and what is there: its bytes (`present`, just read), none (`missing`) or others."""
    await conn.execute(
        """
        update file_records
        set state = %(state)s, verified_at = case when %(state)s = 'present' then now() else verified_at end,
            missing_since = case when %(state)s = 'missing' then now() end,
            scrubbed_at = case when %(state)s <> 'corrupt' then scrubbed_at end,
            path = %(path)s, trashed_from = %(trashed_from)s
        where file_record_id = %(record)s
        """,
        {"state": state, "path": path, "trashed_from": trashed_from, "record": file_record_id},
    )


async def settle_uploads(conn: Connection, upload_ids: Sequence[int], *, state: str, error: str | None = None) -> None:
    """Say what became of uploads: `stored`, `duplicate`, or `failed` with the reason."""
    if upload_ids:
        await conn.execute(
            "update uploads set state = %s, error = %s, settled_at = now() where upload_id = any(%s)",
            (state, error, list(upload_ids)),
        )


async def place_again_if_needed(conn: Connection, asset_id: UUID) -> None:
    """Make the place stage due once more when meanwhile an upload was staged, or the asset thrown away or taken back.

    The caller has locked the stage row, which whoever does so locks first, so nothing is missed.
    """
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now()
        where asset_id = %(asset)s
          and stage = 'place'
          and (
              exists (select 1 from uploads where asset_id = %(asset)s and state = 'staged')
              or exists (
                  select 1
                  from file_records f
                  join assets a on a.asset_id = f.asset_id
                  join repositories r on r.repository_id = f.repository_id
                  where f.asset_id = %(asset)s
                    and f.state = 'present'
                    and r.private_root is null
                    and case
                        when a.trashed_at is null then f.trashed_from is not null
                        else f.trashed_from is null and substring(f.path from 1 for 6) = 'inbox/'
                    end
              )
          )
        """,
        {"asset": asset_id},
    )


async def follow_wish(conn: Connection, asset_id: UUID) -> None:
    """Where the server itself puts a file or moves it to, there it goes from if its asset is to be purged."""
    await conn.execute(
        """
        insert into intents (asset_id, file_record_id, repository_id, path, content_hash)
        select a.asset_id, f.file_record_id, f.repository_id, f.path, a.content_hash
        from purges p
        join assets a on a.asset_id = p.asset_id
        join file_records f on f.asset_id = p.asset_id
        where p.asset_id = %s
          and p.began_at is null
          and (f.trashed_from is not null or substring(f.path from 1 for 6) = 'inbox/')
        on conflict (asset_id, file_record_id) do update
        set path = excluded.path
        """,
        (asset_id,),
    )


async def look_again(conn: Connection, asset_id: UUID, *, was_trashed: bool, relocation: int) -> None:
    """Take the place stage from whoever has it or had it last, and make it due, if the asset was to lie elsewhere then.

    What they saw may be wrong by now. Whoever wanted the same as is wanted now has done nothing that others would not.
    """
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now(), lease_until = null, deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        where asset_id = %(asset)s
          and stage = 'place'
          and state <> 'pending'
          and (
              exists (
                  select 1 from assets where asset_id = %(asset)s and (trashed_at is not null) <> %(was_trashed)s
              )
              or %(relocation)s <> (
                  select coalesce(max(m.relocation_id), 0)
                  from file_records f
                  join moves m on m.file_record_id = f.file_record_id and m.state = 'due'
                  join relocations l on l.relocation_id = m.relocation_id and l.state = 'running'
                  where f.asset_id = %(asset)s
              )
          )
        """,
        {"asset": asset_id, "was_trashed": was_trashed, "relocation": relocation},
    )


async def list_repositories(conn: Connection) -> list[Repository]:
    """Every repository that takes uploads."""
    async with conn.cursor(row_factory=struct_row(Repository)) as cursor:
        await cursor.execute(
            """
            select repository_id, root, extract(epoch from restored_at)::float8 as restored_at
            from repositories
            cross join server
            where private_root is null
            order by repository_id
            """
        )
        return await cursor.fetchall()


async def lock_upload_state(conn: Connection, staged_name: str) -> str | None:
    """The state of the upload behind a staged name, locked against everybody else until the transaction ends."""
    cursor = await conn.execute("select state from uploads where staged_name = %s for update", (staged_name,))
    row = await cursor.fetchone()
    return row[0] if row else None
