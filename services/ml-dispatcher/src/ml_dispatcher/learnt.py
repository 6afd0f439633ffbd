"""Learns labels that people taught by a few pictures, and says them of all others, also of those to come."""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import psycopg

from common import log, streams
from common.bus import Doorbell
from common.db import Connection, Pool, glance
from common.process import Core
from common.stages import Wait
from ml_dispatcher import label_queries, learning, turns
from ml_dispatcher import learnt_queries as queries
from ml_dispatcher.label_queries import LEARNT, Said
from ml_dispatcher.learnt_queries import Claim, Seen, Taught

LEASE_SECONDS = 60.0
WAITING_SECONDS = 30.0
LEAST = 5
"""So few examples must have been looked at, and so few others."""
OTHERS = 1000
MANY = 20_000
PART_OF_MANY = 10.0
BATCH = 2000
DUE = 500
SURE = 0.5


class Lost(Exception):
    """Somebody else has it by now, or it is to be learnt anew."""


async def run(core: Core, stop: asyncio.Event, *, idle_seconds: float) -> None:
    """Learn until told to stop; any number of dispatchers may do so at once, and an outage only delays it."""
    look = partial(_learn_all, core.pool, stop, idle_seconds)
    await Doorbell(core.bus, streams.LEARN).follow(look, stop)


async def _learn_all(pool: Pool, stop: asyncio.Event, idle_seconds: float) -> float:
    try:
        while not stop.is_set() and await learn_next(pool, stop):
            pass
    except psycopg.Error as error:
        log.get().warning("learning delayed", error=str(error).strip())
        return 1.0
    return idle_seconds


async def learn_next(pool: Pool, stop: asyncio.Event) -> bool:
    """Learn what is due and say it of all that there is, or of some when told to stop; False when nothing was due.

    Whoever stops is followed at once by another one where they stood; whoever breaks off, when the lease is over.
    """
    async with glance(pool) as conn:
        claim = await queries.claim(conn, lease_seconds=LEASE_SECONDS)
    if claim is None:
        return False
    try:
        taught = await _learn(pool, claim)
        while not stop.is_set() and await _apply_some(pool, claim, taught):
            pass
        async with glance(pool) as conn:
            await queries.give_back(conn, claim)
    except Lost:
        pass
    except Wait as reason:
        async with glance(pool) as conn:
            await queries.put_off(conn, claim, str(reason), seconds=reason.after)
    except (ArithmeticError, ValueError) as error:
        log.get().exception("label not learnt", label=claim.label_id)
        async with glance(pool) as conn:
            await queries.give_up(conn, claim, f"nothing can be learnt of these examples: {error}")
    return True


async def follow(pool: Pool, stop: asyncio.Event, *, idle_seconds: float) -> None:
    """Say what was learnt of new pictures until told to stop."""
    await turns.run(partial(apply_due, pool), stop, what="labelling", most=DUE, idle_seconds=idle_seconds)


async def apply_due(pool: Pool, limit: int = DUE) -> int:
    """Say what was learnt of some assets with new vectors, in one transaction; returns how many assets that were."""
    async with pool.connection() as conn:
        due = await queries.take_due(conn, limit=limit)
        wanted = await queries.list_taught(conn, due) if due else []
        if wanted:  # all at once, for whoever holds several does so in the order of their ids
            await queries.hold_assets(conn, due)
        for taught in wanted:
            found = await queries.list_vectors(conn, due, owner=taught.owner_id, space=taught.space_id)
            await _say(conn, taught, found)
    return len(due)


async def _learn(pool: Pool, claim: Claim) -> Taught:
    """What is to be said: learnt before, or now; Wait where there is nothing yet to learn from."""
    if claim.space_id is None or claim.model is None:
        raise Wait("no model has looked at any picture so far: that takes an inference server", after=WAITING_SECONDS)
    weights = claim.lesson or await _lesson(pool, claim)
    return Taught(
        label_id=claim.label_id,
        owner_id=claim.owner_id,
        label=claim.label,
        space_id=claim.space_id,
        model=claim.model,
        weights=weights,
    )


async def _lesson(pool: Pool, claim: Claim) -> bytes:
    async with pool.connection() as conn:
        examples = await queries.list_examples(conn, claim)
        total = await queries.count_vectors(conn, claim)
        others = await _pick_others(conn, claim, total)
    shown = [one.vector for one in examples if one.shows_it]
    if len(shown) < LEAST or len(others) < LEAST:
        looked_at = f"{len(shown)} of its examples and {len(others)} other pictures have been looked at"
        raise Wait(f"{looked_at}: {LEAST} of each are needed", after=WAITING_SECONDS)
    counters = [one.vector for one in examples if not one.shows_it]
    weights = await asyncio.to_thread(_learnt, shown, counters, others)
    async with glance(pool) as conn:
        if not await queries.save_lesson(conn, claim, weights, total=total, lease_seconds=LEASE_SECONDS):
            raise Lost
    return weights


async def _pick_others(conn: Connection, claim: Claim, total: int) -> list[bytes]:
    if total > MANY:
        return await queries.pick_of_many(conn, claim, most=OTHERS, percent=PART_OF_MANY)
    return await queries.pick_few(conn, claim, most=OTHERS)


def _learnt(shown: list[bytes], counters: list[bytes], others: list[bytes]) -> bytes:
    examples = learning.read(shown)
    return learning.learn(examples, learning.read(counters) if counters else examples[:0], learning.read(others))


async def _apply_some(pool: Pool, claim: Claim, taught: Taught) -> bool:
    """Say it of the next assets; False when it is said of all."""
    async with pool.connection() as conn:
        found = _whole(await queries.list_following(conn, claim, most=BATCH))
        if not found:
            await queries.mark_ready(conn, claim)
            return False
        to = found[-1].asset_id
        if not await queries.mark_applied(conn, claim, to, count=len(found), lease_seconds=LEASE_SECONDS):
            raise Lost
        await _say(conn, taught, found)
    return True


def _whole(found: list[Seen]) -> list[Seen]:
    """Without the last asset, of which more frames may follow, where there may be more."""
    if len(found) < BATCH:
        return found
    return [one for one in found if one.asset_id != found[-1].asset_id]


async def _say(conn: Connection, taught: Taught, found: Sequence[Seen]) -> None:
    """Say it of those assets that show it in any frame, and of no other; what a person said of one goes before."""
    if not found:
        return
    told = await queries.list_told(conn, taught.label_id, list({one.asset_id for one in found}))
    sure = _sure(taught, found) | {asset_id: float(shows_it) for asset_id, shows_it in told.items()}
    meant = [Said(asset_id, taught.label, score) for asset_id, score in sorted(sure.items()) if score >= SURE]
    await queries.hold_assets(conn, sure)
    await label_queries.take_back_learnt(conn, taught.label, list(sure), owner=taught.owner_id)
    await label_queries.say(conn, meant, owner=taught.owner_id, source=LEARNT, model=taught.model)


def _sure(taught: Taught, found: Sequence[Seen]) -> dict[UUID, float]:
    """How sure one is of each asset: as of its surest frame."""
    scores = learning.scores(taught.weights, learning.read([one.vector for one in found])).tolist()
    sure: dict[UUID, float] = {}
    for one, score in zip(found, scores, strict=True):
        sure[one.asset_id] = max(score, sure.get(one.asset_id, 0.0))
    return sure
