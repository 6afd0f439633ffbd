"""The SQL of finding assets by words: by what is indexed of texts, season by season, or by looking at few texts."""

from typing import LiteralString
from uuid import UUID

from msgspec import structs
from psycopg.sql import SQL, Composed
from psycopg.sql import Literal as Value

from common.db import Connection
from gateway.filter_schemas import AssetFilter
from gateway.queries import filters, lists, walks
from gateway.queries.lists import Count, Page, Part
from gateway.queries.walks import Order, Source, Walk

FEW = 3000
"""So many texts are looked at one by one in milliseconds."""

# From the newest season that has anything on to older ones, or the other way; what is found in each comes in its order.
SEASONS: LiteralString = """
    with recursive seasons (start) as (
        (
            select date_trunc('quarter', {sort_at})
            from {tables}
            where {along}{beyond_there}
            order by {sort_at} {direction}, {asset_id} {direction}
            limit 1
        )
        union all
        select (
            select date_trunc('quarter', {sort_at})
            from {tables}
            where {along} and {other}
            order by {sort_at} {direction}, {asset_id} {direction}
            limit 1
        )
        from seasons s
        where s.start is not null
    )
    select found.asset_id, found.keys
    from seasons s
    cross join lateral (
        select a.asset_id, array[m.sort_at::text, m.asset_id::text] as keys
        from (
            select x.asset_id, x.sort_at
            from asset_texts x
            where text_grams(x.owner_id, text_season(x.sort_at), x.words)
                  @> sought_grams(%(owner)s, text_season(s.start), %(pieces)s::text[])
              and x.owner_id = %(owner)s
              and x.sort_at >= s.start and x.sort_at < s.start + interval '3 months'
              and {words}{beyond}
            order by x.sort_at {direction}, x.asset_id {direction}
        ) m
        join assets a on a.asset_id = m.asset_id
        where {where}
        order by m.sort_at {direction}, m.asset_id {direction}
        limit {most}
    ) found
    limit {limit} offset {offset}
"""
NEAR_BY = 10
MOST_COUNTED = 1000
MOST_SORTED = 10_000
TEXTS = Source("asset_texts x", "x.sort_at", "x.asset_id")
ORDERS: dict[bool, tuple[LiteralString, LiteralString]] = {
    False: ("desc", "{} < s.start"),
    True: ("asc", "{} >= s.start + interval '3 months'"),
}


async def list_words(conn: Connection, text: str) -> list[str]:
    """The words of a text as they are looked for."""
    cursor = await conn.execute(
        "select string_to_array(trim(regexp_replace(fold_text(%s), '\\s+', ' ', 'g')), ' ')", (text,)
    )
    return list(dict.fromkeys(filter(None, (await cursor.fetchall())[0][0])))


async def list_page(
    conn: Connection, wanted: AssetFilter, words: list[str], order: Order, part: Part, *, owner: int
) -> Page:
    """The owner's assets that are wanted and have all of the words.

    What is common is found near by. Where few are wanted otherwise, these are looked at.
    """
    along = walks.walk(wanted, order, owner=owner)
    if along.is_straight:
        near = await lists.find_near(conn, _having(along, words, None), along, order, part, each=NEAR_BY)
        if near:
            return near
    few = await _few(conn, wanted, words, order, owner=owner)
    if few is None and order.by == "taken":
        statement, values = _seasons(wanted, words, order, part._replace(limit=part.limit + 1), owner=owner)
        return lists.page(await lists.ask(conn, statement, values), order, limit=part.limit)
    return await lists.list_page(conn, _having(along, words, few), order, part)


async def list_texts(conn: Connection, asset_ids: list[UUID]) -> dict[UUID, str]:
    """All that these assets are found by, folded."""
    cursor = await conn.execute("select asset_id, words from asset_texts where asset_id = any(%s)", (asset_ids,))
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def count(conn: Connection, wanted: AssetFilter, words: list[str], *, owner: int) -> Count:
    """How many of the owner's assets are wanted and have all of the words, as far as `MOST_COUNTED`."""
    few = await _few(conn, wanted, words, Order(), owner=owner)
    if few is not None:
        way = _having(walks.walk(wanted, Order(), owner=owner), words, few)
        return await lists.count_along(conn, way, most=MOST_COUNTED)
    statement, values = _seasons(wanted, words, Order(), Part(MOST_COUNTED + 1), owner=owner)
    total = (await lists.ask(conn, SQL("select count(*) from ({}) counted").format(statement), values))[0][0]
    return Count(min(total, MOST_COUNTED), total > MOST_COUNTED)


async def _few(
    conn: Connection, wanted: AssetFilter, words: list[str], order: Order, *, owner: int
) -> list[UUID] | None:
    """All that may be meant, if these are few: by the filter alone, or by the words where seasons are no order."""
    chosen = structs.replace(wanted, filename=None)
    if chosen != AssetFilter():
        found = await lists.list_few(conn, walks.walk(chosen, Order(), owner=owner), limit=FEW)
        if found is not None:
            return found
    if order.by == "taken":
        return None
    statement, values = _seasons(wanted, words, Order(), Part(MOST_SORTED + 1), owner=owner)
    rows = await lists.ask(conn, statement, values)
    return [row[0] for row in rows] if len(rows) <= MOST_SORTED else None


def _having(way: Walk, words: list[str], few: list[UUID] | None) -> Walk:
    # Looked up for each asset on the way, because of the offset: joined, all texts would be read for a few thousand.
    where = SQL("{} and exists (select from asset_texts t where t.asset_id = a.asset_id and {} offset 0)").format(
        way.where, _have("t", words)
    )
    if few is not None:
        where = SQL("a.asset_id = any(%(few)s::uuid[]) and {}").format(where)
    return way._replace(where=where, values=way.values | _values(words) | {"few": few}, is_straight=few is not None)


def _seasons(
    wanted: AssetFilter, words: list[str], order: Order, part: Part, *, owner: int
) -> tuple[Composed, filters.Values]:
    where, values = filters.condition(wanted, owner=owner)
    direction, other = ORDERS[order.is_ascending]
    along = walks.walk(wanted, Order(), owner=owner)
    if not along.is_straight:
        along = along._replace(source=TEXTS, where=SQL("x.owner_id = %(owner)s").format())
    sort_at, asset_id = SQL(along.source.sort_at), SQL(along.source.asset_id)
    statement = SQL(SEASONS).format(
        sort_at=sort_at,
        asset_id=asset_id,
        tables=SQL(along.source.tables),
        along=along.where,
        beyond_there=lists.beyond(order, [sort_at, asset_id], "after") if part.after else SQL(""),
        direction=SQL(direction),
        other=SQL(other).format(sort_at),
        words=_have("x", words),
        where=where,
        beyond=lists.beyond(order, [SQL("x.sort_at"), SQL("x.asset_id")], "after") if part.after else SQL(""),
        most=Value(part.limit + part.offset),
        limit=Value(part.limit),
        offset=Value(part.offset),
    )
    return statement, along.values | values | _values(words) | lists.places(
        "after", part.after.keys if part.after else []
    )


def _have(table: LiteralString, words: list[str]) -> Composed:
    parts = [SQL(f"strpos({table}.words, %(word_{number})s) > 0") for number in range(len(words))]
    return SQL(" and ").join(parts)


def _values(words: list[str]) -> filters.Values:
    return {"pieces": _pieces(words)} | {f"word_{number}": word for number, word in enumerate(words)}


def _pieces(words: list[str]) -> list[str]:
    """Three letters in a row each, and together all of them: what is found by these is compared with the words."""
    starts = ((word, [*range(0, len(word) - 3, 3), max(len(word) - 3, 0)]) for word in words)
    return [word[start : start + 3] for word, places in starts for start in places]
