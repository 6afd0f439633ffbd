"""ml-server: embeds and classifies pictures and words by the models in a folder of this machine."""

import asyncio
import os
from functools import partial

from common import health, process
from common.health import Readiness
from ml_server import listening, loading
from ml_server.inference import Inference
from ml_server.settings import MlServerSettings

NICE = 5
"""Who takes files in goes first."""


async def serve(config: MlServerSettings, stop: asyncio.Event) -> None:
    """Answer until told to stop; at first, that nothing is loaded yet."""
    inference = Inference(config.ml_request_seconds)
    async with asyncio.TaskGroup() as tasks:
        async with listening.listen(config, inference) as told:
            working = [
                tasks.create_task(loading.work(config, inference, told)),
                tasks.create_task(health.serve(config.health_host, config.health_port, partial(_readiness, inference))),
            ]
            await stop.wait()
        for task in working:
            task.cancel()


async def _readiness(inference: Inference) -> Readiness:
    return Readiness(ready=inference.ready, problems=inference.problems)


def main() -> None:
    """Run the server until a signal ends it."""
    os.nice(NICE)
    process.run("ml-server", MlServerSettings, serve)
