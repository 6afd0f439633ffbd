"""The SQL of what lies near in the space that counts: whose vectors are compared in time, and which come close."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from psycopg.rows import class_row
from psycopg.sql import SQL, Literal

from common.db import Connection


class Comparable(NamedTuple):
    """An owner whose vectors are compared in time, and whether an index has them."""

    owner_id: int
    has_index: bool


class Space(NamedTuple):
    """The vectors that are compared, and how long each of them is."""

    space_id: int
    dimension: int


async def find_space(conn: Connection) -> Space | None:
    """The space whose vectors count, if there is any."""
    cursor = await conn.execute("select space_id, dimension from embedding_spaces where state = 'current'")
    row = await cursor.fetchone()
    return Space(*row) if row else None


async def list_comparable(conn: Connection, due: Sequence[UUID], space: Space, *, most: int) -> list[Comparable]:
    """The owners of these assets whose vectors are compared in time: not too many of them, or an index has them."""
    async with conn.cursor(row_factory=class_row(Comparable)) as cursor:
        await cursor.execute(
            """
            select owner_id, has_index
            from (select distinct owner_id from likenesses where asset_id = any(%(due)s)) owners
            cross join lateral (
                select exists (
                           select
                           from pg_index
                           where indexrelid = to_regclass('embeddings_hnsw_' || %(space)s::int || '_' || owner_id)
                             and indisvalid
                       ) as has_index
            ) indexed
            where has_index or (
                   select count(*)
                   from (
                       select
                       from embeddings e
                       where e.owner_id = owners.owner_id and e.space_id = %(space)s
                       limit %(most)s + 1
                   ) counted
               ) <= %(most)s
            """,
            {"due": list(due), "space": space.space_id, "most": most},
        )
        return await cursor.fetchall()


async def list_near_few(
    conn: Connection, due: Sequence[UUID], space: Space, *, owner: int, distance: float, most: int
) -> list[tuple[UUID, UUID]]:
    """For each of an owner's assets those others whose vectors are so near, so many of the nearest at most.

    All of the owner's are read once, and each is compared with what is due: that takes half as long as one by one.
    """
    cursor = await conn.execute(
        """
        with due as materialized (
            select asset_id, vector
            from embeddings
            where asset_id = any(%(due)s) and space_id = %(space)s and frame = 0 and owner_id = %(owner)s
        )
        select asset_id, other_id
        from (
            select d.asset_id, e.asset_id as other_id,
                   row_number() over (partition by d.asset_id order by e.vector <=> d.vector) as place
            from embeddings e
            join due d on (e.vector <=> d.vector) <= %(distance)s and e.asset_id <> d.asset_id
            where e.space_id = %(space)s and e.owner_id = %(owner)s and e.frame = 0
        ) near
        where place <= %(most)s
        """,
        {"due": list(due), "space": space.space_id, "owner": owner, "distance": distance, "most": most},
    )
    return await cursor.fetchall()


async def list_near_indexed(
    conn: Connection, due: Sequence[UUID], space: Space, *, owner: int, distance: float, most: int
) -> list[tuple[UUID, UUID]]:
    """For each of an owner's assets those others whose vectors are so near, so many of the nearest at most.

    Owner and space stand in the statement itself, so that an index of theirs serves it.
    """
    vectors = SQL("vector::halfvec({})").format(Literal(space.dimension))
    statement = SQL(
        """
        select d.asset_id, n.asset_id
        from (
            select asset_id, {vectors} as vector
            from embeddings
            where asset_id = any(%(due)s) and space_id = {space} and frame = 0 and owner_id = {owner}
        ) d
        cross join lateral (
            select asset_id, ({vectors}) <=> d.vector as distance
            from embeddings
            where space_id = {space} and owner_id = {owner}
            order by ({vectors}) <=> d.vector
            limit %(most)s
        ) n
        where n.asset_id <> d.asset_id
          and n.distance <= %(distance)s
        """
    ).format(vectors=vectors, space=Literal(space.space_id), owner=Literal(owner))
    values = {"due": list(due), "most": most + 1, "distance": distance}
    cursor = await conn.execute(statement, values, prepare=False)
    return await cursor.fetchall()
