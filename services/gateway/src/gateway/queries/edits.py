"""The SQL of what people say about their assets."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from common.db import Connection


async def save_edits(
    conn: Connection,
    asset_id: UUID,
    *,
    owner: int,
    given: Mapping[str, Any],
    reset: Sequence[str],
    is_moved: bool,
) -> bool:
    """Keep what the owner says of an asset beside what was said before; False when it is not the owner's.

    Where a new position lies is not known yet.
    """
    cursor = await conn.execute(
        """
        insert into asset_metadata (asset_id, edits)
        select asset_id, %(given)s
        from assets
        where asset_id = %(asset)s
          and owner_id = %(owner)s
        on conflict (asset_id) do update
        set edits = (asset_metadata.edits - %(reset)s::text[]) || excluded.edits,
            edited_place = case when not %(moved)s then asset_metadata.edited_place end
        returning true
        """,
        {"asset": asset_id, "owner": owner, "given": Jsonb(given), "reset": list(reset), "moved": is_moved},
    )
    return await cursor.fetchone() is not None


async def sort_as_edited(conn: Connection, asset_id: UUID) -> None:
    """The asset stands in the timeline where its edits say."""
    await conn.execute(
        """
        update assets a
        set edited_taken_at = (m.edits ->> 'taken_time')::timestamp,
            edited_offset_minutes = (m.edits ->> 'offset_minutes')::int
        from asset_metadata m
        where a.asset_id = %s
          and m.asset_id = a.asset_id
        """,
        (asset_id,),
    )
