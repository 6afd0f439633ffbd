"""The SQL of assets that belong together: they share a key, or somebody put them together."""

from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row

StackKind = Literal["live", "raw", "burst", "manual"]
Role = Literal["still", "motion", "raw", "developed", "frame", "member"]

MOST_MEMBERS = 1000


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of those that share a key."""

    kind: StackKind
    key: str
    asset_id: UUID
    role: Role


async def list_members(conn: Connection, asset_id: UUID, *, owner: int) -> list[Member]:
    """Those that share a key with one of the owner's assets, itself among them; what should stand for all comes first.

    What is hidden, in the trash or for want of its file, belongs to nothing.
    """
    async with conn.cursor(row_factory=struct_row(Member)) as cursor:
        await cursor.execute(
            """
            select other.kind, other.key, other.asset_id, other.role
            from stack_keys own
            join assets self
              on self.asset_id = own.asset_id and self.trashed_at is null and self.missing_since is null
            join stack_keys other
              on other.owner_id = own.owner_id and other.kind = own.kind and other.key = own.key
            join assets a on a.asset_id = other.asset_id and a.trashed_at is null and a.missing_since is null
            where own.asset_id = %(asset)s
              and own.owner_id = %(owner)s
            order by other.kind, other.key, other.role in ('still', 'developed', 'frame') desc,
                     a.original_filename ~* '_cover[.][a-z0-9]+$' desc, a.sort_at, a.asset_id
            limit %(limit)s
            """,
            {"asset": asset_id, "owner": owner, "limit": MOST_MEMBERS},
        )
        return await cursor.fetchall()


async def list_put_together(conn: Connection, asset_id: UUID, *, owner: int) -> list[Member]:
    """Those that somebody put together with one of the owner's assets, itself among them; their cover comes first."""
    async with conn.cursor(row_factory=struct_row(Member)) as cursor:
        await cursor.execute(
            """
            select 'manual' as kind, s.stack_id::text as key, a.asset_id, 'member' as role
            from stack_assets own
            join assets self
              on self.asset_id = own.asset_id and self.trashed_at is null and self.missing_since is null
            join stacks s on s.stack_id = own.stack_id and s.owner_id = %(owner)s
            join stack_assets other on other.stack_id = own.stack_id
            join assets a on a.asset_id = other.asset_id and a.trashed_at is null and a.missing_since is null
            where own.asset_id = %(asset)s
            order by a.asset_id is distinct from s.cover_asset_id, other.position, a.asset_id
            """,
            {"asset": asset_id, "owner": owner},
        )
        return await cursor.fetchall()


async def find_live_video(conn: Connection, asset_id: UUID, *, owner: int) -> UUID | None:
    """The video that one of the owner's assets is the still of."""
    cursor = await conn.execute(
        """
        select other.asset_id
        from stack_keys own
        join stack_keys other on other.owner_id = own.owner_id and other.kind = own.kind and other.key = own.key
        join assets a on a.asset_id = other.asset_id and a.trashed_at is null and a.missing_since is null
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
