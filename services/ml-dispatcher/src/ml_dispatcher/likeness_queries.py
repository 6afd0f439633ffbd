"""The SQL of pictures that look alike: what is to be compared, what comes near it, and which pairs are kept."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from common.db import Connection


class Rules(NamedTuple):
    """When two are alike: by their fingerprints if their vectors do not speak against it, or by their vectors alone."""

    bits: int = 6
    disproved_by: float = 0.2
    distance: float = 0.01


async def take_due(conn: Connection, *, limit: int) -> list[UUID]:
    """Take out assets that are to be compared, those that wait longest; they are back if the transaction fails."""
    cursor = await conn.execute(
        """
        delete from likeness_due
        where due_id in (
            select due_id
            from likeness_due
            order by due_id
            limit %s
            for update skip locked
        )
        returning asset_id
        """,
        (limit,),
    )
    return list({row[0] for row in await cursor.fetchall()})


async def walk_on(conn: Connection, *, limit: int) -> list[UUID]:
    """Some of what is to be compared anew because another space counts; it is again if the transaction fails."""
    cursor = await conn.execute(
        """
        with walk as (
            select space_id, walked_to from likeness_walks limit 1 for update skip locked
        ), following as materialized (
            select l.asset_id
            from walk
            cross join lateral (
                select asset_id from likenesses where asset_id > walk.walked_to order by asset_id limit %s
            ) l
        ), moved as (
            update likeness_walks w
            set walked_to = (select asset_id from following order by asset_id desc limit 1)
            from walk
            where w.space_id = walk.space_id and exists (select from following)
        ), ended as (
            delete from likeness_walks w
            using walk
            where w.space_id = walk.space_id and not exists (select from following)
        )
        select asset_id from following
        """,
        (limit,),
    )
    return [row[0] for row in await cursor.fetchall()]


async def list_near_hashes(
    conn: Connection, due: Sequence[UUID], *, bits: int, most: int, most_in_quarter: int
) -> list[tuple[UUID, UUID]]:
    """For each asset the owner's others whose fingerprints differ in so few bits, so many of the nearest at most.

    Those with the same one are met along a chain, and the first of them looks for others on behalf of all.
    """
    cursor = await conn.execute(
        """
        with due as materialized (
            select asset_id, owner_id, hash from likenesses where asset_id = any(%(due)s)
        ), firsts as materialized (
            select asset_id, owner_id, hash
            from due d
            where not exists (
                select
                from likenesses s
                where s.owner_id = d.owner_id and s.hash = d.hash and s.asset_id < d.asset_id
            )
        ), near as (
            select d.asset_id, n.asset_id as other_id, bit_count((d.hash # n.hash)::bit(64)) as bits
            from firsts d
            cross join lateral (
                (select asset_id, hash from likenesses h
                 where h.owner_id = d.owner_id
                   and (h.hash & 65535)::int = any(near_quarters((d.hash & 65535)::int))
                 limit %(most_in_quarter)s)
                union
                (select asset_id, hash from likenesses h
                 where h.owner_id = d.owner_id
                   and (h.hash >> 16 & 65535)::int = any(near_quarters((d.hash >> 16 & 65535)::int))
                 limit %(most_in_quarter)s)
                union
                (select asset_id, hash from likenesses h
                 where h.owner_id = d.owner_id
                   and (h.hash >> 32 & 65535)::int = any(near_quarters((d.hash >> 32 & 65535)::int))
                 limit %(most_in_quarter)s)
                union
                (select asset_id, hash from likenesses h
                 where h.owner_id = d.owner_id
                   and (h.hash >> 48 & 65535)::int = any(near_quarters((d.hash >> 48 & 65535)::int))
                 limit %(most_in_quarter)s)
            ) n
            where n.hash <> d.hash
              and bit_count((d.hash # n.hash)::bit(64)) <= %(bits)s
        )
        select asset_id, other_id
        from (
            select asset_id, other_id,
                   row_number() over (partition by asset_id order by bits, other_id desc) as place
            from near
        ) ranked
        where place <= %(most)s
        union all
        select d.asset_id, n.asset_id
        from due d
        cross join lateral (
            (select asset_id from likenesses s
             where s.owner_id = d.owner_id and s.hash = d.hash and s.asset_id < d.asset_id
             order by asset_id desc
             limit %(most)s / 2)
            union all
            (select asset_id from likenesses s
             where s.owner_id = d.owner_id and s.hash = d.hash and s.asset_id > d.asset_id
             order by asset_id
             limit %(most)s / 2)
        ) n
        """,
        {"due": list(due), "bits": bits, "most": most, "most_in_quarter": most_in_quarter},
    )
    return await cursor.fetchall()


async def list_open_pairs(conn: Connection, due: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """What is said to be like these assets, and was not dismissed."""
    cursor = await conn.execute(
        """
        select asset_id, other_id from likeness_pairs where asset_id = any(%(due)s) and dismissed_at is null
        union
        select asset_id, other_id from likeness_pairs where other_id = any(%(due)s) and dismissed_at is null
        """,
        {"due": list(due)},
    )
    return await cursor.fetchall()


async def hold_assets(conn: Connection, asset_ids: Iterable[UUID]) -> None:
    """None of these assets goes until the transaction ends, and nobody else writes pairs."""
    await conn.execute(
        "select from assets where asset_id = any(%s) order by asset_id for key share", (list(asset_ids),)
    )
    await conn.execute("select pg_advisory_xact_lock(hashtextextended('likeness', 0))")


async def save_pairs(conn: Connection, pairs: Sequence[tuple[UUID, UUID]], rules: Rules) -> None:
    """Measure pairs, the smaller id first, keep those that are alike and forget the others; dismissed ones stay so.

    What a camera wrote in two ways, a raw file and its developed picture or a Live Photo, is no duplicate; nor are two
    films of different length, whatever they begin with.
    """
    await conn.execute(
        """
        with measured as materialized (
            select x.asset_id, y.asset_id as other_id, x.owner_id, m.bits, m.distance,
                   p.kind = q.kind
                   and coalesce(abs(p.duration - q.duration), 0) <= 1
                   and (m.bits <= %(bits)s and coalesce(m.distance, 0) <= %(disproved_by)s
                        or coalesce(m.distance, 1) <= %(distance)s)
                   and not exists (
                       select
                       from stack_keys k
                       join stack_keys l on l.owner_id = k.owner_id and l.kind = k.kind and l.key = k.key
                       where k.asset_id = x.asset_id and l.asset_id = y.asset_id and k.kind in ('live', 'raw')
                   ) as are_alike
            from unnest(%(assets)s::uuid[], %(others)s::uuid[]) given (asset_id, other_id)
            join likenesses x on x.asset_id = given.asset_id
            join likenesses y on y.asset_id = given.other_id and y.owner_id = x.owner_id
            join assets p on p.asset_id = x.asset_id
            join assets q on q.asset_id = y.asset_id
            cross join lateral (
                select bit_count((x.hash # y.hash)::bit(64)) as bits, (
                           select e.vector <=> f.vector
                           from embedding_spaces s
                           join embeddings e on e.space_id = s.space_id and e.frame = 0 and e.asset_id = x.asset_id
                           join embeddings f on f.space_id = s.space_id and f.frame = 0 and f.asset_id = y.asset_id
                           where s.state = 'current'
                       ) as distance
            ) m
        ), unlike as (
            delete from likeness_pairs p
            using measured m
            where p.asset_id = m.asset_id
              and p.other_id = m.other_id
              and p.dismissed_at is null
              and not m.are_alike
        )
        insert into likeness_pairs as p (asset_id, other_id, owner_id, bits, distance)
        select asset_id, other_id, owner_id, bits, distance
        from measured
        where are_alike
        order by asset_id, other_id
        on conflict (asset_id, other_id) do update
        set bits = excluded.bits, distance = excluded.distance
        where (p.bits, p.distance) is distinct from (excluded.bits, excluded.distance)
        """,
        {
            "assets": [asset_id for asset_id, _ in pairs],
            "others": [other_id for _, other_id in pairs],
            **rules._asdict(),
        },
    )
