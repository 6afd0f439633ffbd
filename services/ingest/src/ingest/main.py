"""Ingest: gives every original its place and its row, and keeps staging clean."""

import asyncio

from common import process, pulse, streams
from common.settings import AtLeastOne, Days, NotNegative, Percent, Positive, Settings
from common.stages import Stage
from common.worker import Worker
from ingest import counting
from ingest.found import Registrar
from ingest.handlers import Ingest
from ingest.housekeeping import Housekeeping
from ingest.leftovers import DAY
from ingest.purge import Purge
from ingest.relocations import Relocations


class IngestSettings(Settings, frozen=True, kw_only=True):
    """What ingest needs to know."""

    slots: AtLeastOne = 4
    """How many uploads are placed at once."""
    clean_seconds: Positive = 60.0
    """How often leftovers are looked for."""
    abandoned_seconds: Positive = DAY
    """How old a file in staging must be that belongs to nothing before it is removed."""
    failed_seconds: Positive = 30 * DAY
    """How long an upload that could not be placed is kept in `staging/failed`."""
    trash_days: Days = 30
    """How many days something lies in the trash before it goes for good; 0 is for ever. As the gateway is told."""
    reserve_bytes: NotNegative = 2 * 1024**3
    """How much of a disk uploads leave free, as the gateway is told; ingest only shows it in its metrics."""
    reserve_percent: Percent = 2.0
    """The same as a share of the disk."""
    scrub_days: Days = 30
    """Within how many days every original is compared, as syncer is told; ingest only shows it in its metrics."""


async def serve(config: IngestSettings, stop: asyncio.Event) -> None:
    """Place staged uploads and purge what is to go until told to stop; one ingest of all also cleans up."""
    async with process.core("ingest", config, stop) as core, asyncio.TaskGroup() as tasks:
        reserve = pulse.Reserve(config.reserve_bytes, config.reserve_percent)
        core.health.sources += pulse.sources(core.pool, core.bus, reserve, scrub_days=config.scrub_days)
        ingest = Ingest(core.pool)
        housekeeping = Housekeeping(
            *(core.pool, config.clean_seconds, config.abandoned_seconds, config.failed_seconds, config.trash_days)
        )
        worker = Worker(core.pool, core.bus, core.relay, config, streams.PLACE, Stage.PLACE, ingest.place, config.slots)
        purger = Worker(
            *(core.pool, core.bus, core.relay, config, streams.PURGE, Stage.PURGE, Purge(core.pool).purge, config.slots)
        )
        tasks.create_task(worker.run(stop))
        tasks.create_task(purger.run(stop))
        tasks.create_task(housekeeping.run(stop))
        tasks.create_task(Relocations(core.pool, config.poll_seconds, worker.wake).run(stop))
        tasks.create_task(counting.run(core.pool, stop, idle_seconds=config.poll_seconds))
        tasks.create_task(Registrar(core.pool, core.bus, core.relay, config.poll_seconds).run(stop))


def main() -> None:
    """Run ingest until a signal ends it."""
    process.run("ingest", IngestSettings, serve)
