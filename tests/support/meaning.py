"""The work of ml-dispatcher in this process, with short waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from common.bus import Bus
from common.db import Pool
from common.health import Health
from common.outbox import Relay
from common.process import Core
from common.settings import Settings
from ml_dispatcher import servers
from ml_dispatcher.keeping import Keeping
from ml_dispatcher.staff import Staff
from tests.support import placing, thumbs
from tests.support.given import Repository, User
from tests.support.inference import Fake


@asynccontextmanager
async def staffed(
    pool: Pool, bus: Bus, *fakes: Fake, lease_seconds: float = 30, poll_seconds: float = 0.2
) -> AsyncIterator[Staff]:
    """Stages of meaning are worked off by these servers, until the end."""
    relay = Relay(pool, bus, 0.2)
    core = Core(pool, bus, relay, Health(pool, bus))
    config = Settings(
        database_url="", nats_url="", lease_seconds=lease_seconds, poll_seconds=poll_seconds, stop_seconds=1
    )
    stop = asyncio.Event()
    async with servers.opened([fake.address for fake in fakes]) as known:
        staff = Staff(core, known, config)
        keeping = Keeping(pool, known, config.poll_seconds, staff.hired, bus.wake)
        relaying = asyncio.create_task(relay.run())
        running = [asyncio.create_task(staff.run(stop)), asyncio.create_task(keeping.run(stop))]
        try:
            yield staff
        finally:
            stop.set()
            await asyncio.gather(*running)
            relaying.cancel()
            with suppress(asyncio.CancelledError):
                await relaying


async def pictured(pool: Pool, repository: Repository, user: User, number: int = 0) -> UUID:
    """A photo that is rendered, if only by a small thumbnail."""
    asset = await placing.new_asset(pool, repository, user, number)
    await thumbs.keep(pool, repository, asset, "small", b"thumbnail %d" % number)
    return asset


async def many_pictured(pool: Pool, repository: Repository, user: User, count: int) -> None:
    """So many photos that all look the same, rendered one for all."""
    asset = await pictured(pool, repository, user)
    async with pool.connection() as conn:
        await conn.execute(
            """
            with made as (
                insert into assets (asset_id, owner_id, content_hash, size, kind, mime_type, original_filename)
                select gen_random_uuid(), owner_id, sha256(n::text::bytea), size, kind, mime_type, original_filename
                from assets, generate_series(2, %(count)s) n
                where asset_id = %(asset)s
                returning asset_id
            )
            insert into thumbnails (asset_id, size, repository_id, path, mime_type, width, height, bytes, hash)
            select made.asset_id, size, repository_id, path, t.mime_type, width, height, bytes, hash
            from made, thumbnails t
            where t.asset_id = %(asset)s
            """,
            {"asset": asset, "count": count},
        )
