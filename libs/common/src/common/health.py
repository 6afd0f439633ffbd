"""Live and ready, as probes and people ask for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from common import files, http, marker, metrics, monitor, queries, repository_queries
from common.bus import Bus
from common.db import Pool, glance
from common.repository_queries import Repository

ANSWER_SECONDS = 3
FRESH_SECONDS = 5


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """`ready` says whether work can be taken; `problems` says in words what is wrong."""

    ready: bool
    problems: list[str]


@dataclass
class Finding:
    """What is slow to find out: asked for now and then, and once at a time, for a disk may never answer."""

    ask: Callable[[], Coroutine[Any, Any, list[str]]]
    silence: str
    _asking: "asyncio.Task[list[str]] | None" = None
    _asked_at: float = 0.0

    async def problems(self) -> list[str]:
        """What was found lately, or that nothing is heard."""
        asking = self._asking
        if asking is None or (asking.done() and time.monotonic() - self._asked_at > FRESH_SECONDS):
            asking = self._asking = asyncio.create_task(self.ask())
            self._asked_at = time.monotonic()
        await asyncio.wait({asking}, timeout=ANSWER_SECONDS)
        return asking.result() if asking.done() else [self.silence]


@dataclass
class Health:
    """How a service is, and what it stands on; `notes` are problems known since its start.

    Who `only_reads` may have repositories mounted so. `sources` tell numbers of the whole server; whoever has some
    adds them.
    """

    pool: Pool
    bus: Bus
    monitor_url: str = ""
    notes: Sequence[str] = ()
    only_reads: bool = False
    sources: list[metrics.Source] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._disks = Finding(self._look_at_disks, "the disk of a repository does not answer")
        self._monitor = Finding(partial(monitor.problems, self.monitor_url), "the monitor of the message bus is silent")

    async def check(self) -> Readiness:
        """The database decides readiness; what else is wrong slows things down, or keeps a repository from its work."""
        problems = [*self.notes, *await self._problems_of_bus()]
        looking = asyncio.create_task(self._look_at_database())
        await asyncio.wait({looking}, timeout=ANSWER_SECONDS)
        looking.cancel()  # a database that hangs hears of that no sooner than it answers, so nobody waits for it
        if not looking.done() or (found := looking.result()) is None:
            return Readiness(ready=False, problems=["the database does not answer", *problems])
        unsafe, takes_writes = found
        problems += [f"the database runs with an unsafe {name}: a commit could be lost" for name in unsafe]
        if not takes_writes:
            problems.append("the database takes no writes: it follows another one, or is set to be read only")
        problems += await self._disks.problems()
        return Readiness(ready=not unsafe, problems=problems)

    async def _look_at_database(self) -> tuple[Sequence[str], bool] | None:
        """Which of its settings are unsafe, and whether it takes writes."""
        try:
            async with glance(self.pool) as conn:
                return await queries.unsafe_settings(conn), await queries.takes_writes(conn)
        except psycopg.Error:
            return None

    async def _problems_of_bus(self) -> list[str]:
        if not self.bus.connected:
            return ["the message bus is away: work goes on by polling"]
        return [*self.bus.complaints(), *(await self._monitor.problems() if self.monitor_url else [])]

    async def _look_at_disks(self) -> list[str]:
        try:
            async with glance(self.pool) as conn:
                repositories = await repository_queries.list_repositories(conn)
        except psycopg.Error:
            return []  # the database is told of already
        return await asyncio.to_thread(_outages, repositories, marker.recognize if self.only_reads else marker.check)


def _outages(repositories: Sequence[Repository], look: Callable[[bytes, UUID, bytes | None], object]) -> list[str]:
    """Which repositories are not where they should be, and why."""
    found = []
    for repository in repositories:
        try:
            look(repository.root, repository.repository_id, repository.private_root)
        except files.Offline as outage:
            found.append(f"repository {repository.repository_id}: {outage}")
    return found


async def serve(
    host: str, port: int, ready: Callable[[], Awaitable[Readiness]], sources: Sequence[metrics.Source] = ()
) -> None:
    """Answer `/live`, `/ready` and `/metrics` until cancelled; port 0 means nobody asks."""
    if port == 0:
        return

    async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/metrics":
            await _send(send, 200, await metrics.page(sources), metrics.CONTENT_TYPE)
            return
        state = await ready() if scope["path"] == "/ready" else Readiness(ready=True, problems=[])
        await _send(send, 200 if state.ready else 503, msgspec.json.encode(state), b"application/json")

    stop = asyncio.Event()
    answering = asyncio.create_task(http.serve(app, host=host, port=port, stop=stop))
    try:
        await asyncio.shield(answering)
    finally:
        stop.set()
        await answering


async def _send(send: Any, status: int, body: bytes, kind: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]})
    await send({"type": "http.response.body", "body": body})
