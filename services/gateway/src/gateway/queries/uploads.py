"""The SQL of an upload: the asset, its stages and the act of sending."""

from uuid import UUID

from common.db import Connection
from common.messages import Kind


async def save_asset(
    conn: Connection, *, owner: int, content_hash: bytes, size: int, kind: Kind, mime_type: str, file_name: str
) -> UUID | None:
    """A new asset's id, or None when the owner has this content already."""
    cursor = await conn.execute(
        """
        insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)
        values (%(owner)s, %(hash)s, %(size)s, %(kind)s, %(mime_type)s, %(file_name)s)
        on conflict (owner_id, content_hash) do nothing
        returning asset_id
        """,
        {
            "owner": owner,
            "hash": content_hash,
            "size": size,
            "kind": kind,
            "mime_type": mime_type,
            "file_name": file_name,
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def add_stages(conn: Connection, asset_id: UUID, *, owner: int) -> None:
    """Placing is due at once; rendering waits for it."""
    await conn.execute(
        """
        insert into asset_stages (asset_id, stage, owner_id, state, next_at)
        values (%(asset)s, 'place', %(owner)s, 'pending', now()),
               (%(asset)s, 'render', %(owner)s, 'blocked', null)
        """,
        {"asset": asset_id, "owner": owner},
    )


async def lock_known(conn: Connection, *, owner: int, content_hash: bytes) -> UUID | None:
    """The owner's asset with this content; its place stage is held, so that a worker that settles it sees us."""
    cursor = await conn.execute(
        """
        select a.asset_id
        from assets a
        join asset_stages s on s.asset_id = a.asset_id and s.stage = 'place'
        where a.owner_id = %(owner)s
          and a.content_hash = %(hash)s
        for update of s
        """,
        {"owner": owner, "hash": content_hash},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def is_stored(conn: Connection, asset_id: UUID) -> bool:
    """Whether the asset's original has had its place; asked after the lock, so that the answer is of now."""
    cursor = await conn.execute("select stored_at is not null from assets where asset_id = %s", (asset_id,))
    return bool((await cursor.fetchall())[0][0])


async def save_upload(
    conn: Connection, *, owner: int, repository: UUID, asset: UUID, staged_name: str, file_name: str, size: int
) -> int:
    """The act of sending bytes, which wait under their staged name; returns its id."""
    cursor = await conn.execute(
        """
        insert into uploads (owner_id, repository_id, asset_id, staged_name, file_name, size)
        values (%(owner)s, %(repository)s, %(asset)s, %(staged_name)s, %(file_name)s, %(size)s)
        returning upload_id
        """,
        {
            "owner": owner,
            "repository": repository,
            "asset": asset,
            "staged_name": staged_name,
            "file_name": file_name,
            "size": size,
        },
    )
    upload_id: int = (await cursor.fetchall())[0][0]
    return upload_id


async def reopen_place(conn: Connection, asset_id: UUID) -> None:
    """Place again after success or failure; a worker that is at it looks for new uploads before it settles."""
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now(), deaths = 0, failures = 0,
            error_class = null, error = null, changed_at = now()
        where asset_id = %s
          and stage = 'place'
          and state in ('done', 'failed')
        """,
        (asset_id,),
    )
