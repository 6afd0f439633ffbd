"""Servers that announce themselves in the network: where they are is believed, within reason, and no more."""

import asyncio
from collections.abc import Callable, Collection
from ipaddress import ip_address

from zeroconf import InterfaceChoice, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from common import log

KIND = "_lumen._tcp.local."
MOST_NAMES = 32
MOST_SERVERS = 8
LONGEST_NAME = 200
RESOLVE_MS = 2000
AGAIN_SECONDS = 30.0
AWAY_SECONDS = 60.0


class Network:
    """The names that are announced at the moment."""

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self.names: dict[str, None] = {}
        self.changed = asyncio.Event()

    def hear(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:  # noqa: ARG002
        """A name comes or goes; called by the browser, in the loop."""
        if state_change is ServiceStateChange.Removed:
            self.names.pop(name, None)
        elif len(self.names) < MOST_NAMES and len(name) <= LONGEST_NAME:
            self.names[name] = None
        self.changed.set()


async def run(found: Callable[[Collection[str]], None], interfaces: Collection[str] = ()) -> None:
    """Tell which addresses are announced whenever that changes, until cancelled."""
    while True:
        try:
            await _browse(found, interfaces)
        except OSError as error:
            log.get().warning("servers cannot be looked for in the network", error=str(error))
            await asyncio.sleep(AWAY_SECONDS)


async def _browse(found: Callable[[Collection[str]], None], interfaces: Collection[str]) -> None:
    network = Network()
    heard_at = list(interfaces) or InterfaceChoice.All
    async with AsyncZeroconf(interfaces=heard_at, ip_version=IPVersion.V4Only) as zeroconf:
        browser = AsyncServiceBrowser(zeroconf.zeroconf, KIND, handlers=[network.hear])
        try:
            while True:
                network.changed.clear()
                found(await _addresses(zeroconf.zeroconf, list(network.names)))
                await _changed(network)
        finally:
            await browser.async_cancel()


async def _changed(network: Network) -> None:
    try:
        async with asyncio.timeout(AGAIN_SECONDS):
            await network.changed.wait()
    except TimeoutError:
        pass  # a server may have moved


async def _addresses(zeroconf: Zeroconf, names: Collection[str]) -> list[str]:
    told = await asyncio.gather(*(_address(zeroconf, name) for name in names))
    return sorted({address for address in told if address is not None})[:MOST_SERVERS]


async def _address(zeroconf: Zeroconf, name: str) -> str | None:
    """Where a name is, if that is in a network of one's own: nobody is to be sent photos outside of it."""
    info = AsyncServiceInfo(KIND, name)
    if not await info.async_request(zeroconf, RESOLVE_MS) or not info.port:
        return None
    own = [address for address in info.parsed_addresses(IPVersion.V4Only) if ip_address(address).is_private]
    return f"{own[0]}:{info.port}" if own else None
