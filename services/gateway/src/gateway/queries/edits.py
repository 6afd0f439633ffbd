"""The SQL of what people say about their assets."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from common.db import Connection


async def lock_asset(conn: Connection, asset_id: UUID) -> None:
    """Hold an asset before what is known of it, as everybody does who writes both."""
    await conn.execute("select 1 from assets where asset_id = %s for no key update", (asset_id,))


async def save_edits(
    conn: Connection, asset_id: UUID, *, given: Mapping[str, Any], reset: Sequence[str], is_moved: bool
) -> None:
    """Keep what is said of an asset beside what was said before. Where a new position lies is not known yet."""
    await conn.execute(
        """
        insert into asset_metadata (asset_id, edits)
        values (%(asset)s, %(given)s)
        on conflict (asset_id) do update
        set edits = (asset_metadata.edits - %(reset)s::text[]) || excluded.edits,
            edited_place = case when not %(moved)s then asset_metadata.edited_place end
        """,
        {"asset": asset_id, "given": Jsonb(given), "reset": list(reset), "moved": is_moved},
    )


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
