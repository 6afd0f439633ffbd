"""The SQL of an upload: the asset, its stages and the act of sending."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row
from common.messages import Kind

Outcome = Literal["processing", "ready", "duplicate", "failed"]


class UploadState(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an upload; `error` says in words why it failed."""

    task_id: int
    asset_id: UUID
    file_name: str
    size: int
    content_hash: str
    state: Outcome
    error: str | None
    created_at: datetime
    settled_at: datetime | None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A file that the owner has, and the asset that it is."""

    hash: str
    asset_id: UUID


class Keyed(msgspec.Struct, frozen=True, kw_only=True):
    """The upload that an idempotency key stands for."""

    upload_id: int
    asset_id: UUID
    content_hash: bytes
    file_name: str
    answered_duplicate: bool
    has_failed: bool


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


async def add_stages(conn: Connection, asset_id: UUID, *, owner: int, lane: int = 0) -> None:
    """Placing is due at once; rendering waits for it."""
    await conn.execute(
        """
        insert into asset_stages (asset_id, stage, owner_id, lane, state, next_at)
        values (%(asset)s, 'place', %(owner)s, %(lane)s, 'pending', now()),
               (%(asset)s, 'render', %(owner)s, %(lane)s, 'blocked', null)
        """,
        {"asset": asset_id, "owner": owner, "lane": lane},
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
    """Whether the asset's original lies where the server keeps it, as far as we know; after the lock, so of now."""
    cursor = await conn.execute(
        """
        select exists (
            select
            from file_records f
            join repositories r on r.repository_id = f.repository_id and r.private_root is null
            where f.asset_id = %s
              and f.state = 'present'
              and (substring(f.path from 1 for 6) = 'inbox/' or substring(f.path from 1 for 15) = '.lumilio/trash/')
        )
        """,
        (asset_id,),
    )
    return bool((await cursor.fetchall())[0][0])


async def save_upload(
    conn: Connection,
    *,
    owner: int,
    repository: UUID,
    asset: UUID,
    staged_name: str,
    file_name: str,
    size: int,
    key: str | None = None,
    is_duplicate: bool = False,
) -> int:
    """The act of sending bytes, which wait under their staged name; returns its id."""
    cursor = await conn.execute(
        """
        insert into uploads (owner_id, repository_id, asset_id, staged_name, file_name, size, idempotency_key,
                             answered_duplicate)
        values (%(owner)s, %(repository)s, %(asset)s, %(staged_name)s, %(file_name)s, %(size)s, %(key)s,
                %(duplicate)s)
        returning upload_id
        """,
        {
            "owner": owner,
            "repository": repository,
            "asset": asset,
            "staged_name": staged_name,
            "file_name": file_name,
            "size": size,
            "key": key,
            "duplicate": is_duplicate,
        },
    )
    upload_id: int = (await cursor.fetchall())[0][0]
    return upload_id


async def lock_key(conn: Connection, *, owner: int, key: str) -> Keyed | None:
    """The owner's upload under a key, which nobody else can use until the transaction ends."""
    await conn.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", (owner, key))
    async with conn.cursor(row_factory=struct_row(Keyed)) as cursor:
        await cursor.execute(
            """
            select u.upload_id, u.asset_id, a.content_hash, u.file_name, u.answered_duplicate,
                   u.state = 'failed' or (u.state = 'staged' and s.state = 'failed') as has_failed
            from uploads u
            join assets a on a.asset_id = u.asset_id
            join asset_stages s on s.asset_id = u.asset_id and s.stage = 'place'
            where u.owner_id = %(owner)s
              and u.idempotency_key = %(key)s
            """,
            {"owner": owner, "key": key},
        )
        return await cursor.fetchone()


async def free_key(conn: Connection, *, owner: int, key: str) -> None:
    """A key that led nowhere can be used again."""
    await conn.execute(
        "update uploads set idempotency_key = null where owner_id = %s and idempotency_key = %s", (owner, key)
    )


async def hurry(conn: Connection, asset_id: UUID, *, lane: int) -> None:
    """Neither the asset's place nor its rendering waits in a slower lane than this one."""
    await conn.execute(
        """
        update asset_stages
        set lane = %(lane)s
        where asset_id = %(asset)s
          and stage in ('place', 'render')
          and lane > %(lane)s
        """,
        {"asset": asset_id, "lane": lane},
    )


async def list_uploads(
    conn: Connection, *, owner: int, before: int | None, state: Outcome | None, limit: int
) -> list[UploadState]:
    """The owner's uploads before the given one, newest first."""
    async with conn.cursor(row_factory=struct_row(UploadState)) as cursor:
        await cursor.execute(
            """
            select task_id, asset_id, file_name, size, content_hash, state,
                   case when state = 'failed' then error end as error, created_at, settled_at
            from (
                select u.upload_id as task_id, u.asset_id, u.file_name, u.size,
                       encode(a.content_hash, 'hex') as content_hash, u.created_at, u.settled_at,
                       case
                           when u.state in ('failed', 'duplicate') then u.state
                           when u.state = 'staged' and place.state = 'failed' then 'failed'
                           when u.state = 'staged' then 'processing'
                           when render.state = 'failed' then 'failed'
                           when render.state in ('blocked', 'pending', 'running') then 'processing'
                           else 'ready'
                       end as state,
                       case
                           when u.state = 'failed' then u.error
                           when u.state = 'staged' then place.error
                           else 'the original is safe, but it cannot be shown: ' || render.error
                       end as error
                from uploads u
                join assets a on a.asset_id = u.asset_id
                left join asset_stages place on place.asset_id = u.asset_id and place.stage = 'place'
                left join asset_stages render on render.asset_id = u.asset_id and render.stage = 'render'
                where u.owner_id = %(owner)s
                  and u.upload_id < coalesce(%(before)s, 9223372036854775807)
            ) found
            where %(state)s::text is null or state = %(state)s
            order by task_id desc
            limit %(limit)s
            """,
            {"owner": owner, "before": before, "state": state, "limit": limit},
        )
        return await cursor.fetchall()


async def find_upload(conn: Connection, upload_id: int, *, owner: int) -> UploadState | None:
    """One of the owner's uploads."""
    found = await list_uploads(conn, owner=owner, before=upload_id + 1, state=None, limit=1)
    return found[0] if found and found[0].task_id == upload_id else None


async def list_known(conn: Connection, hashes: Sequence[bytes], *, owner: int) -> list[Known]:
    """Those of the contents that the owner has and did not trash, and whose bytes are safe as far as we know.

    In a person's own folders they are not, for the person may tidy there, nor on a disk that is only read.
    """
    async with conn.cursor(row_factory=struct_row(Known)) as cursor:
        await cursor.execute(
            """
            select encode(a.content_hash, 'hex') as hash, a.asset_id
            from assets a
            left join lateral (
                select true as is_so
                from file_records f
                join repositories r on r.repository_id = f.repository_id and r.private_root is null
                where f.asset_id = a.asset_id and f.state = 'present' and substring(f.path from 1 for 6) = 'inbox/'
                limit 1
            ) placed on true
            left join lateral (
                select true as is_so
                from uploads u
                join asset_stages s on s.asset_id = u.asset_id and s.stage = 'place'
                where u.asset_id = a.asset_id and u.state = 'staged' and s.state <> 'failed'
                limit 1
            ) waiting on true
            where a.owner_id = %(owner)s
              and a.content_hash = any(%(hashes)s)
              and a.trashed_at is null
              and (placed.is_so or waiting.is_so)
            order by a.content_hash
            """,
            {"owner": owner, "hashes": list(hashes)},
        )
        return await cursor.fetchall()
