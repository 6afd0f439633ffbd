"""Has assets processed again: one at once, or many, a few at a time, so that no statement lasts."""

import time
from collections.abc import AsyncIterator
from uuid import UUID

from msgspec import UNSET

from common import outbox
from common.db import Connection, Pool, glance
from common.messages import AssetReopened
from common.readings import VERSION
from gateway import views
from gateway.errors import NotFound
from gateway.queries import reprocess as queries
from gateway.queries.reprocess import Chosen, Window
from gateway.reprocess_schemas import ReprocessFilter, Reprocessing, ReprocessRequest

BATCH = 2000
PATIENCE_SECONDS = 20.0
FIRST = UUID(int=0)
KINDS = {shown: kind for kind, shown in views.TYPES.items()}


async def reopen(conn: Connection, asset_id: UUID, *, owner: int) -> str:
    """Have one of the owner's assets rendered before what nobody waits for; returns where that stands.

    What is running may be at old bytes or old rules, so it is done once more. The lock keeps it from ending meanwhile.
    """
    await queries.add_missing_stage(conn, asset_id, owner=owner)
    state = await queries.lock_rendering(conn, asset_id, owner=owner)
    if state is None:
        raise NotFound(f"no asset {asset_id}")
    if state == "running":
        await queries.render_after_this(conn, asset_id)
    else:
        await queries.render_now(conn, asset_id)
    await outbox.add(conn, AssetReopened(owner_id=owner, asset_id=asset_id))
    return state if state in {"running", "blocked"} else "pending"


async def queue(pool: Pool, asked: ReprocessRequest, *, owner: int | None) -> tuple[int, UUID | None]:
    """Make due what is asked for; how many were not yet, and where it goes on if there was no time for all."""
    began, chosen, queued = time.monotonic(), _chosen(asked.filter), 0
    async for window in _windows(pool, asked, owner=owner):
        async with glance(pool) as conn:
            queued += await queries.reopen_many(conn, window.assets, asked.scope, chosen, owner=owner, version=VERSION)
        if time.monotonic() - began > PATIENCE_SECONDS:
            return queued, window.end
    return queued, None


def told(queued: int, end: UUID | None) -> Reprocessing:
    """The answer to whoever asked."""
    message = "they start within 20 s, when a worker is free" if queued else "nothing of this is to be done"
    if end is not None:
        message = "there are more: ask again, with `next` as `after`"
    return Reprocessing(queued=queued, message=message, next=UNSET if end is None else end)


async def _windows(pool: Pool, asked: ReprocessRequest, *, owner: int | None) -> AsyncIterator[Window]:
    """The assets to look at, a few at a time, by their ids."""
    after = asked.after or FIRST
    if asked.filter.ids is not None:
        ids = sorted(one for one in set(asked.filter.ids) if one > after)
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            yield Window(assets=part, end=part[-1])
        return
    while True:
        async with glance(pool) as conn:
            window = await queries.next_window(conn, owner=owner, after=after, limit=BATCH)
        if window.end is None:
            return
        yield window
        after = window.end


def _chosen(wanted: ReprocessFilter) -> Chosen:
    return Chosen(
        repository=wanted.repository_id,
        kind=None if wanted.type is None else KINDS[wanted.type],
        mime_types=wanted.mime_types,
        taken_from=wanted.taken_from,
        taken_to=wanted.taken_to,
        uploaded_from=wanted.uploaded_from,
        uploaded_to=wanted.uploaded_to,
    )
