"""Throwing away and purging, as tests do it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from nats.aio.client import Client

from common import stages, streams, trash
from common.bus import Bus
from common.db import Pool
from common.outbox import Relay
from common.settings import Settings
from common.stages import Stage
from common.worker import Worker
from ingest.handlers import Ingest
from ingest.purge import Purge
from tests.support.given import User
from tests.support.placing import place_all
from tests.support.rows import ask, claim_next


async def throw(pool: Pool, user: User, *assets: UUID) -> None:
    """Put assets into the trash, and have their files moved there."""
    for asset in assets:
        async with pool.connection() as conn:
            await trash.put(conn, asset, owner=user.user_id)
    await place_all(pool, Ingest(pool))


async def wish(pool: Pool, *assets: UUID, by: int | None = None) -> int:
    """Wish that assets go for good."""
    async with pool.connection() as conn:
        return await trash.purge(conn, assets, asked_by=by, why="asked" if by else "expired")


async def purge_all(pool: Pool) -> None:
    """Purge whatever is due."""
    while (found := await claim_next(pool, Stage.PURGE)) is not None:
        await Purge(pool).purge(found)


async def work_off(pool: Pool) -> list[str]:
    """Purge whatever is due as a worker does; the outcomes, in words."""
    outcomes = []
    worker = idle(pool, Purge(pool).purge)
    while (found := await claim_next(pool, Stage.PURGE)) is not None:
        outcomes.append(await worker._attempt(found))
    return outcomes


def idle(pool: Pool, work: Callable[[stages.Claim], Awaitable[None]]) -> Worker:
    """A worker of the purge stage that does not run."""
    bus = Bus(client := Client(), client.jetstream())
    config = Settings(database_url="", nats_url="")
    return Worker(pool, bus, Relay(pool, bus, 60), config, streams.PURGE, Stage.PURGE, work, 1)


async def told(pool: Pool, subject: str = "lumilio.asset.purged") -> int:
    """How often an event was announced."""
    return len([one for one in await ask(pool, "select subject from outbox") if one == subject])
