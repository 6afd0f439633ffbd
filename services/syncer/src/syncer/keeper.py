"""Decides by leases which syncer tends which repository."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import psycopg

from common import lease_queries as leases
from common import log, tasks
from common.db import Pool, glance
from syncer.queries import operations
from syncer.queries.operations import Tended
from syncer.scans import Holding, NotOurs

Tend = Callable[[Holding], Awaitable[None]]


@dataclass
class Keeper:
    """Holds leases of repositories, and has each tended while it does; `every_seconds` it looks for free ones."""

    pool: Pool
    tend: Tend
    lease_seconds: float
    every_seconds: float
    holder: UUID = field(default_factory=uuid4)
    _tended: dict[Tended, "asyncio.Task[None]"] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Keep until told to stop, then let others have the repositories at once."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                try:
                    await self._keep()
                except psycopg.Error as error:
                    log.get().warning("leases delayed", error=str(error).strip())
                waiting = {stopping, *self._tended.values()}
                await asyncio.wait(waiting, timeout=self._pause(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            await self._give_up()

    def _pause(self) -> float:
        return min(self.every_seconds, self.lease_seconds / 3)

    async def _keep(self) -> None:
        """Renew the leases that are ours, take those that are free, and leave what is somebody else's by now.

        A lease that runs out during a long transaction of our own is nobody else's before that ends.
        """
        self._reap()
        async with glance(self.pool.urgent) as conn:
            repositories = await operations.list_tended(conn)
            ours = {
                repository
                for repository in repositories
                if await leases.take(conn, _lease(repository), self.holder, seconds=self.lease_seconds)
            }
            held = await leases.list_held(conn, self.holder)
        self._leave(one for one in self._tended if one not in repositories or _lease(one) not in held)
        busy = {repository.repository_id for repository in self._tended}
        for repository in ours:
            if repository.repository_id not in busy:
                holding = Holding(repository, _lease(repository), self.holder)
                self._tended[repository] = asyncio.create_task(self._tend(holding))

    def _leave(self, repositories: Iterable[Tended]) -> None:
        """End the tending of some; one that hangs on its disk must not keep the leases of others from being renewed."""
        for repository in repositories:
            if not self._tended[repository].cancelling():
                self._tended[repository].cancel()

    async def _tend(self, holding: Holding) -> None:
        try:
            await self.tend(holding)
        except* NotOurs:
            log.get().info("repository left to another", repository=str(holding.repository.repository_id))
        except* Exception as errors:  # noqa: BLE001  # a bug in one repository must not end the others
            log.get().warning("tending failed", repository=str(holding.repository.repository_id), exc_info=errors)
            await asyncio.sleep(self._pause())

    def _reap(self) -> None:
        for repository in [repository for repository, task in self._tended.items() if task.done()]:
            del self._tended[repository]

    async def _give_up(self) -> None:
        await tasks.cancel(*self._tended.values())
        with contextlib.suppress(psycopg.Error):  # then the leases run out
            async with glance(self.pool.urgent) as conn:
                for repository in self._tended:
                    await leases.give(conn, _lease(repository), self.holder)


def _lease(repository: Tended) -> str:
    return f"repository {repository.repository_id}"
