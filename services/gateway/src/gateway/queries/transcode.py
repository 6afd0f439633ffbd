"""The SQL of people's wishes for versions that browsers play."""

from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from common.messages import Kind
from common.rendering import Policy


class Wished(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants a version for browsers of."""

    kind: Kind
    is_trashed: bool


async def find_wished(conn: Connection, asset_id: UUID, *, owner: int) -> Wished | None:
    """One of the owner's assets."""
    async with conn.cursor(row_factory=struct_row(Wished)) as cursor:
        await cursor.execute(
            "select kind, trashed_at is not null as is_trashed from assets where asset_id = %s and owner_id = %s",
            (asset_id, owner),
        )
        return await cursor.fetchone()


async def save_wish(conn: Connection, asset_id: UUID, policy: Policy) -> bool:
    """What a person wants goes before what the repository and the server say; returns whether it is another wish."""
    cursor = await conn.execute(
        """
        update assets
        set web_policy = %(policy)s
        where asset_id = %(asset)s
          and web_policy is distinct from %(policy)s
        returning true
        """,
        {"asset": asset_id, "policy": policy},
    )
    return await cursor.fetchone() is not None


async def find_pause(conn: Connection, stage: str) -> str | None:
    """Why nobody starts work of a stage at the moment, if that is so."""
    cursor = await conn.execute("select reason from stage_pauses where stage = %s and until > now()", (stage,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def has_original(conn: Connection, asset_id: UUID) -> bool:
    """Whether the bytes of an asset lie in their place, as far as we know."""
    cursor = await conn.execute(
        "select exists (select from file_records where asset_id = %s and state = 'present')", (asset_id,)
    )
    return bool((await cursor.fetchall())[0][0])
