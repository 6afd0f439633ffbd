"""The SQL of names: what an owner's tags, labels and cameras are called, and what was taken by some of the cameras."""

from uuid import UUID

from psycopg.sql import SQL

from common.db import Connection
from gateway.filter_schemas import AssetFilter
from gateway.queries import filters, lists
from gateway.queries.lists import PAGE, Part
from gateway.queries.walks import ASSETS, Order, Walk

MOST_NAMES = 2000


async def list_tags(conn: Connection, *, owner: int) -> list[str]:
    """The owner's tags."""
    cursor = await conn.execute("select path from tags where owner_id = %s order by path limit %s", (owner, MOST_NAMES))
    return [row[0] for row in await cursor.fetchall()]


async def list_labels(conn: Connection, *, owner: int) -> list[str]:
    """The labels that any of the owner's assets has: the index is asked for its next one again and again."""
    cursor = await conn.execute(
        """
        with recursive found (label) as (
            (select label from labels where owner_id = %(owner)s order by label limit 1)
            union all
            select (
                select l.label
                from labels l
                where l.owner_id = %(owner)s and l.label > found.label
                order by l.label
                limit 1
            )
            from found
            where found.label is not null
        )
        select label from found where label is not null limit %(most)s
        """,
        {"owner": owner, "most": MOST_NAMES},
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_by_cameras(
    conn: Connection, wanted: AssetFilter, cameras: list[str], *, owner: int, limit: int
) -> list[UUID]:
    """The owner's newest assets that are wanted and were taken by cameras of these makes or names."""
    where, values = filters.condition(wanted, owner=owner)
    taken = SQL("{} and (a.camera_make = any(%(cameras)s) or a.camera = any(%(cameras)s))").format(where)
    way = Walk(ASSETS, filters.scope(wanted), taken, values | {"cameras": cameras}, is_straight=True)
    rows = await lists.ask(conn, lists.written(PAGE, way, Order(), Part(limit - 1)), way.values)
    return [row[0] for row in rows]
