"""The SQL of duplicates: which groups there are, what they have that one of them is to keep, and what is none."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file that holds an asset's bytes."""

    asset_id: UUID
    repository_id: UUID
    path: bytes


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of an asset that has others like it; `believed` is a person's word before the file's."""

    asset_id: UUID
    is_trashed: bool
    liked: bool
    rating: int | None
    tags: list[str]
    believed: dict[str, Any]


async def list_repeated(conn: Connection, *, owner: int, after: UUID | None, limit: int) -> list[UUID]:
    """The owner's assets that lie at several paths, in the order of their ids."""
    cursor = await conn.execute(
        """
        select a.asset_id
        from (
            select asset_id
            from file_records
            where state = 'present'
              and asset_id is not null
              and (%(after)s::uuid is null or asset_id > %(after)s)
            group by asset_id
            having count(*) > 1
            order by asset_id
        ) repeated
        join assets a on a.asset_id = repeated.asset_id
        where a.owner_id = %(owner)s
          and a.trashed_at is null
          and a.missing_since is null
        order by a.asset_id
        limit %(limit)s
        """,
        {"owner": owner, "after": after, "limit": limit},
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_files(conn: Connection, asset_ids: Sequence[UUID]) -> list[File]:
    """Where assets lie."""
    async with conn.cursor(row_factory=struct_row(File)) as cursor:
        await cursor.execute(
            """
            select asset_id, repository_id, path
            from file_records
            where asset_id = any(%s)
              and state = 'present'
            order by asset_id, file_record_id
            """,
            (list(asset_ids),),
        )
        return await cursor.fetchall()


async def list_seeds(conn: Connection, *, owner: int, after: UUID | None, limit: int) -> list[UUID]:
    """The owner's assets that others are like, and none with a smaller id: each group has one of them at least."""
    cursor = await conn.execute(
        """
        select distinct p.asset_id
        from likeness_pairs p
        join assets a on a.asset_id = p.asset_id and a.trashed_at is null and a.missing_since is null
        join assets b on b.asset_id = p.other_id and b.trashed_at is null and b.missing_since is null
        where p.owner_id = %(owner)s
          and a.owner_id = %(owner)s
          and b.owner_id = %(owner)s
          and p.dismissed_at is null
          and (%(after)s::uuid is null or p.asset_id > %(after)s)
          and not exists (
              select
              from likeness_pairs q
              join assets c on c.asset_id = q.asset_id and c.trashed_at is null and c.missing_since is null
              where q.other_id = p.asset_id and q.dismissed_at is null and c.owner_id = %(owner)s
          )
        order by p.asset_id
        limit %(limit)s
        """,
        {"owner": owner, "after": after, "limit": limit},
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_alike(conn: Connection, asset_ids: Sequence[UUID], *, owner: int, most: int) -> list[tuple[UUID, UUID]]:
    """Each of the assets with what is shown of the owner's and like it, so many for one at most."""
    cursor = await conn.execute(
        """
        select given.asset_id, near.asset_id
        from unnest(%(assets)s::uuid[]) given (asset_id)
        cross join lateral (
            (
                select a.asset_id
                from likeness_pairs p
                join assets a on a.asset_id = p.other_id
                where p.asset_id = given.asset_id and p.dismissed_at is null
                  and a.owner_id = %(owner)s and a.trashed_at is null and a.missing_since is null
                limit %(most)s
            )
            union all
            (
                select a.asset_id
                from likeness_pairs p
                join assets a on a.asset_id = p.asset_id
                where p.other_id = given.asset_id and p.dismissed_at is null
                  and a.owner_id = %(owner)s and a.trashed_at is null and a.missing_since is null
                limit %(most)s
            )
        ) near
        """,
        {"assets": list(asset_ids), "owner": owner, "most": most},
    )
    return await cursor.fetchall()


async def hold_assets(conn: Connection, asset_ids: Sequence[UUID]) -> None:
    """Nobody else changes assets until the transaction ends."""
    await conn.execute("select from assets where asset_id = any(%s) order by asset_id for update", (list(asset_ids),))


async def list_copies(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> list[Copy]:
    """What is said of these assets of the owner, in the given order."""
    async with conn.cursor(row_factory=struct_row(Copy)) as cursor:
        await cursor.execute(
            """
            select a.asset_id, a.trashed_at is not null as is_trashed, a.liked, a.rating,
                   coalesce(m.facts, '{}') || coalesce(m.edits, '{}') as believed,
                   array(
                       select t.path
                       from asset_tags x
                       join tags t on t.tag_id = x.tag_id
                       where x.asset_id = a.asset_id and x.is_own
                       order by t.path
                   ) as tags
            from unnest(%(assets)s::uuid[]) with ordinality given (asset_id, place)
            join assets a on a.asset_id = given.asset_id
            left join asset_metadata m on m.asset_id = a.asset_id
            where a.owner_id = %(owner)s
            order by given.place
            """,
            {"assets": list(asset_ids), "owner": owner},
        )
        return await cursor.fetchall()


async def join_albums(conn: Connection, keep: UUID, others: Sequence[UUID]) -> None:
    """One asset stands in every album where the others are, in their place, and is its cover where one of them was."""
    values = {"keep": keep, "others": list(others)}
    await conn.execute(
        """
        select
        from albums b
        where b.album_id in (select x.album_id from album_assets x where x.asset_id = any(%(others)s))
        order by b.album_id
        for no key update
        """,
        values,
    )
    await conn.execute(
        """
        insert into album_assets (album_id, asset_id, position, added_by, added_at)
        select distinct on (x.album_id) x.album_id, %(keep)s::uuid, x.position, x.added_by, x.added_at
        from album_assets x
        where x.asset_id = any(%(others)s)
        order by x.album_id, x.position
        on conflict do nothing
        """,
        values,
    )
    await conn.execute(
        """
        update albums b
        set cover_asset_id = case when b.cover_asset_id = any(%(others)s) then %(keep)s::uuid else b.cover_asset_id end,
            updated_at = now()
        where b.album_id in (select x.album_id from album_assets x where x.asset_id = any(%(others)s))
        """,
        values,
    )


async def dismiss(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> None:
    """None of these assets of the owner is a duplicate of another of them, whatever is found later."""
    await _hold_pairs(conn, asset_ids)
    await conn.execute(
        """
        insert into likeness_pairs as p (asset_id, other_id, owner_id, dismissed_at)
        select x.asset_id, y.asset_id, x.owner_id, now()
        from assets x
        join assets y on y.asset_id = any(%(assets)s) and y.owner_id = %(owner)s and y.asset_id > x.asset_id
        where x.asset_id = any(%(assets)s)
          and x.owner_id = %(owner)s
        order by x.asset_id, y.asset_id
        on conflict (asset_id, other_id) do update
        set dismissed_at = excluded.dismissed_at
        where p.dismissed_at is null
        """,
        {"assets": list(asset_ids), "owner": owner},
    )


async def restore(conn: Connection, asset_ids: Sequence[UUID], *, owner: int) -> int:
    """Nothing is said any more against these assets of the owner being duplicates of each other; of how many pairs.

    Those that were found alike are so at once, and all are compared anew.
    """
    await _hold_pairs(conn, asset_ids)
    cursor = await conn.execute(
        """
        with meant as materialized (
            select p.asset_id, p.other_id, p.bits is not null as is_measured
            from likeness_pairs p
            join assets a on a.asset_id = p.asset_id and a.owner_id = %(owner)s
            where p.asset_id = any(%(assets)s) and p.other_id = any(%(assets)s) and p.dismissed_at is not null
        ), unknown as (
            delete from likeness_pairs p
            using meant m
            where p.asset_id = m.asset_id and p.other_id = m.other_id and not m.is_measured
        ), known as (
            update likeness_pairs p
            set dismissed_at = null
            from meant m
            where p.asset_id = m.asset_id and p.other_id = m.other_id and m.is_measured
        ), due as (
            insert into likeness_due (asset_id)
            select asset_id from meant
            union
            select other_id from meant
        )
        select count(*) from meant
        """,
        {"assets": list(asset_ids), "owner": owner},
    )
    return int((await cursor.fetchall())[0][0])


async def _hold_pairs(conn: Connection, asset_ids: Sequence[UUID]) -> None:
    """None of these assets goes until the transaction ends, and nobody else writes pairs."""
    await conn.execute(
        "select from assets where asset_id = any(%s) order by asset_id for key share", (list(asset_ids),)
    )
    await conn.execute("select pg_advisory_xact_lock(hashtextextended('likeness', 0))")
