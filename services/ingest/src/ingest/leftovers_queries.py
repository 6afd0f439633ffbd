"""The SQL that tells what is of no use any more from what is."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from common.layout import Made


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """A repository, also one that is only read and has its private files elsewhere."""

    repository_id: UUID
    root: bytes
    private_root: bytes | None

    @property
    def path(self) -> bytes:
        """Where its private files are."""
        return self.private_root or self.root


async def list_homes(conn: Connection) -> list[Home]:
    """Every repository."""
    async with conn.cursor(row_factory=struct_row(Home)) as cursor:
        await cursor.execute("select repository_id, root, private_root from repositories order by repository_id")
        return await cursor.fetchall()


async def list_named(conn: Connection, repository_id: UUID, made: Mapping[bytes, Made]) -> set[bytes]:
    """Those of the paths that a thumbnail of the asset has which they were made for."""
    cursor = await conn.execute(
        """
        select seen.path
        from unnest(%(paths)s::bytea[], %(owners)s::bigint[], %(hashes)s::bytea[]) seen (path, owner_id, content_hash)
        join assets a on a.owner_id = seen.owner_id and a.content_hash = seen.content_hash
        join thumbnails t on t.asset_id = a.asset_id and t.path = seen.path and t.repository_id = %(repository)s
        """,
        {
            "repository": repository_id,
            "paths": list(made),
            "owners": [work.owner_id for work in made.values()],
            "hashes": [work.content_hash for work in made.values()],
        },
    )
    return {row[0] for row in await cursor.fetchall()}


async def lock_rendering(conn: Connection, *, owner: int, content_hash: bytes) -> int | None:
    """The epoch under which a content is being rendered, held until the transaction ends; None when it is not."""
    cursor = await conn.execute(
        """
        select case when s.state = 'running' then s.lease_epoch end
        from asset_stages s
        join assets a on a.asset_id = s.asset_id
        where a.owner_id = %s
          and a.content_hash = %s
          and s.stage = 'render'
        for update of s
        """,
        (owner, content_hash),
    )
    row = await cursor.fetchone()
    return row[0] if row else None
