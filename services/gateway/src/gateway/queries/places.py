"""The SQL of the map: how many assets lie in each square, and those of a box one by one."""

from uuid import UUID

from msgspec import Struct
from psycopg.sql import SQL

from common.db import Connection, struct_row
from gateway import map_squares
from gateway.filter_schemas import AssetFilter, Box
from gateway.map_squares import Squares
from gateway.queries import filters


class Cluster(Struct, frozen=True, kw_only=True):
    """Pictures that lie close together at some zoom: how many, the middle of them, and one of them.

    Of a single picture that is the picture itself and where it was taken.
    """

    count: int
    latitude: float
    longitude: float
    asset_id: UUID


class Place(Struct, frozen=True, kw_only=True):
    """An asset and where it was taken; `cell` is that as one number."""

    asset_id: UUID
    latitude: float
    longitude: float
    cell: int


class Cursor(Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page of places ended."""

    cell: int
    asset_id: UUID


async def list_clusters(conn: Connection, squares: Squares, *, owner: int) -> list[Cluster]:
    """What the owner's lists show of each square that has anything; each is a walk along the index of places."""
    async with conn.cursor(row_factory=struct_row(Cluster)) as cursor:
        await cursor.execute(
            """
            select s.count, s.latitude, s.longitude, s.asset_id
            from unnest(%(cells)s::bigint[]) with ordinality c (cell, position)
            cross join lateral (
                select count(*)::int as count, avg(a.latitude) as latitude, avg(a.longitude) as longitude,
                       any_value(a.asset_id) as asset_id
                from assets a
                where a.owner_id = %(owner)s
                  and a.is_shown
                  and a.latitude is not null
                  and a.longitude is not null
                  and map_cell(a.latitude, a.longitude) >= c.cell
                  and map_cell(a.latitude, a.longitude) < c.cell + %(span)s
            ) s
            where s.count > 0
            order by c.position
            """,
            {"owner": owner, "cells": squares.cells, "span": squares.span},
        )
        return await cursor.fetchall()


async def count_clusters(conn: Connection, wanted: AssetFilter, squares: Squares, *, owner: int) -> list[Cluster]:
    """The same of the owner's assets that a filter wants, found by whatever index serves it best."""
    where, values = filters.condition(wanted, owner=owner)
    statement = SQL(
        """
        select count(*)::int as count, avg(a.latitude) as latitude, avg(a.longitude) as longitude,
               any_value(a.asset_id) as asset_id
        from assets a
        where {where}
          and a.latitude is not null
          and a.longitude is not null
          and map_cell(a.latitude, a.longitude) - map_cell(a.latitude, a.longitude) %% %(span)s::bigint
              = any(%(cells)s::bigint[])
        group by map_cell(a.latitude, a.longitude) - map_cell(a.latitude, a.longitude) %% %(span)s::bigint
        order by map_cell(a.latitude, a.longitude) - map_cell(a.latitude, a.longitude) %% %(span)s::bigint
        """
    )
    async with conn.cursor(row_factory=struct_row(Cluster)) as cursor:
        bounds = {"cells": squares.cells, "span": squares.span}
        await cursor.execute(statement.format(where=where), values | bounds, prepare=False)
        return await cursor.fetchall()


async def list_places(
    conn: Connection, box: Box, squares: Squares, *, owner: int, after: Cursor | None, limit: int
) -> list[Place]:
    """What the owner's lists show in a box, after the cursor; no more than a page is read of each stretch of it."""
    place = after or Cursor(cell=-1, asset_id=UUID(int=0))
    bounds = {"west": box.west, "south": box.south, "east": box.east, "north": box.north}
    ahead = [stretch for stretch in map_squares.stretches(squares) if stretch[1] > place.cell]
    async with conn.cursor(row_factory=struct_row(Place)) as cursor:
        await cursor.execute(
            """
            select p.asset_id, p.latitude, p.longitude, p.cell
            from unnest(%(begins)s::bigint[], %(ends)s::bigint[]) s (begins, ends)
            cross join lateral (
                select a.asset_id, a.latitude, a.longitude, map_cell(a.latitude, a.longitude) as cell
                from assets a
                where a.owner_id = %(owner)s
                  and a.is_shown
                  and a.latitude is not null
                  and a.longitude is not null
                  and map_cell(a.latitude, a.longitude) >= s.begins
                  and map_cell(a.latitude, a.longitude) < s.ends
                  and (map_cell(a.latitude, a.longitude), a.asset_id) > (%(after)s, %(asset_id)s)
                  and a.latitude between %(south)s and %(north)s
                  and case when %(west)s::float8 > %(east)s::float8
                           then a.longitude >= %(west)s or a.longitude <= %(east)s
                           else a.longitude between %(west)s and %(east)s end
                order by map_cell(a.latitude, a.longitude), a.asset_id
                limit %(limit)s
            ) p
            order by p.cell, p.asset_id
            limit %(limit)s
            """,
            {
                **bounds,
                "owner": owner,
                "begins": [begin for begin, _ in ahead],
                "ends": [end for _, end in ahead],
                "after": place.cell,
                "asset_id": place.asset_id,
                "limit": limit,
            },
        )
        return await cursor.fetchall()
