"""The servers as an operator wants them: those that are named, and those of the network if it may be asked."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from ml_dispatcher import discovery, servers, settings
from ml_dispatcher.servers import Servers
from ml_dispatcher.settings import DispatcherSettings


@asynccontextmanager
async def opened(config: DispatcherSettings, environ: Mapping[str, str]) -> AsyncIterator[Servers]:
    """Servers that are kept in touch with; WrongSetting when it cannot be understood with which."""
    named, names, dial = settings.addresses(config, environ), settings.names(config), settings.dial(config)
    async with servers.opened(named, names, dial=dial) as known, asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(_look(config, environ, known))
        try:
            yield known
        finally:
            looking.cancel()


async def _look(config: DispatcherSettings, environ: Mapping[str, str], known: Servers) -> None:
    if config.inference_mdns and not settings.is_off(environ):
        await discovery.run(known.found)
