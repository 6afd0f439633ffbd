"""ML-dispatcher: has inference servers tell what pictures show, and answers what the gateway asks of words."""

import asyncio
import os

from common import process
from ml_dispatcher import indexes, learnt, likeness, reach
from ml_dispatcher.keeping import Keeping
from ml_dispatcher.questions import Questions
from ml_dispatcher.settings import DispatcherSettings
from ml_dispatcher.staff import Staff


async def serve(config: DispatcherSettings, stop: asyncio.Event) -> None:
    """Have done what servers can do until told to stop, and find what looks alike whether there are any or not."""
    async with (
        process.core("ml-dispatcher", config, stop, only_reads=True) as core,
        reach.opened(config, os.environ) as known,
        asyncio.TaskGroup() as tasks,
    ):
        staff = Staff(core, known, config)
        answering = tasks.create_task(Questions(core.pool, core.bus, known).run())
        idle = config.poll_seconds
        tasks.create_task(likeness.run(core.pool, stop, idle_seconds=idle))
        tasks.create_task(learnt.follow(core.pool, stop, idle_seconds=idle))
        tasks.create_task(learnt.run(core, stop, idle_seconds=idle))
        tasks.create_task(indexes.run(core.pool, config.database_url, stop, idle_seconds=4 * idle))
        tasks.create_task(Keeping(core.pool, known, idle, staff.hired, core.bus.wake).run(stop))
        await staff.run(stop)
        answering.cancel()


def main() -> None:
    """Run the dispatcher until a signal ends it."""
    process.run("ml-dispatcher", DispatcherSettings, serve)
