"""The SQL of what is to be looked at, and what came of it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct
from psycopg.types.json import Jsonb

from common.db import Connection, struct_row
from common.space_queries import Space, list_spaces
from ml_dispatcher import label_queries
from ml_dispatcher.label_queries import Said

__all__ = ["Space", "list_spaces"]


class Picture(Struct, frozen=True, kw_only=True):
    """A file that we made of an asset, and that a server is to look at."""

    frame: int
    at_ms: int | None
    home: bytes
    path: bytes
    mime_type: str
    hash: bytes


class Vector(Struct, frozen=True, kw_only=True):
    """Where a model puts one frame of an asset."""

    frame: int
    at_ms: int | None
    vector: list[float]


class Label(Struct, frozen=True, kw_only=True):
    """What a model sees, and how sure it is."""

    label: str
    score: float


class Rendering(Struct, frozen=True, kw_only=True):
    """How far the rendering of an asset is, and whether it ended within the last hour."""

    state: str
    is_recent: bool


async def list_pictures(conn: Connection, asset_id: UUID, *, size: str) -> list[Picture]:
    """An asset's thumbnail of a size, and the frames of a film."""
    async with conn.cursor(row_factory=struct_row(Picture)) as cursor:
        await cursor.execute(
            """
            select 0 as frame, null::int as at_ms, coalesce(private_root, root) as home, path, mime_type, hash
            from thumbnails
            join repositories using (repository_id)
            where asset_id = %(asset)s and size = %(size)s
            union all
            select substr(kind, 7)::int, substring(recipe from '^at ([0-9]{1,9})$')::int,
                   coalesce(private_root, root), path, mime_type, hash
            from renditions
            join repositories using (repository_id)
            where asset_id = %(asset)s and kind ~ '^frame_[1-8]$'
            order by frame
            """,
            {"asset": asset_id, "size": size},
        )
        return await cursor.fetchall()


async def find_rendering(conn: Connection, asset_id: UUID) -> Rendering | None:
    """How far the rendering of an asset is."""
    async with conn.cursor(row_factory=struct_row(Rendering)) as cursor:
        await cursor.execute(
            """
            select state, changed_at > now() - interval '1 hour' as is_recent
            from asset_stages
            where asset_id = %s and stage = 'render'
            """,
            (asset_id,),
        )
        return await cursor.fetchone()


async def save_vectors(
    conn: Connection, asset_id: UUID, space_id: int, *, owner: int, vectors: Sequence[Vector]
) -> None:
    """An asset's vectors in a space are these from now on, and no others."""
    await conn.execute(
        """
        with gone as (
            delete from embeddings
            where asset_id = %(asset)s and space_id = %(space)s and frame <> all(%(frames)s::smallint[])
        )
        insert into embeddings (asset_id, space_id, frame, owner_id, at_ms, vector)
        select %(asset)s, %(space)s, frame, %(owner)s, at_ms, vector::halfvec
        from unnest(%(frames)s::smallint[], %(ats)s::int[], %(vectors)s::text[]) told (frame, at_ms, vector)
        on conflict (asset_id, space_id, frame) do update
        set owner_id = excluded.owner_id, at_ms = excluded.at_ms, vector = excluded.vector
        """,
        {
            "asset": asset_id,
            "space": space_id,
            "owner": owner,
            "frames": [one.frame for one in vectors],
            "ats": [one.at_ms for one in vectors],
            "vectors": [msgspec.json.encode(one.vector).decode() for one in vectors],  # as the type is written
        },
    )


async def save_labels(conn: Connection, asset_id: UUID, labels: Sequence[Label], *, source: str, model: str) -> None:
    """Models see this in an asset from now on, whatever they saw before; what people taught stands beside it."""
    cursor = await conn.execute("select owner_id from assets where asset_id = %s for no key update", (asset_id,))
    held = await cursor.fetchone()
    if held is None:
        return
    await label_queries.take_back_seen(conn, asset_id)
    said = [Said(asset_id, one.label, one.score) for one in labels]
    await label_queries.say(conn, said, owner=held[0], source=source, model=model)


async def save_finding(conn: Connection, asset_id: UUID, stage: str, found: object, *, owner: int, model: str) -> None:
    """What a model found in an asset is this from now on."""
    await conn.execute(
        """
        insert into findings (asset_id, stage, owner_id, model, found)
        values (%s, %s, %s, %s, %s)
        on conflict (asset_id, stage) do update
        set owner_id = excluded.owner_id, model = excluded.model, found = excluded.found
        """,
        (asset_id, stage, owner, model, Jsonb(found)),
    )
