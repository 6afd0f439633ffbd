"""Where a request reads: from the database, or from a close replica of it where its route may lag."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias

import litestar
import psycopg
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import Message, Scope

from common import log
from common.db import OUTAGES, Connection, Pool, glance
from gateway.cookies import SAFE
from gateway.policies import Opt
from gateway.queries import replica as queries

MAY_LAG: Opt = {"may_lag": True}
"""Beside the policy of a route that only reads: its answer may be some seconds old, but for who has just written."""
WROTE = "lumilio-wrote"
LOOK_SECONDS = 1.0
PATIENCE_SECONDS = 1.0
Asking: TypeAlias = litestar.Request[Any, Any, Any]
Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[Connection]]


@dataclass
class Replica:
    """A copy of the database that follows it, and until when it is known to be no further behind than it may be."""

    pool: Pool
    lag_seconds: float = 5.0
    problem: str = "it was not looked at yet"
    _marks: list[tuple[float, int]] = field(default_factory=list)
    _close_until: float = 0.0

    @property
    def is_close(self) -> bool:
        """Whether it shows all that was done more than `lag_seconds` ago."""
        return time.monotonic() < self._close_until

    def doubt(self) -> None:
        """Leave it alone until it was looked at again."""
        self._close_until = 0.0

    async def follow(self, primary: Pool, stop: asyncio.Event) -> None:
        """Look once a second how far it is until told to stop, and tell when that changes."""
        told: str | None = None
        while not stop.is_set():
            await self.look(primary)
            if told != (told := self.problem):
                log.get().info("replica is left alone" if told else "replica is read", problem=told)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await stop.wait()

    async def look(self, primary: Pool) -> bool:
        """Compare it with what the primary had written at some moment: no clock of a server counts."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                self.problem = await self._compare(primary)
        except (psycopg.Error, TimeoutError) as error:
            self.problem = f"it or the database does not answer: {str(error).strip()}"
        return self.is_close

    async def _compare(self, primary: Pool) -> str:
        now = time.monotonic()
        async with glance(primary) as conn:
            written = await queries.find_written(conn)
        async with glance(self.pool) as conn:
            replayed = await queries.find_replayed(conn)
        if replayed is None or replayed.system != written.system:
            self.doubt()
            return "it follows nobody, or another database"
        self._marks = [*(mark for mark in self._marks if mark[0] > now - self.lag_seconds), (now, written.at)]
        reached = [when for when, at in self._marks if at <= replayed.at]
        self._close_until = max(reached, default=-self.lag_seconds) + self.lag_seconds
        return "" if reached else f"it is more than {self.lag_seconds:g} s behind"


@dataclass(frozen=True)
class Reading:
    """The database, and its replica if there is one."""

    primary: Pool
    replica: Replica | None = None

    def of(self, request: Asking) -> Connect:
        """What a request reads from: the primary, unless its route may lag and its caller has not just written."""
        replica = self.replica
        if replica is None or "may_lag" not in request.route_handler.opt or WROTE in request.cookies:
            return self.primary.connection
        return lambda: self._from(replica)

    @asynccontextmanager
    async def _from(self, replica: Replica) -> AsyncIterator[Connection]:
        """A connection to the replica if it is close and answers; after a failure there the primary is asked."""
        async with AsyncExitStack() as held:
            conn = await self._enter(held, replica)
            try:
                yield conn
            except OUTAGES:
                replica.doubt()
                raise

    async def _enter(self, held: AsyncExitStack, replica: Replica) -> Connection:
        if replica.is_close:
            try:
                return await held.enter_async_context(replica.pool.connection(timeout=PATIENCE_SECONDS))
            except OUTAGES:
                replica.doubt()
        return await held.enter_async_context(self.primary.connection())

    async def mark(self, message: Message, scope: Scope) -> None:
        """Give who wrote a cookie that lasts until no replica that is read can lack it."""
        if self.replica is None or message["type"] != "http.response.start" or scope["type"] != ScopeType.HTTP:
            return
        handler = scope.get("route_handler")
        may_lag = handler is None or "may_lag" in handler.opt
        if scope["method"] not in SAFE and not may_lag and message["status"] < HTTPStatus.BAD_REQUEST:
            cookie = f"{WROTE}=1; Path=/; HttpOnly; SameSite=Lax; Max-Age={int(2 * self.replica.lag_seconds) + 1}"
            MutableScopeHeaders.from_message(message).add("set-cookie", cookie)
