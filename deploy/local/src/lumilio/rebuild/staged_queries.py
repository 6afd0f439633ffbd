"""The SQL of uploads that have no row any more."""

from collections.abc import Sequence
from uuid import UUID

from common.db import Connection
from common.messages import Kind


async def list_unknown(conn: Connection, staged_names: Sequence[str]) -> list[str]:
    """Which of these have no row."""
    cursor = await conn.execute(
        """
        select name
        from unnest(%s::text[]) given (name)
        where not exists (select from uploads u where u.staged_name = given.name)
        order by name
        """,
        (list(staged_names),),
    )
    return [row[0] for row in await cursor.fetchall()]


async def save_asset(
    conn: Connection, *, owner: int, content_hash: bytes, size: int, kind: Kind, mime_type: str, name: str
) -> UUID:
    """The owner's asset with this content, new or known."""
    cursor = await conn.execute(
        """
        insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)
        values (%(owner)s, %(hash)s, %(size)s, %(kind)s, %(mime)s, %(name)s)
        on conflict (owner_id, content_hash) do update
        set size = excluded.size
        returning asset_id
        """,
        {"owner": owner, "hash": content_hash, "size": size, "kind": kind, "mime": mime_type, "name": name},
    )
    asset_id: UUID = (await cursor.fetchall())[0][0]
    return asset_id


async def place(conn: Connection, asset_id: UUID) -> None:
    """Have an asset's uploads placed, and then rendered if it is new."""
    await conn.execute(
        """
        insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
        select asset_id, stage, owner_id, 0, state, next_at
        from assets
        cross join (values ('place', 'pending', now()), ('render', 'blocked', null)) made (stage, state, next_at)
        where asset_id = %s
        order by stage
        on conflict (asset_id, stage) do update
        set state = 'pending', next_at = now(), lease_until = null, deaths = 0, failures = 0, error_class = null,
            error = null, changed_at = now()
        where excluded.stage = 'place'
        """,
        (asset_id,),
    )


async def save_upload(
    conn: Connection, asset_id: UUID, *, repository_id: UUID, staged_name: str, name: str, size: int
) -> None:
    """The act of sending bytes, which wait under their staged name."""
    await conn.execute(
        """
        insert into uploads (owner_id, repository_id, asset_id, staged_name, file_name, size)
        select owner_id, %s, asset_id, %s, %s, %s
        from assets
        where asset_id = %s
        on conflict do nothing
        """,
        (repository_id, staged_name, name, size, asset_id),
    )
