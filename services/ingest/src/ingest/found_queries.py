"""The SQL of registering files that lie where people put them."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec

from common import layout
from common.db import Connection, struct_row
from common.messages import Kind


class FoundFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read and waits; `asset_id` is what it was a file of, `known_id` the owner's with this content."""

    file_record_id: int
    repository_id: UUID
    root: bytes
    private_root: bytes | None
    path: bytes
    size: int
    content_hash: bytes
    mime_type: str
    asset_id: UUID | None
    owner_id: int
    known_id: UUID | None

    @property
    def home(self) -> bytes:
        """Where its repository keeps what is ours."""
        return self.private_root or self.root

    @property
    def is_kept(self) -> bool:
        """Whether it lies where only the server puts files, and nobody edits them."""
        return self.private_root is None and layout.is_managed(self.path)


class NewAsset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that a found file becomes."""

    asset_id: UUID
    owner_id: int
    content_hash: bytes
    size: int
    kind: Kind
    mime_type: str
    original_filename: str


async def list_changed(conn: Connection, away: Sequence[UUID], *, limit: int) -> list[UUID]:
    """The assets of which files wait to be registered anew where nothing is away, as many as make a batch."""
    cursor = await conn.execute(
        """
        select distinct asset_id
        from (
            select asset_id
            from file_records
            where state = 'found' and read_after is null and content_hash is not null and asset_id is not null
              and repository_id <> all(%s)
            order by file_record_id
            limit %s
        ) waiting
        """,
        (list(away), limit),
    )
    return [row[0] for row in await cursor.fetchall()]


async def lock_found(
    conn: Connection, assets: Sequence[UUID], away: Sequence[UUID], *, known: Collection[str], limit: int
) -> list[FoundFile]:
    """Some files that wait to be registered, new ones or of some assets, the longest waiting first; held from now on.

    Those of repositories that are away keep nobody waiting, nor those of types that only a newer version knows. What
    lies in the inbox and was never anybody's is no find: the server itself puts files there.
    """
    async with conn.cursor(row_factory=struct_row(FoundFile)) as cursor:
        await cursor.execute(
            """
            with f as materialized (
                select file_record_id, repository_id, path, size, content_hash, mime_type, asset_id
                from file_records
                where state = 'found'
                  and read_after is null
                  and content_hash is not null
                  and (asset_id is null or asset_id = any(%s))
                  and repository_id <> all(%s)
                  and mime_type = any(%s)
                  and (
                      asset_id is not null
                      or repository_id in (select repository_id from repositories where private_root is not null)
                      or substring(path from 1 for 6) <> 'inbox/'
                  )
                  and (
                      asset_id is not null
                      or repository_id in (select repository_id from repositories where owner_id is not null)
                      or exists (select from users where is_admin)
                  )
                order by file_record_id
                limit %s
                for update skip locked
            )
            select f.file_record_id, f.repository_id, r.root, r.private_root, f.path, f.size, f.content_hash,
                   f.mime_type, f.asset_id, owner.owner_id, (
                       select known.asset_id
                       from assets known
                       where known.owner_id = owner.owner_id and known.content_hash = f.content_hash
                   ) as known_id
            from f
            join repositories r on r.repository_id = f.repository_id
            left join assets old on old.asset_id = f.asset_id
            cross join lateral (
                select coalesce(
                    old.owner_id, r.owner_id, (select user_id from users where is_admin order by user_id limit 1)
                ) as owner_id
            ) owner
            order by f.file_record_id
            """,
            (list(assets), list(away), list(known), limit),
        )
        return await cursor.fetchall()


async def new_ids(conn: Connection, count: int) -> list[UUID]:
    """Ids that sort by time."""
    cursor = await conn.execute("select uuidv7() from generate_series(1, %s)", (count,))
    return [row[0] for row in await cursor.fetchall()]


async def save_assets(conn: Connection, assets: Sequence[NewAsset]) -> set[UUID]:
    """New assets, stored as they are and to be rendered; returns those that nobody else made meanwhile."""
    cursor = await conn.execute(
        """
        with made as (
            insert into assets (asset_id, owner_id, content_hash, size, kind, mime_type, original_filename, stored_at)
            select id, owner_id, content_hash, size, kind, mime_type, name, now()
            from unnest(%(ids)s::uuid[], %(owners)s::int[], %(hashes)s::bytea[], %(sizes)s::bigint[],
                        %(kinds)s::text[], %(mimes)s::text[], %(names)s::text[])
                given (id, owner_id, content_hash, size, kind, mime_type, name)
            order by owner_id, content_hash
            on conflict (owner_id, content_hash) do nothing
            returning asset_id, owner_id
        ), staged as (
            insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
            select asset_id, 'place', owner_id, 1, 'done', null from made
            union all
            select asset_id, 'render', owner_id, 1, 'pending', now() from made
        )
        select asset_id from made
        """,
        {
            "ids": [asset.asset_id for asset in assets],
            "owners": [asset.owner_id for asset in assets],
            "hashes": [asset.content_hash for asset in assets],
            "sizes": [asset.size for asset in assets],
            "kinds": [asset.kind for asset in assets],
            "mimes": [asset.mime_type for asset in assets],
            "names": [asset.original_filename for asset in assets],
        },
    )
    return {row[0] for row in await cursor.fetchall()}


async def link(conn: Connection, found: Sequence[FoundFile]) -> None:
    """Each file is one of its owner's asset with its content, which is there again if it was missing."""
    await conn.execute(
        """
        with linked as (
            update file_records f
            set asset_id = a.asset_id, state = 'present'
            from unnest(%(records)s::bigint[], %(owners)s::int[], %(hashes)s::bytea[])
                given (id, owner_id, content_hash)
            join assets a on a.owner_id = given.owner_id and a.content_hash = given.content_hash
            where f.file_record_id = given.id
            returning f.asset_id
        )
        update assets
        set missing_since = null, stored_at = coalesce(stored_at, now())
        from linked
        where assets.asset_id = linked.asset_id
          and (missing_since is not null or stored_at is null)
        """,
        {
            "records": [one.file_record_id for one in found],
            "owners": [one.owner_id for one in found],
            "hashes": [one.content_hash for one in found],
        },
    )


async def hide_forsaken(conn: Connection, asset_ids: Sequence[UUID]) -> None:
    """Hide those of some assets of which no file is left, nor an upload on its way."""
    await conn.execute(
        """
        update assets a
        set missing_since = now()
        where a.asset_id = any(%s)
          and a.missing_since is null
          and not exists (
              select from file_records f where f.asset_id = a.asset_id and f.state not in ('missing', 'other')
          )
          and not exists (select from uploads u where u.asset_id = a.asset_id and u.state = 'staged')
        """,
        (list(asset_ids),),
    )


async def renew(conn: Connection, found: FoundFile, *, kind: Kind) -> bool:
    """Let an asset have the content that its only file has now; False when it has another file, or is in the trash."""
    cursor = await conn.execute(
        """
        update assets a
        set content_hash = %(hash)s, size = %(size)s, kind = %(kind)s, mime_type = %(mime)s, missing_since = null
        where a.asset_id = %(asset)s
          and a.trashed_at is null
          and not exists (
              select
              from file_records f
              where f.asset_id = a.asset_id and f.file_record_id <> %(record)s and f.state in ('present', 'corrupt')
          )
          and not exists (select from uploads u where u.asset_id = a.asset_id and u.state = 'staged')
          and not exists (
              select from assets b where b.owner_id = a.owner_id and b.content_hash = %(hash)s
          )
        returning true
        """,
        {
            "asset": found.asset_id,
            "record": found.file_record_id,
            "hash": found.content_hash,
            "size": found.size,
            "kind": kind,
            "mime": found.mime_type,
        },
    )
    return await cursor.fetchone() is not None
