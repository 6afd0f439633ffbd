"""What a dispatcher does now and then: stages for assets from before, switching, counting, saying what it sees."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg

from common import log
from common.db import Pool, glance
from ml_dispatcher import filling_queries as queries
from ml_dispatcher import model_queries, spaces
from ml_dispatcher.servers import Servers
from ml_dispatcher.tasks import Task

AT_ONCE = 1000
MOST_DUE = 5000
"""More of a stage are not made due beforehand: new assets pass them, and a table full of what is due helps nobody."""
WALK_DAYS = 1.0
COUNTED_AT_ONCE = 10_000
SOONER = 3


@dataclass(frozen=True)
class Keeping:
    """Looks after stages and spaces; any number of dispatchers may do so at once."""

    pool: Pool
    servers: Servers
    poll_seconds: float
    due: asyncio.Event
    ring: Callable[[], None]
    dispatcher: UUID = field(default_factory=uuid4)

    async def run(self, stop: asyncio.Event) -> None:
        """Look after them until told to stop; an outage only delays it."""
        while not stop.is_set():
            self.due.clear()
            is_walking = False
            try:
                is_walking = await self.look()
            except psycopg.Error as error:
                log.get().warning("looking after meaning delayed", error=str(error).strip())
            await self._rest(stop, self.poll_seconds / (SOONER if is_walking else 1))

    async def look(self) -> bool:
        """One round; whether there are assets that were not looked at yet."""
        await self._tell()
        async with glance(self.pool) as conn:
            if Task.CLASSIFY in await queries.begin_walks(conn, days=WALK_DAYS):
                await model_queries.look_once_more(conn, Task.CLASSIFY)
            wanted = await queries.list_walks(conn)
        left = [stage for stage in wanted if not await self._fill(stage)]
        if wanted:
            self.ring()
        while await spaces.switch(self.pool):
            pass
        await spaces.tidy(self.pool)
        await self._count()
        return bool(left)

    async def _fill(self, stage: str) -> bool:
        """Make due what assets lack, until enough is; whether that was all."""
        while True:
            async with glance(self.pool) as conn:
                walked = await queries.fill(conn, stage, most=AT_ONCE, due=MOST_DUE)
            if walked is not True:
                return walked is False

    async def _count(self) -> None:
        async with glance(self.pool) as conn:
            while await queries.add_up(conn, limit=COUNTED_AT_ONCE) == COUNTED_AT_ONCE:
                pass
            await queries.forget_old(conn)

    async def _tell(self) -> None:
        """Say how this dispatcher finds its servers, for people."""
        async with glance(self.pool) as conn:
            await queries.save_servers(conn, self.dispatcher, self.servers.seen())

    async def _rest(self, stop: asyncio.Event, seconds: float) -> None:
        waiting = [asyncio.create_task(one.wait()) for one in (stop, self.due)]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
