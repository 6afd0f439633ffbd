"""The SQL of people's wishes for versions that browsers play."""

from uuid import UUID

from common.db import Connection
from common.rendering import Policy


async def lock_stages(conn: Connection, asset_id: UUID, *, owner: int) -> str | None:
    """How far the version for browsers of one of the owner's assets is, held there until the transaction ends."""
    cursor = await conn.execute(
        """
        select stage, state
        from asset_stages
        where asset_id = %s
          and owner_id = %s
          and stage in ('place', 'render', 'transcode')
        order by stage
        for update
        """,
        (asset_id, owner),
    )
    return dict(await cursor.fetchall()).get("transcode")


async def find_kind(conn: Connection, asset_id: UUID, *, owner: int) -> str | None:
    """What one of the owner's assets is."""
    cursor = await conn.execute("select kind from assets where asset_id = %s and owner_id = %s", (asset_id, owner))
    row = await cursor.fetchone()
    return row[0] if row else None


async def save_wish(conn: Connection, asset_id: UUID, policy: Policy) -> None:
    """What a person wants goes before what the repository and the server say."""
    await conn.execute("update assets set web_policy = %s where asset_id = %s", (policy, asset_id))
