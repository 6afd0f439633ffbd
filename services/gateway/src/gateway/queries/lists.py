"""The SQL of lists: an owner's assets that are wanted, page by page in any order, and how many they are."""

from collections.abc import Sequence
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from msgspec import Struct, structs
from psycopg.sql import SQL, Composable, Composed, Identifier
from psycopg.sql import Literal as Value

from common.db import Connection
from gateway.filter_schemas import AssetFilter
from gateway.queries import filters
from gateway.queries.walks import ASSETS, EVERYTHING, KEYS, Order, Sort, Source, Walk, walk

MOST_COUNTED = 10_000
MOST_LOOKED_AT = 1000


class Cursor(Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended: the values that its order goes by, the last of which is the asset's id."""

    by: Sort
    is_ascending: bool
    keys: list[str]


class Part(NamedTuple):
    """Which part of a list is wanted."""

    limit: int
    after: Cursor | None = None
    offset: int = 0


class Page(NamedTuple):
    """Some assets in their order, where they end if others follow, and how many there are where that is known."""

    asset_ids: list[UUID]
    end: Cursor | None
    total: int | None = None


NOTHING = SQL("")
NEAR_BY = 80
"""So many assets for each of a page are looked through in milliseconds: those fill it of which there are many."""

PAGE: LiteralString = """
    select a.asset_id, array[{texts}]
    from {tables}
    where {where}{beyond}{near}
    order by {order}
    limit {limit} offset {offset}
"""
FAR: LiteralString = """
    select array[{named_texts}]
    from (
        select {keys}
        from {tables}
        where {where}{beyond}
        order by {order}
        limit 1 offset {near_by}
    ) far
"""
ALL: LiteralString = """
    with found as materialized (
        {found}
    )
    select asset_id, array[{named_texts}], count(*) over ()
    from found
    order by {named_order}
    limit {limit} offset {offset}
"""
FOUND: LiteralString = "select {asset_id}, {keys} from {tables} where {where}{beyond}"


async def list_page(conn: Connection, way: Walk, order: Order, part: Part) -> Page:
    """The assets that are wanted and come after the cursor.

    What no index has in this order is looked for along a short way first, where what is common is. What is not there is
    rare or far away: all of it is found at once, and sorted.
    """
    values = way.values | places("after", part.after.keys if part.after else [])
    if way.is_straight:
        return page(await ask(conn, written(PAGE, way, order, part), values), order, limit=part.limit)
    along = Walk(
        ASSETS, way.scope, SQL("a.owner_id = %(owner)s and {}").format(way.scope), way.values, is_straight=True
    )
    if near := await find_near(conn, way, along, order, part, each=NEAR_BY):
        return near
    found = await ask(
        conn, written(ALL, way, order, part, found=_all_found(way, order, part, most=MOST_COUNTED + 1)), values
    )
    if found and found[0][2] > MOST_COUNTED:
        found = await ask(conn, written(ALL, way, order, part, found=_all_found(way, order, part)), values)
    return page(found, order, limit=part.limit)._replace(total=found[0][2] if found else None)


async def find_near(conn: Connection, way: Walk, along: Walk, order: Order, part: Part, *, each: int) -> Page | None:
    """The page, if it is among the next assets along another way: so many for each that it may have."""
    after = places("after", part.after.keys if part.after else [])
    far = await ask(conn, written(FAR, along, order, part, near_by=each * part.limit), along.values | after)
    bounds = places("far", far[0][0] if far else [])
    near = beyond(order, _keys(way.source, order), "far", is_before=True) if far else NOTHING
    found = await ask(conn, written(PAGE, way, order, part, near=near), way.values | after | bounds)
    return page(found, order, limit=part.limit) if len(found) > part.limit or not far else None


def _all_found(way: Walk, order: Order, part: Part, *, most: int | None = None) -> Composed:
    """What is wanted, all of it or so much; what several indexes have together is found without a look at any asset."""
    if way.several and any(one.source is ASSETS for one in way.several):
        return SQL(" intersect ").join(written(FOUND, one, order, part) for one in way.several)
    found = written(FOUND, way, order, part)
    return SQL("{} limit {}").format(found, Value(most)) if most else found


def written(
    text: LiteralString,
    way: Walk,
    order: Order,
    part: Part,
    *,
    near: Composable = NOTHING,
    found: Composable = NOTHING,
    near_by: int = 0,
) -> Composed:
    """A statement about a part of a way."""
    keys = _keys(way.source, order)
    names = [Identifier(f"key_{number}") for number in range(len(keys))]
    direction = SQL("{}" if order.is_ascending else "{} desc")
    return SQL(text).format(
        keys=SQL(", ").join(SQL("{} as {}").format(key, name) for key, name in zip(keys, names, strict=True)),
        texts=SQL(", ").join(SQL("{}::text").format(key) for key in keys),
        named_texts=SQL(", ").join(SQL("{}::text").format(name) for name in names),
        asset_id=SQL(way.source.asset_id),
        tables=SQL(way.source.tables),
        where=way.where,
        beyond=beyond(order, keys, "after") if part.after else NOTHING,
        near=near,
        found=found,
        order=SQL(", ").join(direction.format(key) for key in keys),
        named_order=SQL(", ").join(direction.format(name) for name in names),
        near_by=Value(near_by),
        limit=Value(part.limit + 1),  # one more tells whether any follows
        offset=Value(part.offset),
    )


def _keys(source: Source, order: Order) -> list[Composable]:
    return [SQL(key.text).format(sort_at=SQL(source.sort_at)) for key in KEYS[order.by]] + [SQL(source.asset_id)]


def page(found: list[Any], order: Order, *, limit: int) -> Page:
    """Rows of ids and keys, of which one more than the limit was asked for."""
    end = Cursor(by=order.by, is_ascending=order.is_ascending, keys=found[limit - 1][1]) if len(found) > limit else None
    return Page([row[0] for row in found[:limit]], end)


class Count(NamedTuple):
    """How many there are, or only that they are that many at least."""

    total: int
    is_least: bool = False


async def count(conn: Connection, wanted: AssetFilter, *, owner: int) -> Count:
    """How many of the owner's assets are wanted; beyond so many that an index tells in milliseconds nobody counts."""
    if structs.replace(wanted, type=None, types=None) == EVERYTHING:
        return Count(await _count_shown(conn, wanted, owner=owner))
    way = walk(wanted, Order(), owner=owner)
    most = MOST_COUNTED if way.is_straight and way.source is ASSETS else MOST_LOOKED_AT
    return await count_along(conn, way, most=most)


async def count_along(conn: Connection, way: Walk, *, most: int) -> Count:
    """How many are found on the way, as far as the most that are counted."""
    statement = SQL("select count(*) from (select from {tables} where {where} limit {limit}) counted")
    composed = statement.format(tables=SQL(way.source.tables), where=way.where, limit=Value(most + 1))
    total = (await ask(conn, composed, way.values))[0][0]
    return Count(min(total, most), total > most)


async def list_few(conn: Connection, way: Walk, *, limit: int) -> list[UUID] | None:
    """All that are found on the way, in no order; None where they are more than the limit."""
    statement = SQL("select a.asset_id from {tables} where {where} limit {limit}")
    composed = statement.format(tables=SQL(way.source.tables), where=way.where, limit=Value(limit + 1))
    found = [row[0] for row in await ask(conn, composed, way.values)]
    return found if len(found) <= limit else None


async def ask(conn: Connection, statement: Composed, values: filters.Values) -> list[Any]:
    """Planned for these values each time: what serves a common camera serves no rare one."""
    return await (await conn.execute(statement, values, prepare=False)).fetchall()


def beyond(order: Order, keys: Sequence[Composable], place: LiteralString, *, is_before: bool = False) -> Composed:
    """What comes after a place, or does not."""
    types = [key.type for key in KEYS[order.by]] + ["uuid"]
    found = SQL(", ").join(SQL(f"%({place}_{number})s::{kind}") for number, kind in enumerate(types))
    signs = ("<=", ">") if order.is_ascending else (">=", "<")
    return SQL(" and ({}) {} ({})").format(SQL(", ").join(keys), SQL(signs[0] if is_before else signs[1]), found)


def places(place: str, keys: Sequence[str]) -> dict[str, str]:
    """The values of a place."""
    return {f"{place}_{number}": key for number, key in enumerate(keys)}


async def _count_shown(conn: Connection, wanted: AssetFilter, *, owner: int) -> int:
    kinds = [
        kind
        for name, kind in filters.KINDS.items()
        if wanted.type in {None, name} and (wanted.types is None or name in wanted.types)
    ]
    cursor = await conn.execute(
        """
        select coalesce(sum(shown), 0)
        from (
            select shown from month_counts where owner_id = %(owner)s and kind = any(%(kinds)s)
            union all
            select shown from day_count_changes where owner_id = %(owner)s and kind = any(%(kinds)s)
        ) counted
        """,
        {"owner": owner, "kinds": kinds},
    )
    return int((await cursor.fetchall())[0][0])
