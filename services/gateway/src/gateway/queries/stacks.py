"""The SQL of assets that belong together: they share a key, and nothing else says so."""

from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row

StackKind = Literal["live", "raw", "burst"]
Role = Literal["still", "motion", "raw", "developed", "frame"]

MOST_MEMBERS = 1000


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of those that share a key."""

    kind: StackKind
    key: str
    asset_id: UUID
    role: Role


async def list_members(conn: Connection, asset_id: UUID, *, owner: int) -> list[Member]:
    """Those that share a key with one of the owner's assets, itself among them; what should stand for all comes first.

    What is in the trash belongs to nothing.
    """
    async with conn.cursor(row_factory=struct_row(Member)) as cursor:
        await cursor.execute(
            """
            select other.kind, other.key, other.asset_id, other.role
            from stack_keys own
            join assets self on self.asset_id = own.asset_id and self.trashed_at is null
            join stack_keys other
              on other.owner_id = own.owner_id and other.kind = own.kind and other.key = own.key
            join assets a on a.asset_id = other.asset_id and a.trashed_at is null
            where own.asset_id = %(asset)s
              and own.owner_id = %(owner)s
            order by other.kind, other.key, other.role in ('still', 'developed', 'frame') desc,
                     a.original_filename ~* '_cover[.][a-z0-9]+$' desc, a.sort_at, a.asset_id
            limit %(limit)s
            """,
            {"asset": asset_id, "owner": owner, "limit": MOST_MEMBERS},
        )
        return await cursor.fetchall()


async def find_live_video(conn: Connection, asset_id: UUID, *, owner: int) -> UUID | None:
    """The video that one of the owner's assets is the still of."""
    cursor = await conn.execute(
        """
        select other.asset_id
        from stack_keys own
        join stack_keys other on other.owner_id = own.owner_id and other.kind = own.kind and other.key = own.key
        join assets a on a.asset_id = other.asset_id and a.trashed_at is null
        where own.asset_id = %(asset)s
          and own.owner_id = %(owner)s
          and own.kind = 'live'
          and own.role = 'still'
          and other.role = 'motion'
        order by other.asset_id
        limit 1
        """,
        {"asset": asset_id, "owner": owner},
    )
    row = await cursor.fetchone()
    return row[0] if row else None
