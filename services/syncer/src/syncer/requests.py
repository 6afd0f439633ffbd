"""Wishes for scans as they come over the bus: each becomes a row, and whoever runs scans is woken."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from nats.aio.msg import Msg

from common import bus, dead_letters, log, messages, repository_queries, scan_folders, streams
from common import scan_queries as queries
from common.bus import Bus, Doorbell
from common.db import Connection, Pool
from common.messages import Malformed, ScanRequested
from common.scan_folders import Unfit

AGAIN_SECONDS = 1.0


class Unknown(ValueError):
    """A wish names what is not there; the text says what."""


@dataclass(frozen=True)
class Requests:
    """Takes wishes from the bus; `wake` is called when there may be a row to look at."""

    pool: Pool
    bus: Bus
    poll_seconds: float
    wake: Callable[[], None]

    async def run(self) -> None:
        """Take wishes until cancelled; while nobody rings, the rows are looked at every poll all the same."""
        doorbell = Doorbell(self.bus, streams.SCAN)
        try:
            while True:
                message = await doorbell.wait(self.poll_seconds)
                if message is not None:
                    await self._take(message)
                self.wake()
        finally:
            await doorbell.close()

    async def _take(self, message: Msg) -> None:
        """A row first, then the acknowledgement: a message that could not become a row comes back."""
        try:
            await self._note(message)
        except (Malformed, Unfit, Unknown) as error:
            if not await dead_letters.keep(self.pool, message, error):
                return
        except psycopg.Error as error:
            log.get().warning("database away", durable=streams.SCAN.name, error=str(error))
            await asyncio.sleep(AGAIN_SECONDS)
            return
        await bus.acknowledge(message)

    async def _note(self, message: Msg) -> None:
        wish = messages.decode(message.subject, message.data)
        if not isinstance(wish, ScanRequested):
            raise Malformed("this is no wish for a scan")
        folder = scan_folders.read(wish.folder)
        async with self.pool.connection() as conn:
            if not await _has_row(conn, wish):
                await _add_row(conn, wish, folder)


async def _has_row(conn: Connection, wish: ScanRequested) -> bool:
    """Whether somebody wrote the row before the message, as the API does."""
    if wish.operation_id is None:
        return False
    return await queries.find_operation(conn, wish.operation_id, repository_id=wish.repository_id) is not None


async def _add_row(conn: Connection, wish: ScanRequested, folder: bytes) -> None:
    """Nobody proves on the bus who they are, so the wish is of nobody."""
    if await repository_queries.find_repository(conn, wish.repository_id) is None:
        raise Unknown(f"there is no repository {wish.repository_id}")
    await queries.request_scan(conn, wish.repository_id, folder, reason="requested")
