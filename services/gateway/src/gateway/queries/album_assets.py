"""The SQL of what is in an album, and in which order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, LiteralString
from uuid import UUID

import msgspec
from psycopg.sql import SQL, Composed

from common.db import Connection, struct_row

Sort = Literal["position", "taken", "added"]

COLUMNS: dict[Sort, LiteralString] = {"position": "position", "taken": "sort_at", "added": "added_at"}
TYPES: dict[Sort, LiteralString] = {"position": "bigint", "taken": "timestamp", "added": "timestamptz"}
ROOM = 1 << 40
"""So much room is left between neighbours: some forty assets in turn find a place between the same two."""


class Cursor(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended: by what it is sorted, and at which place of the whole list."""

    key: Annotated[str, msgspec.Meta(max_length=40)]
    asset_id: UUID
    place: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of an album; `key` is what the list is sorted by, as text."""

    asset_id: UUID
    owner_id: int
    added_at: datetime
    added_by: int | None
    key: str


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """An album that an asset is in; `position` counts those before it."""

    album_id: int
    position: int
    added_at: datetime


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Between what something is put; None where nothing is."""

    lower: int | None
    upper: int | None


async def list_page(
    conn: Connection, album_id: int, *, sort: Sort, is_descending: bool, after: Cursor | None, limit: int, offset: int
) -> list[Entry]:
    """What an album shows after the cursor; each page is one walk along an index, however deep it is."""
    statement = page_statement(sort=sort, is_descending=is_descending, follows=after is not None)
    values = {"key": after.key, "asset": after.asset_id} if after else {}
    async with conn.cursor(row_factory=struct_row(Entry)) as cursor:
        await cursor.execute(statement, {"album": album_id, "limit": limit, "offset": offset, **values})
        return await cursor.fetchall()


def page_statement(*, sort: Sort, is_descending: bool, follows: bool) -> Composed:
    """How a page is asked for; one that follows another begins after a key and an asset."""
    beyond: LiteralString = "<" if is_descending else ">"
    after: LiteralString = f"and ({COLUMNS[sort]}, asset_id) {beyond} (%(key)s::{TYPES[sort]}, %(asset)s)"
    return SQL(
        """
        select x.asset_id, a.owner_id, x.added_at, x.added_by, x.{column}::text as key
        from (
            select asset_id, position, sort_at, added_at, added_by
            from album_assets
            where album_id = %(album)s
              and is_there
              {after}
            order by {column} {order}, asset_id {order}
            limit %(limit)s
            offset %(offset)s
        ) x
        join assets a on a.asset_id = x.asset_id
        order by x.{column} {order}, x.asset_id {order}
        """
    ).format(
        column=SQL(COLUMNS[sort]),
        order=SQL("desc") if is_descending else SQL("asc"),
        after=SQL(after) if follows else SQL(""),
    )


def end(found: list[Entry], *, first: int, limit: int) -> Cursor | None:
    """Where a page ended that another one may follow."""
    if len(found) < limit:
        return None
    return Cursor(key=found[-1].key, asset_id=found[-1].asset_id, place=first + limit - 1)


async def count_assets(conn: Connection, album_id: int) -> int:
    """How many assets an album shows."""
    cursor = await conn.execute("select count(*) from album_assets where album_id = %s and is_there", (album_id,))
    row = await cursor.fetchone()
    return row[0] if row else 0


async def list_memberships(conn: Connection, asset_id: UUID, *, user: int) -> list[Membership]:
    """The albums that an asset is in, of those that the user has part in; newest album first."""
    async with conn.cursor(row_factory=struct_row(Membership)) as cursor:
        await cursor.execute(
            """
            select x.album_id, x.added_at, (
                       select count(*)
                       from album_assets y
                       where y.album_id = x.album_id
                         and y.is_there
                         and (y.position, y.asset_id) < (x.position, x.asset_id)
                   ) as position
            from album_assets x
            join albums b on b.album_id = x.album_id
            where x.asset_id = %(asset)s
              and (b.owner_id = %(user)s or exists (
                  select from album_members m where m.album_id = b.album_id and m.user_id = %(user)s
              ))
            order by x.album_id desc
            """,
            {"asset": asset_id, "user": user},
        )
        return await cursor.fetchall()


async def lock_own(conn: Connection, asset_ids: list[UUID], *, owner: int) -> set[UUID]:
    """Those of the assets that are the owner's; they stay as they are until the transaction ends."""
    cursor = await conn.execute(
        """
        select asset_id
        from assets
        where asset_id = any(%(assets)s)
          and owner_id = %(owner)s
        order by asset_id
        for share
        """,
        {"assets": asset_ids, "owner": owner},
    )
    return {asset for (asset,) in await cursor.fetchall()}


async def find_bounds(conn: Connection, album_id: int, place: int | None, *, without: UUID | None = None) -> Bounds:
    """Between which positions something stands at this place of what is shown; at the end without one.

    The locked album is looked at as if `without` were not in it.
    """
    async with conn.cursor(row_factory=struct_row(Bounds)) as cursor:
        await cursor.execute(
            """
            with here as materialized (
                select position
                from album_assets
                where album_id = %(album)s
                  and is_there
                  and asset_id is distinct from %(without)s
                  and %(place)s::int is not null
                order by position, asset_id
                offset coalesce(%(place)s::int, 0)
                limit 1
            )
            select (select position from here) as upper, (
                       select max(position)
                       from album_assets
                       where album_id = %(album)s
                         and asset_id is distinct from %(without)s
                         and position < coalesce((select position from here), %(beyond)s)
                   ) as lower
            """,
            {"album": album_id, "place": place, "without": without, "beyond": (1 << 63) - 1},
        )
        (bounds,) = await cursor.fetchall()
        return bounds


async def lock_assets(conn: Connection, album_id: int, *, owner: int | None = None) -> None:
    """Hold what is in an album, or this owner's part of it: whoever changes assets changes albums after them."""
    await conn.execute(
        """
        select
        from assets a
        where (%(owner)s::int is null or a.owner_id = %(owner)s)
          and a.asset_id in (select x.asset_id from album_assets x where x.album_id = %(album)s)
        order by a.asset_id
        for share of a
        """,
        {"album": album_id, "owner": owner},
    )


async def spread(conn: Connection, album_id: int) -> None:
    """Give all of a locked album room again, in the order that they have."""
    await lock_assets(conn, album_id)
    await conn.execute(
        """
        update album_assets x
        set position = ordered.place * %(room)s
        from (
            select asset_id, row_number() over (order by position, asset_id) as place
            from album_assets
            where album_id = %(album)s
        ) ordered
        where x.album_id = %(album)s
          and x.asset_id = ordered.asset_id
        """,
        {"album": album_id, "room": ROOM},
    )


async def save_assets(
    conn: Connection, album_id: int, asset_ids: list[UUID], *, start: int, step: int, added_by: int
) -> None:
    """Put assets into a locked album, one step apart from each other; those that are in it stay where they are."""
    await conn.execute(
        """
        insert into album_assets (album_id, asset_id, position, added_by)
        select %(album)s, wanted.asset_id, %(start)s::bigint + (wanted.place - 1) * %(step)s::bigint, %(user)s
        from unnest(%(assets)s::uuid[]) with ordinality wanted (asset_id, place)
        on conflict do nothing
        """,
        {"album": album_id, "assets": asset_ids, "start": start, "step": step, "user": added_by},
    )


async def find_asset_owner(conn: Connection, album_id: int, asset_id: UUID) -> int | None:
    """Whose an asset of an album is; None for one that is not in it."""
    cursor = await conn.execute(
        """
        select a.owner_id
        from album_assets x
        join assets a on a.asset_id = x.asset_id
        where x.album_id = %(album)s
          and x.asset_id = %(asset)s
        """,
        {"album": album_id, "asset": asset_id},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def save_position(conn: Connection, album_id: int, asset_id: UUID, position: int) -> None:
    """Put one asset of a locked album elsewhere."""
    await conn.execute(
        "update album_assets set position = %(position)s where album_id = %(album)s and asset_id = %(asset)s",
        {"album": album_id, "asset": asset_id, "position": position},
    )


async def forget_asset(conn: Connection, album_id: int, asset_id: UUID) -> None:
    """Take an asset out of an album."""
    await conn.execute(
        "delete from album_assets where album_id = %(album)s and asset_id = %(asset)s",
        {"album": album_id, "asset": asset_id},
    )


async def forget_own(conn: Connection, album_id: int, asset_ids: Sequence[UUID], *, owner: int) -> list[UUID]:
    """Take some assets of this owner out of an album; returns those that were in it."""
    cursor = await conn.execute(
        """
        delete from album_assets x
        using assets a
        where x.album_id = %(album)s
          and x.asset_id = any(%(assets)s)
          and a.asset_id = x.asset_id
          and a.owner_id = %(owner)s
        returning x.asset_id
        """,
        {"album": album_id, "assets": list(asset_ids), "owner": owner},
    )
    return [row[0] for row in await cursor.fetchall()]


async def forget_assets_of(conn: Connection, album_id: int, *, owner: int) -> None:
    """Take out of an album whatever is this owner's."""
    await conn.execute(
        """
        delete from album_assets x
        using assets a
        where x.album_id = %(album)s
          and a.asset_id = x.asset_id
          and a.owner_id = %(owner)s
        """,
        {"album": album_id, "owner": owner},
    )
