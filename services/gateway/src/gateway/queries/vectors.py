"""The SQL of what is near in an embedding space: an owner's assets by how much their vectors are like another one.

An owner of many has an index of their own, which is asked first. It tells the nearest without looking at all, but knows
no filter; so where it leaves too few of what is wanted, and for everybody else, all that is wanted is compared.
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Struct
from psycopg.sql import SQL, Composable, Composed
from psycopg.sql import Literal as Value

from common.db import Connection, struct_row
from gateway.filter_schemas import AssetFilter
from gateway.queries import filters, lists, walks
from gateway.queries.walks import EVERYTHING, Order

DEPTHS = {40: 200, 100: 500, 250: 1000, 500: 2000, 1000: 5000}
"""For so many that are wanted, so many of the nearest an index is asked: it misses some, but mostly of the last.

They are a few, so that the pages of a list are cut from one and the same. Behind a filter it is asked for more.
"""
ENOUGH = 3
"""Of what was asked for, so many times as many as are needed are to be what is wanted."""
MOST_AT_ONCE = 1000
"""What an index tells beyond so many it finds by going on from there."""
FEW = 20_000
"""So many are compared faster than an index finds those that it takes to have enough of them."""
FRAMES = 9
"""The most vectors that one asset has."""

# The cast is that of the index: both must read the same.
NEAR: LiteralString = """
    with near as materialized (
        select asset_id, vector::halfvec({dimension}) <=> %(vector)s::halfvec({dimension}) as distance
        from embeddings
        where space_id = {space}
          and owner_id = {owner}
        order by vector::halfvec({dimension}) <=> %(vector)s::halfvec({dimension})
        limit {depth}
    )
    select asset_id, distance, count(*) over ()
    from (select asset_id, min(distance) as distance from near group by asset_id) pooled
    join assets a using (asset_id)
    where {where}
    order by distance, asset_id
    limit {limit} offset {offset}
"""
# Without the cast, so that no index is taken for the order: behind a filter it would give up before it has enough.
ALL: LiteralString = """
    with near as materialized (
        select e.asset_id, e.vector <=> %(vector)s::halfvec({dimension}) as distance
        from {tables}
        join embeddings e on e.asset_id = {asset_id}
        where {where}
          and e.space_id = {space}
          and e.owner_id = {owner}
        order by distance, e.asset_id
        limit {depth}
    )
    select asset_id, min(distance) as distance
    from near
    group by asset_id
    order by distance, asset_id
    limit {limit} offset {offset}
"""


class Space(Struct, frozen=True, kw_only=True):
    """A model and its dimension: what is comparable with each other."""

    space_id: int
    dimension: int
    model: str


async def find_current_space(conn: Connection) -> Space | None:
    """The space in which is searched; None as long as no server has told what pictures show."""
    async with conn.cursor(row_factory=struct_row(Space)) as cursor:
        await cursor.execute("select space_id, dimension, model from embedding_spaces where state = 'current'")
        return await cursor.fetchone()


async def find_vector(conn: Connection, asset_id: UUID, space: Space) -> list[float] | None:
    """What an asset shows, a film in the mean of its frames; None while nobody has looked at it."""
    cursor = await conn.execute(
        "select avg(vector)::text from embeddings where asset_id = %s and space_id = %s", (asset_id, space.space_id)
    )
    text = (await cursor.fetchall())[0][0]
    return None if text is None else msgspec.json.decode(text, type=list[float])


async def nearest(
    conn: Connection,
    space: Space,
    vector: Sequence[float],
    wanted: AssetFilter,
    *,
    owner: int,
    limit: int,
    offset: int = 0,
) -> list[tuple[UUID, float]]:
    """The owner's assets that are wanted, nearest first, with their cosine distance: 0 is the same, 2 the opposite.

    An asset is as near as the nearest of its frames; equally near ones come in the order of their ids.
    """
    asked = Asked(space, f"[{','.join(map(str, vector))}]", wanted, owner, limit, offset)
    async with conn.transaction():
        found = await _near(conn, asked)
        return found if found is not None else await lists.ask(conn, *all_of(asked))


class Asked(NamedTuple):
    """A question for what is nearest."""

    space: Space
    vector: str
    wanted: AssetFilter
    owner: int
    limit: int
    offset: int

    @property
    def end(self) -> int:
        """So many nearest ones are to be known."""
        return self.offset + self.limit

    def written(self, text: LiteralString, **parts: Composable) -> Composed:
        """A statement about this; what partial indexes are made for stands in it word for word."""
        return SQL(text).format(
            space=Value(self.space.space_id),
            dimension=Value(self.space.dimension),
            owner=Value(self.owner),
            limit=Value(self.limit),
            offset=Value(self.offset),
            **parts,
        )


async def _near(conn: Connection, asked: Asked) -> list[tuple[UUID, float]] | None:
    """By the owner's index; None where there is none, or where comparing all that is wanted is faster or surer."""
    depths = [depth for most, depth in DEPTHS.items() if most >= asked.end]
    if asked.wanted != EVERYTHING:
        depths = depths[1:] or depths
    for depth in dict.fromkeys([*depths[:1], *depths[-1:]]):
        if not await _look_so_deep(conn, asked, depth):
            return None
        found = await _among(conn, asked, depth)
        if found is not None or await _are_few(conn, asked):
            return found
    return None


async def _look_so_deep(conn: Connection, asked: Asked, depth: int) -> bool:
    """Whether the owner has an index that is whole; then the transaction's next statements find so many by it."""
    cursor = await conn.execute(
        """
        select set_config('hnsw.ef_search', %(breadth)s::text, true),
               set_config('hnsw.iterative_scan', 'relaxed_order', true),
               set_config('hnsw.max_scan_tuples', %(most)s::text, true),
               set_config('hnsw.scan_mem_multiplier', '8', true)
        from pg_index
        where indexrelid = to_regclass(%(name)s)
          and indisvalid
        """,
        {
            "name": f"embeddings_hnsw_{asked.space.space_id}_{asked.owner}",
            "breadth": min(depth, MOST_AT_ONCE),
            "most": 4 * depth,
        },
    )
    return bool(await cursor.fetchall())


async def _among(conn: Connection, asked: Asked, depth: int) -> list[tuple[UUID, float]] | None:
    """The page among so many nearest ones; None where too few are wanted to be sure of them."""
    found = await lists.ask(conn, *near(asked, depth))
    if not found or found[0][2] < ENOUGH * asked.end:
        return None
    return [(asset_id, distance) for asset_id, distance, _ in found]


async def _are_few(conn: Connection, asked: Asked) -> bool:
    counted = await lists.count_along(conn, walks.walk(asked.wanted, Order(), owner=asked.owner), most=FEW)
    return not counted.is_least


def near(asked: Asked, depth: int) -> tuple[Composed, filters.Values]:
    """The statement that has the page among so many nearest ones, and its values."""
    where, values = filters.condition(asked.wanted, owner=asked.owner)
    return asked.written(NEAR, depth=Value(depth), where=where), values | {"vector": asked.vector}


def all_of(asked: Asked) -> tuple[Composed, filters.Values]:
    """The statement that compares all that is wanted, and its values."""
    way = walks.walk(asked.wanted, Order(), owner=asked.owner)
    statement = asked.written(
        ALL,
        tables=SQL(way.source.tables),
        asset_id=SQL(way.source.asset_id),
        where=way.where,
        depth=Value(FRAMES * asked.end),
    )
    return statement, way.values | {"vector": asked.vector}
