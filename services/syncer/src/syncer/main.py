"""Syncer: keeps the catalogue true to the disk, each repository by whoever holds its lease."""

import asyncio

from common import process
from common.settings import AtLeastOne, Days, Settings, Share
from syncer.keeper import Keeper
from syncer.readers import Readers, kill_all
from syncer.requests import Requests
from syncer.scans import Holding
from syncer.scrub import Pace
from syncer.tending import MOST_SCANS, Tending


class SyncerSettings(Settings, frozen=True, kw_only=True):
    """What syncer needs to know; times are in seconds."""

    readers: AtLeastOne = 2
    """How many files are read at once that were found or changed in people's own folders."""
    scrub_days: Days = 30
    """Within how many days every original is read again to see whether it is still what it was; 0 for never."""
    scrub_percent: Share = 20.0
    """How much of the time of one core that may take."""


async def serve(config: SyncerSettings, stop: asyncio.Event) -> None:
    """Tend repositories until told to stop."""
    readers = Readers(config.readers)
    pace = Pace(config.scrub_days, config.scrub_percent)
    turns = asyncio.Semaphore(MOST_SCANS)
    async with process.core("syncer", config, stop) as core, asyncio.TaskGroup() as tasks:
        at_work: set[Tending] = set()

        async def tend(holding: Holding) -> None:
            tending = Tending(
                *(core.pool, config.database_url, core.relay, readers, holding, config.poll_seconds, pace), turns=turns
            )
            at_work.add(tending)
            try:
                await tending.run()
            finally:
                at_work.discard(tending)

        def wake() -> None:
            for tending in at_work:
                tending.asked.set()

        requests = tasks.create_task(Requests(core.pool, core.bus, config.poll_seconds, wake).run())
        await Keeper(core.pool, tend, config.lease_seconds, config.poll_seconds).run(stop)
        requests.cancel()
        readers.close()


def main() -> None:
    """Run syncer until a signal ends it."""
    try:
        process.run("syncer", SyncerSettings, serve)
    finally:
        kill_all()
