"""The SQL that tells what is of no use any more from what is."""

from collections.abc import Mapping
from uuid import UUID

from common.db import Connection
from common.layout import Made


async def list_named(conn: Connection, repository_id: UUID, made: Mapping[bytes, Made]) -> set[bytes]:
    """Those of the paths that a thumbnail or rendition of the content has which they were made for.

    Its asset may be another one's by now than of the owner in the path.
    """
    cursor = await conn.execute(
        """
        select seen.path
        from unnest(%(paths)s::bytea[], %(hashes)s::bytea[]) seen (path, content_hash)
        cross join users u
        join assets a on a.owner_id = u.user_id and a.content_hash = seen.content_hash
        where exists (
                  select 1
                  from thumbnails t
                  where t.asset_id = a.asset_id and t.path = seen.path and t.repository_id = %(repository)s
              )
           or exists (
                  select 1
                  from renditions r
                  where r.asset_id = a.asset_id and r.path = seen.path and r.repository_id = %(repository)s
              )
        """,
        {
            "repository": repository_id,
            "paths": list(made),
            "hashes": [work.content_hash for work in made.values()],
        },
    )
    return {row[0] for row in await cursor.fetchall()}


async def lock_making(conn: Connection, stage: str, *, owner: int, content_hash: bytes) -> int | None:
    """The epoch under which a stage works on a content, held until the transaction ends; None when it does not."""
    cursor = await conn.execute(
        """
        select case when s.state = 'running' then s.lease_epoch end
        from asset_stages s
        join assets a on a.asset_id = s.asset_id
        where a.owner_id = %s
          and a.content_hash = %s
          and s.stage = %s
        for update of s
        """,
        (owner, content_hash, stage),
    )
    row = await cursor.fetchone()
    return row[0] if row else None
