"""What an owner asks of the trash: all of it or some, checked as a whole before anything is done."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from common import queries as core
from common import trash
from common.db import Connection, Pool
from common.trash import Going
from gateway import audit, counted
from gateway.confirming import Confirmations, purging
from gateway.errors import Conflict, Invalid, NotFound, Unconfirmed
from gateway.policies import Caller
from gateway.queries import trash as queries
from gateway.queries.trash import Total
from gateway.trash_schemas import PurgeRequest, TrashChoice, TrashPurged

ID_BYTES = 16
BATCH = 2000
FEW = 20
MANY = 1000
PART = 0.05


class Restored(NamedTuple):
    """How many assets are back, and which are being purged."""

    assets: int
    going: list[UUID]


async def restore(pool: Pool, asked: TrashChoice, *, owner: int) -> Restored:
    """Take back what is asked for, all but what is being purged; Going when that is all there is."""
    async with pool.connection() as conn:
        chosen = await _choose(conn, asked, owner=owner)
    count, going = 0, list[UUID]()
    lane = int(len(chosen) > FEW * ID_BYTES)
    for batch in _batches(chosen):
        async with pool.connection() as conn:
            back = await trash.take_back_many(conn, batch, owner=owner, lane=lane)
        count += len(back.restored)
        going += back.going
    if going and not count:
        raise Going(f"asset {going[0]} {trash.GOING}")
    return Restored(count, going)


async def purge(pool: Pool, asked: PurgeRequest, confirmations: Confirmations, by: Caller) -> TrashPurged:
    """Have what is asked for go for good; Unconfirmed when that is much and nobody said that they know."""
    owner = by.user.user_id
    async with pool.connection() as conn:
        chosen = await _choose(conn, asked, owner=owner, only_trashed=True)
        total = await _measure(conn, asked, chosen, owner=owner)
        now, of = await core.find_now(conn), await queries.count_assets(conn, owner=owner)
    what = await asyncio.to_thread(purging, chosen, owner)
    token = confirmations.token_for(what, now=now)
    if asked.only_count:
        return TrashPurged(
            count=total.count, bytes=total.bytes, message="send it again with `confirm` to purge them", confirm=token
        )
    is_confirmed = asked.confirm is not None and confirmations.holds_for(asked.confirm, what, now=now)
    if not is_confirmed and (asked.confirm is not None or _is_much(len(chosen) // ID_BYTES, of)):
        raise Unconfirmed(_question(total, was_asked=asked.confirm is not None), token)
    async with pool.connection() as conn:
        await audit.note(conn, "trash purged", by, assets=total.count, bytes=total.bytes)
    for batch in _batches(chosen):
        async with pool.connection() as conn:
            await trash.purge(conn, batch, asked_by=owner, why="asked")
    return TrashPurged(count=total.count, bytes=total.bytes, message="they go for good as soon as possible")


async def _choose(
    conn: Connection, asked: TrashChoice | PurgeRequest, *, owner: int, only_trashed: bool = False
) -> bytes:
    """The ids of the assets that are meant, one behind the other; NotFound when one is not the owner's.

    So nothing is done then; and so a whole library takes sixteen bytes an asset.
    """
    if asked.all == (asked.asset_ids is not None):
        raise Invalid("say either `asset_ids` or `all`")
    if asked.asset_ids is None:
        return await queries.list_all(conn, owner=owner)
    chosen = sorted(set(asked.asset_ids))
    known = {one.asset_id: one.is_trashed for one in await queries.list_known(conn, chosen, owner=owner)}
    for one in chosen:
        if one not in known:
            raise NotFound(f"no asset {one}; nothing was done")
    for one in chosen:
        if only_trashed and not known[one]:
            raise Conflict(f"asset {one} is not in the trash: put it there first; nothing was done")
    return b"".join(one.bytes for one in chosen)


def _is_much(count: int, of: int) -> bool:
    return count > FEW and (count > MANY or count > PART * of)


def _question(total: Total, *, was_asked: bool) -> str:
    what = f"{counted.assets(total.count)} of {total.bytes:,} bytes will go for good"
    why = "that was not confirmed, or too long ago, or for others" if was_asked else "that is much"
    return f"{what}; {why}: send it again with `confirm` if it is meant"


async def _measure(conn: Connection, asked: PurgeRequest, chosen: bytes, *, owner: int) -> Total:
    if asked.all:
        found = await queries.measure_files(conn, owner=owner)
        return Total(count=len(chosen) // ID_BYTES, bytes=found)
    return await queries.measure(conn, [one for batch in _batches(chosen) for one in batch], owner=owner)


def _batches(chosen: bytes) -> Iterator[list[UUID]]:
    for start in range(0, len(chosen), BATCH * ID_BYTES):
        part = chosen[start : start + BATCH * ID_BYTES]
        yield [UUID(bytes=part[at : at + ID_BYTES]) for at in range(0, len(part), ID_BYTES)]
