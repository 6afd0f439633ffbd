"""The SQL of XMP sidecars that people's programs write, change and remove beside originals."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from common.db import Connection, struct_row

ENDING = 4
"""The length of `.xmp`."""


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """A sidecar that is not as it was; `changed_ns` is when it was written or got its name, None when it is gone."""

    path: bytes
    changed_ns: int | None

    @property
    def speaks_of(self) -> bytes:
        """The path of an original, or its path without the ending."""
        return self.path[:-ENDING]


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """An asset of which a sidecar says something else than when it was read last."""

    asset_id: UUID
    owner_id: int


async def list_sidecars(conn: Connection) -> list[Sidecar]:
    """Sidecars by which the disk differs from the records."""
    async with conn.cursor(row_factory=struct_row(Sidecar)) as cursor:
        await cursor.execute(
            """
            select path, case when kind <> 'gone' then changed_ns end as changed_ns
            from differences
            where kind in ('new', 'changed', 'gone')
              and asset_id is null
              and length(path) > 4
              and substring(path from length(path) - 3) in ('.xmp', '.XMP')
            order by path
            """
        )
        return await cursor.fetchall()


async def list_spoken_of(conn: Connection, repository_id: UUID, sidecars: Sequence[Sidecar]) -> list[Spoken]:
    """Assets whose metadata was read before their sidecars were as they are, other than by what we write ourselves.

    Clocks of disks may be a minute late.
    """
    async with conn.cursor(row_factory=struct_row(Spoken)) as cursor:
        await cursor.execute(
            """
            with given as (
                select * from unnest(%(paths)s::bytea[], %(changed)s::bigint[]) given (path, changed_ns)
            ), originals as (
                select f.asset_id, given.changed_ns
                from given
                join file_records f on f.repository_id = %(repository)s and f.path = given.path
                where f.state = 'present'
                union all
                select f.asset_id, given.changed_ns
                from given
                join file_records f on f.repository_id = %(repository)s
                                   and f.path > given.path || '.' and f.path < given.path || '/'
                where f.state = 'present'
                  and position('/'::bytea in substring(f.path from length(given.path) + 2)) = 0
                  and position('.'::bytea in substring(f.path from length(given.path) + 2)) = 0
            )
            select distinct a.asset_id, a.owner_id
            from originals o
            join assets a on a.asset_id = o.asset_id
            join asset_stages rendered on rendered.asset_id = a.asset_id and rendered.stage = 'render'
            left join asset_stages written on written.asset_id = a.asset_id and written.stage = 'sidecar'
            cross join lateral (select to_timestamp(o.changed_ns / 1e9) as at) changed
            where rendered.state in ('running', 'done', 'failed')
              and (
                  o.changed_ns is null
                  or (
                      changed.at > rendered.changed_at - interval '1 minute'
                      and (changed.at between written.changed_at - interval '10 s' and written.changed_at) is not true
                  )
              )
            order by a.asset_id
            """,
            {
                "repository": repository_id,
                "paths": [one.speaks_of for one in sidecars],
                "changed": [one.changed_ns for one in sidecars],
            },
        )
        return await cursor.fetchall()
