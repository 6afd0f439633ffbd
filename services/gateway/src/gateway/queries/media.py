"""The SQL that finds the bytes of originals and thumbnails."""

from datetime import datetime
from uuid import UUID

import msgspec

from common import layout
from common.db import Connection, struct_row
from common.messages import Kind


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """What an asset's bytes are, wherever they lie."""

    content_hash: bytes
    size: int
    mime_type: str
    original_filename: str
    missing_since: datetime | None
    is_changed: bool
    is_damaged: bool


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a copy of the bytes lies: under its path, or still under its staged name; and when it was written last."""

    repository_id: UUID
    root: bytes
    private_root: bytes | None
    path: bytes | None
    staged_name: str | None
    modified_ns: int | None

    @property
    def is_kept(self) -> bool:
        """Whether it lies where only the server puts files, and nobody edits them."""
        return self.path is None or (self.private_root is None and layout.is_managed(self.path))


class Derived(msgspec.Struct, frozen=True, kw_only=True):
    """A thumbnail or a rendition, as it was made last."""

    repository_id: UUID
    root: bytes
    private_root: bytes | None
    path: bytes
    mime_type: str
    length: int
    hash: bytes
    original_filename: str

    @property
    def home(self) -> bytes:
        """Where it lies: in the root, unless that may not be written to."""
        return self.private_root or self.root


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """What an asset is, and how far its rendering is; null where nobody meant to render it."""

    kind: Kind
    state: str | None
    error: str | None


async def find_original(conn: Connection, asset_id: UUID, *, owner: int) -> Original | None:
    """One of the owner's assets."""
    async with conn.cursor(row_factory=struct_row(Original)) as cursor:
        await cursor.execute(
            """
            select content_hash, size, mime_type, original_filename, missing_since,
                   exists (
                       select from file_records f where f.asset_id = %(asset)s and f.state = 'found'
                   ) as is_changed,
                   exists (
                       select from file_records f where f.asset_id = %(asset)s and f.state = 'corrupt'
                   ) as is_damaged
            from assets
            where asset_id = %(asset)s
              and owner_id = %(owner)s
            """,
            {"asset": asset_id, "owner": owner},
        )
        return await cursor.fetchone()


async def list_places(conn: Connection, asset_id: UUID, content_hash: bytes) -> list[Place]:
    """Where bytes of an asset should lie: placed copies first, then uploads that wait for their place."""
    async with conn.cursor(row_factory=struct_row(Place)) as cursor:
        await cursor.execute(
            """
            select r.repository_id, r.root, r.private_root, f.path, null as staged_name, f.modified_ns
            from file_records f
            join repositories r on r.repository_id = f.repository_id
            where f.asset_id = %(asset)s
              and f.state = 'present'
              and coalesce(f.content_hash, %(hash)s) = %(hash)s
            union all
            select r.repository_id, r.root, r.private_root, null, u.staged_name, null
            from uploads u
            join repositories r on r.repository_id = u.repository_id
            where u.asset_id = %(asset)s
              and u.state = 'staged'
            order by path nulls last
            """,
            {"asset": asset_id, "hash": content_hash},
        )
        return await cursor.fetchall()


async def is_moving(conn: Connection, asset_id: UUID) -> bool:
    """Whether the files of an asset are to be moved, or are being moved at the moment."""
    cursor = await conn.execute(
        """
        select
        from asset_stages
        where asset_id = %s
          and stage = 'place'
          and state in ('pending', 'running')
          and failures = 0
        """,
        (asset_id,),
    )
    return await cursor.fetchone() is not None


async def find_thumbnail(conn: Connection, asset_id: UUID, size: str, *, owner: int) -> Derived | None:
    """One thumbnail of one of the owner's assets."""
    async with conn.cursor(row_factory=struct_row(Derived)) as cursor:
        await cursor.execute(
            """
            select t.repository_id, r.root, r.private_root, t.path, t.mime_type, t.bytes as length, t.hash,
                   a.original_filename
            from thumbnails t
            join assets a on a.asset_id = t.asset_id
            join repositories r on r.repository_id = t.repository_id
            where t.asset_id = %(asset)s
              and t.size = %(size)s
              and a.owner_id = %(owner)s
            """,
            {"asset": asset_id, "size": size, "owner": owner},
        )
        return await cursor.fetchone()


async def find_rendition(conn: Connection, asset_id: UUID, kind: str, *, owner: int) -> Derived | None:
    """One rendition of one of the owner's assets."""
    async with conn.cursor(row_factory=struct_row(Derived)) as cursor:
        await cursor.execute(
            """
            select d.repository_id, r.root, r.private_root, d.path, d.mime_type, d.bytes as length, d.hash,
                   a.original_filename
            from renditions d
            join assets a on a.asset_id = d.asset_id
            join repositories r on r.repository_id = d.repository_id
            where d.asset_id = %(asset)s
              and d.kind = %(kind)s
              and a.owner_id = %(owner)s
            """,
            {"asset": asset_id, "kind": kind, "owner": owner},
        )
        return await cursor.fetchone()


async def find_rendering(conn: Connection, asset_id: UUID, *, owner: int) -> Rendering | None:
    """How far rendering one of the owner's assets is; a failure to place it counts as one."""
    async with conn.cursor(row_factory=struct_row(Rendering)) as cursor:
        await cursor.execute(
            """
            select a.kind, s.state, s.error
            from assets a
            left join lateral (
                select state, error
                from asset_stages
                where asset_id = a.asset_id
                  and stage in ('place', 'render')
                order by state = 'failed' desc, stage desc
                limit 1
            ) s on true
            where a.asset_id = %(asset)s
              and a.owner_id = %(owner)s
            """,
            {"asset": asset_id, "owner": owner},
        )
        return await cursor.fetchone()


async def make_again(conn: Connection, asset_id: UUID, stage: str) -> None:
    """Make a finished stage due once more, for somebody waits; an idle processor looks every few seconds."""
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now(), lane = 0, changed_at = now()
        where asset_id = %s and stage = %s and state = 'done'
        """,
        (asset_id, stage),
    )


async def find_failure(conn: Connection, asset_id: UUID, stage: str) -> str | None:
    """Why a stage failed, if it did."""
    cursor = await conn.execute(
        "select error from asset_stages where asset_id = %s and stage = %s and state = 'failed'", (asset_id, stage)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def forget_rendition(conn: Connection, asset_id: UUID, path: bytes) -> None:
    """There is no such rendition any more, unless another one has been made meanwhile."""
    await conn.execute("delete from renditions where asset_id = %s and path = %s", (asset_id, path))
