"""The SQL of what there is to choose by: indexes are asked for their next value, so many assets cost what few do."""

from datetime import datetime
from typing import LiteralString

from msgspec import Struct
from psycopg.sql import SQL, Composed, Identifier
from psycopg.sql import Literal as Value

from common.db import Connection, struct_row

MOST_VALUES = 500
FACETS: dict[str, LiteralString] = {
    "camera_makes": "camera_make",
    "cameras": "camera",
    "lenses": "lens",
    "countries": "country",
    "regions": "region",
    "cities": "city",
}
VALUES = """
    (
        with recursive found (value) as (
            (
                select {column}
                from assets
                where owner_id = %(owner)s and is_shown and {column} is not null
                order by {column}
                limit 1
            )
            union all
            select (
                select a.{column}
                from assets a
                where a.owner_id = %(owner)s and a.is_shown and a.{column} > found.value
                order by a.{column}
                limit 1
            )
            from found
            where found.value is not null
        )
        select coalesce(array_agg(value), '{{}}')
        from (select value from found where value is not null limit {most}) told
    )
"""


class Ends(Struct, frozen=True, kw_only=True):
    """The least and the greatest that there is; null where there is none."""

    iso_from: int | None
    iso_to: int | None
    taken_from: datetime | None
    taken_to: datetime | None


async def list_values(conn: Connection, *, owner: int, most: int = MOST_VALUES + 1) -> dict[str, list[str]]:
    """What the owner's shown assets have of each facet, in order; so many at most."""
    rows = await (await conn.execute(SQL("select {}").format(_all(most)), {"owner": owner})).fetchall()
    return dict(zip(FACETS, rows[0], strict=True))


def _all(most: int) -> Composed:
    shapes = (SQL(VALUES).format(column=Identifier(column), most=Value(most)) for column in FACETS.values())
    return SQL(", ").join(shapes)


async def find_ends(conn: Connection, *, owner: int) -> Ends:
    """Between which numbers and times the owner's shown assets lie."""
    async with conn.cursor(row_factory=struct_row(Ends)) as cursor:
        await cursor.execute(
            """
            select (
                       select min(iso) from assets where owner_id = %(owner)s and is_shown and iso is not null
                   ) as iso_from,
                   (
                       select max(iso) from assets where owner_id = %(owner)s and is_shown and iso is not null
                   ) as iso_to,
                   (select min(sort_at) from assets where owner_id = %(owner)s and is_shown) as taken_from,
                   (select max(sort_at) from assets where owner_id = %(owner)s and is_shown) as taken_to
            """,
            {"owner": owner},
        )
        return (await cursor.fetchall())[0]


async def list_ratings(conn: Connection, *, owner: int) -> list[int]:
    """The numbers of stars that any of the owner's shown assets has, the fewest first; 0 are none."""
    cursor = await conn.execute(
        """
        select stars
        from generate_series(0, 5) stars
        where exists (
            select
            from assets
            where owner_id = %(owner)s and is_shown and coalesce(rating, 0::smallint) = stars::smallint
        )
        order by stars
        """,
        {"owner": owner},
    )
    return [row[0] for row in await cursor.fetchall()]
