"""The SQL of what is to be looked at, and what came of it."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct
from psycopg.types.json import Jsonb

from common.db import Connection, struct_row
from common.space_queries import Space, list_spaces
from ml_dispatcher import label_queries, model_queries
from ml_dispatcher.label_queries import Said

__all__ = ["Space", "list_spaces"]

GONE_DAYS = 1.0
"""After so long without an answer of it, a model that tells labels gives way to one that it has replaced before."""
MOST_MODELS = 20
"""A server that calls itself something else at every question does not have everything looked at again each time."""


class Picture(Struct, frozen=True, kw_only=True):
    """A file that we made of an asset, and that a server is to look at."""

    asset_id: UUID
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


class Placed(Struct, frozen=True, kw_only=True):
    """All that a model says of where an asset lies in a space."""

    asset_id: UUID
    space_id: int
    owner_id: int
    vectors: Sequence[Vector]


class Label(Struct, frozen=True, kw_only=True):
    """What a model sees, and how sure it is."""

    label: str
    score: float


class Labelled(Struct, frozen=True, kw_only=True):
    """All that one source sees in an asset."""

    asset_id: UUID
    source: str
    model: str
    labels: Sequence[Label]


class Rendering(Struct, frozen=True, kw_only=True):
    """How far the rendering of an asset is, and whether it ended within the last hour."""

    state: str
    is_recent: bool


async def list_pictures(conn: Connection, asset_ids: Sequence[UUID], *, size: str) -> list[Picture]:
    """The thumbnails of a size of assets, and the frames of films."""
    async with conn.cursor(row_factory=struct_row(Picture)) as cursor:
        await cursor.execute(
            """
            select asset_id, 0 as frame, null::int as at_ms, coalesce(private_root, root) as home, path, mime_type, hash
            from thumbnails
            join repositories using (repository_id)
            where asset_id = any(%(assets)s) and size = %(size)s
            union all
            select asset_id, substr(kind, 7)::int, substring(recipe from '^at ([0-9]{1,9})$')::int,
                   coalesce(private_root, root), path, mime_type, hash
            from renditions
            join repositories using (repository_id)
            where asset_id = any(%(assets)s) and kind ~ '^frame_[1-8]$'
            order by asset_id, frame
            """,
            {"assets": list(asset_ids), "size": size},
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


async def save_vectors(conn: Connection, placed: Sequence[Placed]) -> None:
    """The vectors of assets in spaces are these from now on, and no others."""
    told = [(one, vector) for one in placed for vector in one.vectors]
    await conn.execute(
        """
        with told as (
            select *
            from unnest(
                %(assets)s::uuid[], %(spaces)s::int[], %(owners)s::int[],
                %(frames)s::smallint[], %(ats)s::int[], %(vectors)s::text[]
            ) told (asset_id, space_id, owner_id, frame, at_ms, vector)
        ), gone as (
            delete from embeddings e
            using unnest(%(seen)s::uuid[], %(seen_in)s::int[]) seen (asset_id, space_id)
            where e.asset_id = seen.asset_id
              and e.space_id = seen.space_id
              and not exists (
                  select
                  from told
                  where told.asset_id = e.asset_id and told.space_id = e.space_id and told.frame = e.frame
              )
        )
        insert into embeddings (asset_id, space_id, frame, owner_id, at_ms, vector)
        select asset_id, space_id, frame, owner_id, at_ms, vector::halfvec
        from told
        order by asset_id, space_id, frame
        on conflict (asset_id, space_id, frame) do update
        set owner_id = excluded.owner_id, at_ms = excluded.at_ms, vector = excluded.vector
        """,
        {
            "seen": [one.asset_id for one in placed],
            "seen_in": [one.space_id for one in placed],
            "assets": [one.asset_id for one, _ in told],
            "spaces": [one.space_id for one, _ in told],
            "owners": [one.owner_id for one, _ in told],
            "frames": [vector.frame for _, vector in told],
            "ats": [vector.at_ms for _, vector in told],
            "vectors": [msgspec.json.encode(vector.vector).decode() for _, vector in told],  # as the type is written
        },
    )


async def save_labels(conn: Connection, labelled: Sequence[Labelled]) -> None:
    """Models see this in assets from now on, whatever they saw before; what people taught stands beside it."""
    assets = [one.asset_id for one in labelled]
    cursor = await conn.execute(
        "select asset_id, owner_id from assets where asset_id = any(%s) order by asset_id for no key update", (assets,)
    )
    owners: dict[UUID, int] = dict(await cursor.fetchall())
    await label_queries.take_back_seen(conn, assets)
    said = defaultdict[tuple[int, str, str], list[Said]](list)
    for one in labelled:
        if one.asset_id in owners:
            by = owners[one.asset_id], one.source, one.model
            said[by] += [Said(one.asset_id, label.label, label.score) for label in one.labels]
    for (owner, source, model), labels in said.items():
        await label_queries.say(conn, labels, owner=owner, source=source, model=model)
    for model in sorted({one.model for one in labelled}):
        await model_queries.note_model(conn, "classify", model, days=GONE_DAYS, most=MOST_MODELS)


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
