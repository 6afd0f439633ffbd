"""The SQL of rendering and transcoding: what there is to work on, and what came of it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from common import layout
from common.db import Connection, struct_row
from common.messages import Kind
from common.rendering import Policy
from processor.metadata import Metadata
from processor.stacks import StackKey


class Original(msgspec.Struct, frozen=True, kw_only=True):
    """An asset's bytes, where they lie and what they are."""

    asset_id: UUID
    repository_id: UUID
    root: bytes
    private_root: bytes | None
    path: bytes
    content_hash: bytes
    mime_type: str
    kind: Kind
    file_name: str
    size: int
    modified_ns: int
    inode: int
    uploaded_at: datetime

    @property
    def is_kept(self) -> bool:
        """Whether it lies where only the server puts files, and nobody edits them."""
        return self.private_root is None and layout.is_managed(self.path)

    @property
    def home(self) -> bytes:
        """Where thumbnails lie: in the root, unless it may not be written to."""
        return self.private_root or self.root


class Thumbnail(msgspec.Struct, frozen=True, kw_only=True):
    """A thumbnail as it lies on disk."""

    size: str
    path: bytes
    mime_type: str
    width: int
    height: int
    length: int
    hash: bytes


class Rendition(msgspec.Struct, frozen=True, kw_only=True):
    """A file made of an original that is no thumbnail, as it lies on disk."""

    kind: str
    path: bytes
    mime_type: str
    length: int
    hash: bytes
    recipe: str | None = None
    home: bytes | None = None
    """What its path is below, of one that was read from its row."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said of an asset's version for browsers, if anything, and whether they threw the asset away."""

    policy: Policy | None
    is_trashed: bool


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen in an asset's bytes; width and height as displayed, `taken_at` local to where it was taken."""

    width: int | None
    height: int | None
    taken_at: datetime | None
    taken_source: str | None
    taken_offset_minutes: int | None
    taken_offset_source: str | None
    thumbhash: bytes | None
    perceptual_hash: int | None
    specific: dict[str, object]
    notes: list[str]
    version: int


async def find_original(conn: Connection, asset_id: UUID) -> Original | None:
    """A file that holds the asset's bytes, or None when there is none at the moment."""
    async with conn.cursor(row_factory=struct_row(Original)) as cursor:
        await cursor.execute(
            """
            select asset_id, repository_id, root, private_root, path, assets.content_hash, assets.mime_type, kind,
                   original_filename as file_name, file_records.size, modified_ns, inode, uploaded_at
            from file_records
            join repositories using (repository_id)
            join assets using (asset_id)
            where asset_id = %s
              and file_records.state = 'present'
            order by file_record_id
            limit 1
            """,
            (asset_id,),
        )
        return await cursor.fetchone()


async def tells_another_time(conn: Connection, asset_id: UUID, seen: Metadata) -> bool:
    """Whether a person said half of an asset's time, and the file's half is not what it was."""
    cursor = await conn.execute(
        """
        select 1
        from assets
        join asset_metadata using (asset_id)
        where asset_id = %s
          and edits ?| '{taken_time,offset_minutes}'
          and (taken_at, taken_offset_minutes) is distinct from (%s::timestamp, %s::int)
        """,
        (asset_id, seen.taken_at, seen.offset_minutes),
    )
    return await cursor.fetchone() is not None


async def save_facts(conn: Connection, asset_id: UUID, seen: Facts) -> None:
    """Save what was seen in the bytes; what a person edited stays as it is."""
    await conn.execute(
        """
        update assets
        set width = %(width)s, height = %(height)s,
            taken_at = %(taken_at)s, taken_source = %(source)s,
            taken_offset_minutes = %(offset)s, taken_offset_source = %(offset_source)s,
            thumbhash = %(thumbhash)s, perceptual_hash = %(perceptual_hash)s
        where asset_id = %(asset)s
        """,
        {
            "asset": asset_id,
            "width": seen.width,
            "height": seen.height,
            "taken_at": seen.taken_at,
            "source": seen.taken_source,
            "offset": seen.taken_offset_minutes,
            "offset_source": seen.taken_offset_source,
            "thumbhash": seen.thumbhash,
            "perceptual_hash": seen.perceptual_hash,
        },
    )
    await conn.execute(
        """
        insert into asset_metadata (asset_id, facts, notes, version)
        values (%s, %s, %s, %s)
        on conflict (asset_id) do update
        set facts = excluded.facts, notes = excluded.notes, version = excluded.version
        """,
        (asset_id, Jsonb(seen.specific), seen.notes, seen.version),
    )


async def follow_inference(conn: Connection, asset_id: UUID, *, owner: int, lane: int) -> None:
    """Make all due that inference servers are asked of such an asset; what is at work may have seen what was before."""
    await conn.execute(
        """
        insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
        select asset_id, stage, %(owner)s, %(lane)s, 'pending', now()
        from assets
        join inference_stages on kind = any(kinds)
        where asset_id = %(asset)s and is_wanted
        order by stage
        on conflict (asset_id, stage) do update
        set again = asset_stages.state = 'running',
            state = case asset_stages.state when 'running' then 'running' else 'pending' end,
            next_at = case asset_stages.state when 'running' then asset_stages.next_at else now() end,
            lane = excluded.lane, failures = 0, error_class = null, error = null, changed_at = now()
        """,
        {"asset": asset_id, "owner": owner, "lane": lane},
    )


async def save_thumbnails(
    conn: Connection, asset_id: UUID, repository_id: UUID, thumbnails: Sequence[Thumbnail]
) -> None:
    """The asset's thumbnails are these from now on."""
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """
            insert into thumbnails (asset_id, size, repository_id, path, mime_type, width, height, bytes, hash)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (asset_id, size) do update
            set repository_id = excluded.repository_id, path = excluded.path, mime_type = excluded.mime_type,
                width = excluded.width, height = excluded.height, bytes = excluded.bytes, hash = excluded.hash
            """,
            [
                (asset_id, t.size, repository_id, t.path, t.mime_type, t.width, t.height, t.length, t.hash)
                for t in thumbnails
            ],
        )


async def save_renditions(
    conn: Connection, asset_id: UUID, repository_id: UUID, renditions: Sequence[Rendition], *, of: Sequence[str]
) -> None:
    """The asset's renditions of some kinds are these from now on, and no others."""
    await forget_renditions(conn, asset_id, of=[kind for kind in of if kind not in {one.kind for one in renditions}])
    async with conn.cursor() as cursor:
        await cursor.executemany(
            """
            insert into renditions (asset_id, kind, repository_id, path, mime_type, bytes, hash, recipe)
            values (%s, %s, %s, %s, %s, %s, %s, %s)
            on conflict (asset_id, kind) do update
            set repository_id = excluded.repository_id, path = excluded.path, mime_type = excluded.mime_type,
                bytes = excluded.bytes, hash = excluded.hash, recipe = excluded.recipe
            """,
            [(asset_id, r.kind, repository_id, r.path, r.mime_type, r.length, r.hash, r.recipe) for r in renditions],
        )


async def forget_renditions(conn: Connection, asset_id: UUID, *, of: Sequence[str]) -> None:
    """The asset has no renditions of these kinds from now on."""
    await conn.execute("delete from renditions where asset_id = %s and kind = any(%s)", (asset_id, list(of)))


async def find_wish(conn: Connection, asset_id: UUID) -> Wish | None:
    """What a person wants of this asset; None where there is no such asset."""
    async with conn.cursor(row_factory=struct_row(Wish)) as cursor:
        await cursor.execute(
            "select web_policy as policy, trashed_at is not null as is_trashed from assets where asset_id = %s",
            (asset_id,),
        )
        return await cursor.fetchone()


async def find_rendition(conn: Connection, asset_id: UUID, kind: str) -> Rendition | None:
    """One rendition of an asset."""
    async with conn.cursor(row_factory=struct_row(Rendition)) as cursor:
        await cursor.execute(
            """
            select kind, path, mime_type, bytes as length, hash, recipe, coalesce(private_root, root) as home
            from renditions
            join repositories using (repository_id)
            where asset_id = %s and kind = %s
            """,
            (asset_id, kind),
        )
        return await cursor.fetchone()


async def save_stack_keys(conn: Connection, asset_id: UUID, *, owner: int, keys: Sequence[StackKey]) -> None:
    """What the asset has in common with others is this from now on."""
    await conn.execute("delete from stack_keys where asset_id = %s", (asset_id,))
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "insert into stack_keys (owner_id, kind, key, asset_id, role) values (%s, %s, %s, %s, %s)",
            [(owner, key.kind, key.key, asset_id, key.role) for key in keys],
        )
