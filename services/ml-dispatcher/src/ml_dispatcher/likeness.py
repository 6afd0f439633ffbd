"""Finds pictures that look alike, as soon as they are known and whether or not any model looks at them."""

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import TypeAlias
from uuid import UUID

from common.db import Connection, Pool
from ml_dispatcher import likeness_queries as queries
from ml_dispatcher import near_queries, turns
from ml_dispatcher.likeness_queries import Rules

BATCH = 200
MOST = 16
"""So many are kept as like one at a time; what is like thousands is found along them."""
MOST_IN_QUARTER = 4000
MOST_EXACT = 10_000
RULES = Rules()

Pair: TypeAlias = tuple[UUID, UUID]


async def run(pool: Pool, stop: asyncio.Event, *, idle_seconds: float) -> None:
    """Compare what is due until told to stop."""
    await turns.run(partial(compare, pool), stop, what="likeness", most=BATCH, idle_seconds=idle_seconds)


async def compare(pool: Pool, limit: int = BATCH) -> int:
    """Compare some of what is due with all others of the same owners; returns how many assets that were.

    It is one transaction, so what breaks off is due again.
    """
    async with pool.connection() as conn:
        due = await queries.take_due(conn, limit=limit) or await queries.walk_on(conn, limit=limit)
        pairs = await _find(conn, due) if due else []
        if pairs:
            await queries.hold_assets(conn, set(chain.from_iterable(pairs)))
            await queries.save_pairs(conn, pairs, RULES)
    return len(due)


async def _find(conn: Connection, due: Sequence[UUID]) -> list[Pair]:
    """What may be like these assets, each pair once and the smaller id first."""
    found = await queries.list_near_hashes(
        conn, due, bits=RULES.bits, most=MOST, most_in_quarter=MOST_IN_QUARTER
    ) + await queries.list_open_pairs(conn, due)
    if (space := await near_queries.find_space(conn)) is not None:
        for owner, has_index in await near_queries.list_comparable(conn, due, space, most=MOST_EXACT):
            near = near_queries.list_near_indexed if has_index else near_queries.list_near_few
            found += await near(conn, due, space, owner=owner, distance=RULES.distance, most=MOST)
    return sorted({(min(pair), max(pair)) for pair in found})
