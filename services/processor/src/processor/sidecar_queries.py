"""The SQL of writing back: what a person says of an asset, where its originals lie, and where its new position is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from common.db import Connection, struct_row


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of an asset; `taken_at` and its offset are what is believed in the end."""

    edits: dict[str, Any]
    has_place: bool
    is_trashed: bool
    taken_at: datetime | None
    taken_offset_minutes: int | None


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A file that holds an asset's bytes, and beside which something may be written unless it has a private root."""

    repository_id: UUID
    root: bytes
    private_root: bytes | None
    path: bytes


async def find_edited(conn: Connection, asset_id: UUID) -> Edited | None:
    """What a person says of an asset, nothing if nobody did; None when there is no such asset."""
    async with conn.cursor(row_factory=struct_row(Edited)) as cursor:
        await cursor.execute(
            """
            select coalesce(m.edits, '{}') as edits, m.edited_place is not null as has_place,
                   a.trashed_at is not null as is_trashed, coalesce(a.edited_taken_at, a.taken_at) as taken_at,
                   case
                       when m.edits ? 'offset_minutes' then a.edited_offset_minutes
                       else a.taken_offset_minutes
                   end as taken_offset_minutes
            from assets a
            left join asset_metadata m on m.asset_id = a.asset_id
            where a.asset_id = %s
            """,
            (asset_id,),
        )
        return await cursor.fetchone()


async def list_spots(conn: Connection, asset_id: UUID) -> list[Spot]:
    """Every file that holds the asset's bytes, as far as we know."""
    async with conn.cursor(row_factory=struct_row(Spot)) as cursor:
        await cursor.execute(
            """
            select repository_id, root, private_root, path
            from file_records
            join repositories using (repository_id)
            where asset_id = %s
              and file_records.state = 'present'
            order by file_record_id
            """,
            (asset_id,),
        )
        return await cursor.fetchall()


async def save_edited_place(
    conn: Connection, asset_id: UUID, *, position: Mapping[str, float], place: Mapping[str, Any]
) -> None:
    """Where an edited position lies, unless a person has said another one meanwhile."""
    await conn.execute(
        "update asset_metadata set edited_place = %s where asset_id = %s and edits @> %s",
        (Jsonb(place), asset_id, Jsonb(position)),
    )
