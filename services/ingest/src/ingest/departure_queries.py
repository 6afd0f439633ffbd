"""The SQL of people who leave, and of what becomes of their photos."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row

Fate = Literal["transfer", "trash_and_purge"]


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who leaves, and who gets their photos, if anybody does."""

    user_id: int
    fate: Fate
    receiver_id: int | None
    asked_by: int | None


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that nobody works on; the receiver's own of the same content, which is to come back if this is shown."""

    asset_id: UUID
    twin_id: UUID | None
    brings_back: bool


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an asset that has another owner now."""

    repository_id: UUID
    root: bytes
    private_root: bytes | None
    path: bytes
    trashed_from: bytes | None
    asset_id: UUID
    owner_id: int
    content_hash: bytes
    size: int
    original_filename: str
    uploaded_at: datetime

    @property
    def home(self) -> bytes:
        """Where its repository keeps what is ours."""
        return self.private_root or self.root


async def list_departures(conn: Connection) -> list[Departure]:
    """All who leave, in the order in which it was wished."""
    async with conn.cursor(row_factory=struct_row(Departure)) as cursor:
        await cursor.execute(
            """
            select user_id, fate, receiver_id, asked_by
            from departures
            order by asked_at, user_id
            """
        )
        return await cursor.fetchall()


async def lock_departure(conn: Connection, departure: Departure) -> bool:
    """Hold what is wished; False when something else is wished by now."""
    cursor = await conn.execute(
        """
        select 1
        from departures
        where user_id = %s
          and receiver_id is not distinct from %s
        for share
        """,
        (departure.user_id, departure.receiver_id),
    )
    return await cursor.fetchone() is not None


async def hand_over_folders(conn: Connection, departure: Departure) -> None:
    """What is found in repositories from here on is the receiver's, or the first administrator's."""
    await conn.execute(
        "update repositories set owner_id = %s where owner_id = %s", (departure.receiver_id, departure.user_id)
    )


async def hand_over_albums(conn: Connection, *, owner: int, receiver: int) -> None:
    """The receiver owns the albums, and so is no member of them."""
    await conn.execute(
        """
        delete from album_members m
        using albums a
        where a.album_id = m.album_id
          and a.owner_id = %s
          and m.user_id = %s
        """,
        (owner, receiver),
    )
    await conn.execute("update albums set owner_id = %s where owner_id = %s", (receiver, owner))


async def list_page(conn: Connection, *, owner: int, after: UUID | None, limit: int) -> list[UUID]:
    """The owner's assets behind one, in the order in which everybody locks."""
    cursor = await conn.execute(
        """
        select asset_id
        from assets
        where owner_id = %(owner)s
          and (%(after)s::uuid is null or asset_id > %(after)s)
        order by asset_id
        limit %(limit)s
        """,
        {"owner": owner, "after": after, "limit": limit},
    )
    return [row[0] for row in await cursor.fetchall()]


async def lock_stages(conn: Connection, asset_ids: Sequence[UUID], *, receiver: int) -> None:
    """Hold all that is to be done with assets and with the receiver's own of the same content."""
    await conn.execute(
        """
        select 1
        from asset_stages
        where asset_id in (
            select unnest(%(assets)s::uuid[])
            union
            select r.asset_id
            from assets u
            join assets r on r.owner_id = %(receiver)s and r.content_hash = u.content_hash
            where u.asset_id = any(%(assets)s)
        )
        order by asset_id, stage
        for update
        """,
        {"assets": list(asset_ids), "receiver": receiver},
    )


async def list_at_rest(conn: Connection, asset_ids: Sequence[UUID], *, owner: int, receiver: int) -> list[Leaving]:
    """Those of the assets, whose stages the caller holds, that are neither worked on nor waited for nor going."""
    async with conn.cursor(row_factory=struct_row(Leaving)) as cursor:
        await cursor.execute(
            """
            select u.asset_id, r.asset_id as twin_id,
                   r.trashed_at is not null and u.trashed_at is null and u.missing_since is null as brings_back
            from assets u
            left join assets r on r.owner_id = %(receiver)s and r.content_hash = u.content_hash
            where u.asset_id = any(%(assets)s)
              and u.owner_id = %(owner)s
              and not exists (
                  select
                  from asset_stages s
                  left join purges p on p.asset_id = s.asset_id and p.began_at is not null
                  where s.asset_id in (u.asset_id, r.asset_id)
                    and (s.state = 'running' or (p.asset_id is not null and s.stage = 'purge' and s.state = 'pending'))
              )
              and not exists (
                  select from uploads l where l.asset_id in (u.asset_id, r.asset_id) and l.state = 'staged'
              )
            order by u.asset_id
            """,
            {"assets": list(asset_ids), "owner": owner, "receiver": receiver},
        )
        return await cursor.fetchall()


async def give(conn: Connection, asset_ids: Sequence[UUID], *, receiver: int) -> None:
    """Assets are the receiver's with all that hangs on them; keywords become keywords of theirs."""
    moved = {"assets": list(asset_ids), "receiver": receiver}
    await conn.execute("update assets set owner_id = %(receiver)s where asset_id = any(%(assets)s)", moved)
    await conn.execute("update asset_stages set owner_id = %(receiver)s where asset_id = any(%(assets)s)", moved)
    await conn.execute("update stack_keys set owner_id = %(receiver)s where asset_id = any(%(assets)s)", moved)
    await conn.execute("update labels set owner_id = %(receiver)s where asset_id = any(%(assets)s)", moved)
    await conn.execute("update embeddings set owner_id = %(receiver)s where asset_id = any(%(assets)s)", moved)
    await conn.execute("update findings set owner_id = %(receiver)s where asset_id = any(%(assets)s)", moved)
    await conn.execute(
        """
        update uploads
        set owner_id = %(receiver)s, idempotency_key = null
        where asset_id = any(%(assets)s)
        """,
        moved,
    )
    await conn.execute("delete from asset_tags where asset_id = any(%s)", (list(asset_ids),))
    await conn.execute("update asset_metadata set facts = facts where asset_id = any(%s)", (list(asset_ids),))


async def merge(conn: Connection, asset_ids: Sequence[UUID], twin_ids: Sequence[UUID], *, receiver: int) -> None:
    """The receiver's own assets stay as they are and get the files of those of the same content, which go.

    One whose files were all missing is there again; albums show the receiver's in place of the other.
    """
    pairs = {"assets": list(asset_ids), "twins": list(twin_ids), "receiver": receiver}
    await conn.execute(
        """
        update assets r
        set missing_since = null
        from unnest(%(assets)s::uuid[], %(twins)s::uuid[]) pair (asset_id, twin_id)
        where r.asset_id = pair.twin_id
          and r.missing_since is not null
          and exists (select from file_records f where f.asset_id = pair.asset_id and f.state = 'present')
        """,
        pairs,
    )
    await conn.execute(
        """
        update file_records f
        set asset_id = pair.twin_id
        from unnest(%(assets)s::uuid[], %(twins)s::uuid[]) pair (asset_id, twin_id)
        where f.asset_id = pair.asset_id
        """,
        pairs,
    )
    await conn.execute(
        """
        update uploads l
        set asset_id = pair.twin_id, owner_id = %(receiver)s, idempotency_key = null
        from unnest(%(assets)s::uuid[], %(twins)s::uuid[]) pair (asset_id, twin_id)
        where l.asset_id = pair.asset_id
        """,
        pairs,
    )
    await conn.execute(
        """
        insert into album_assets (album_id, asset_id, position, added_by, added_at)
        select x.album_id, pair.twin_id, x.position, x.added_by, x.added_at
        from unnest(%(assets)s::uuid[], %(twins)s::uuid[]) pair (asset_id, twin_id)
        join album_assets x on x.asset_id = pair.asset_id
        on conflict do nothing
        """,
        pairs,
    )
    await conn.execute(
        """
        update albums b
        set cover_asset_id = pair.twin_id
        from unnest(%(assets)s::uuid[], %(twins)s::uuid[]) pair (asset_id, twin_id)
        where b.cover_asset_id = pair.asset_id
        """,
        pairs,
    )
    await conn.execute("delete from assets where asset_id = any(%s)", (list(asset_ids),))


async def list_handed(conn: Connection, asset_ids: Sequence[UUID]) -> list[Handed]:
    """The files of assets, those of a repository one after the other."""
    async with conn.cursor(row_factory=struct_row(Handed)) as cursor:
        await cursor.execute(
            """
            select f.repository_id, r.root, r.private_root, f.path, f.trashed_from, a.asset_id, a.owner_id,
                   a.content_hash, a.size, a.original_filename, a.uploaded_at
            from file_records f
            join repositories r on r.repository_id = f.repository_id
            join assets a on a.asset_id = f.asset_id
            where f.asset_id = any(%s)
            order by f.repository_id, f.file_record_id
            """,
            (list(asset_ids),),
        )
        return await cursor.fetchall()


async def list_shown(conn: Connection, *, owner: int, limit: int) -> list[UUID]:
    """Some of the owner's assets that do not lie in the trash."""
    cursor = await conn.execute(
        "select asset_id from assets where owner_id = %s and trashed_at is null order by asset_id limit %s",
        (owner, limit),
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_unwished(conn: Connection, *, owner: int, limit: int) -> list[UUID]:
    """Some of the owner's assets in the trash whose purge nobody wishes; one that failed is tried again after a day."""
    cursor = await conn.execute(
        """
        select asset_id
        from assets a
        where owner_id = %s
          and trashed_at is not null
          and not exists (
              select
              from purges p
              join asset_stages s on s.asset_id = p.asset_id and s.stage = 'purge'
              where p.asset_id = a.asset_id
                and (s.state in ('pending', 'running') or s.changed_at > now() - interval '1 day')
          )
        order by asset_id
        limit %s
        """,
        (owner, limit),
    )
    return [row[0] for row in await cursor.fetchall()]


async def hand_over_pauses(conn: Connection, departure: Departure) -> None:
    """A pause of a stage is that of whoever asked for the departure, or ends where nobody is left who did."""
    await conn.execute(
        "update stage_pauses set paused_by = %s::int where paused_by = %s and %s::int is not null",
        (departure.asked_by, departure.user_id, departure.asked_by),
    )
    await conn.execute("delete from stage_pauses where paused_by = %s", (departure.user_id,))


async def forget_user(conn: Connection, user_id: int) -> bool:
    """The user is gone with all that is theirs alone; False while there are assets of theirs."""
    cursor = await conn.execute(
        """
        delete from users u
        where u.user_id = %s
          and exists (select from departures d where d.user_id = u.user_id)
          and not exists (select from assets a where a.owner_id = u.user_id)
        returning true
        """,
        (user_id,),
    )
    return await cursor.fetchone() is not None
