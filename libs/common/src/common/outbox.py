"""Events are rows written with the change they announce; the relay is the only one who publishes them."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import psycopg
from nats.errors import Error as NatsError
from nats.js.errors import NoStreamResponseError

from common import log, metrics, streams, tasks, traces
from common import outbox_queries as queries
from common.bus import Bus
from common.db import Connection, Pool
from common.messages import Event

BATCH = 100
GATHER_SECONDS = 0.01
PACE_SECONDS = 0.1
REST_SECONDS = 0.05
"""Between full batches: many events at once come of much work, which goes before telling of it."""
PUBLISH_SECONDS = 5


async def add(conn: Connection, *events: Event) -> None:
    """Announce facts with the transaction that makes them true."""
    told = [(e.subject_of(), e.owner_id, msgspec.json.encode(e)) for e in events]
    await queries.add_events(conn, told, trace=traces.current())


@dataclass
class Relay:
    """Publishes what stands in the outbox: at once after `wake` but ten times a second at most, and at every poll."""

    pool: Pool
    bus: Bus
    poll_seconds: float
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _epoch: UUID | None = None
    _drained_at: float = 0

    def wake(self) -> None:
        """Say that a transaction with events was committed here."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled; whatever goes wrong is tried again at the next poll."""
        self.bus.listeners.append(self.wake)
        while True:
            tasks.heed_cancelling()  # one that came while the stream was made again
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.poll_seconds):
                    await self._woken.wait()
                await asyncio.sleep(max(GATHER_SECONDS, self._drained_at + PACE_SECONDS - time.monotonic()))
            self._woken.clear()
            if self.bus.connected:
                await self._drain()
                self._drained_at = time.monotonic()

    async def _drain(self) -> None:
        try:
            while await self._publish_batch() == BATCH:
                await asyncio.sleep(REST_SECONDS)
        except NoStreamResponseError:
            await self._restore_stream()
        except (NatsError, psycopg.Error, OSError) as error:
            log.get().warning("relay delayed", error=str(error) or type(error).__name__)

    async def _publish_batch(self) -> int:
        async with self.pool.connection() as conn, conn.pipeline():
            self._epoch = self._epoch or await queries.find_epoch(conn)
            rows = await queries.lock_unpublished(conn, BATCH)
            if not rows:
                return 0
            answers = await asyncio.gather(*map(self._publish, rows), return_exceptions=True)
            published = [row.outbox_id for row, answer in zip(rows, answers, strict=True) if answer is None]
            await queries.mark_published(conn, published)
            await conn.commit()
        failures = [answer for answer in answers if answer is not None]
        if failures:
            raise failures[0]
        return len(rows)

    async def _publish(self, row: queries.OutboxRow) -> None:
        await self.bus.js.publish(
            row.subject,
            msgspec.json.encode(row.body),
            timeout=PUBLISH_SECONDS,
            stream=streams.NAME,
            headers=self._headers(row),
        )
        metrics.RELAYED.observe(row.age)

    def _headers(self, row: queries.OutboxRow) -> dict[str, str]:
        name = {"Nats-Msg-Id": f"{self._epoch}.{row.outbox_id}"}
        return name if row.trace is None else name | {traces.HEADER: row.trace}

    async def _restore_stream(self) -> None:
        with contextlib.suppress(NatsError, OSError):
            await streams.ensure_stream(self.bus.js, replicas=self.bus.stream_replicas)
            self.wake()
