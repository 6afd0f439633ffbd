"""At which ports of this machine Prometheus finds the metrics of each service."""

from collections.abc import Mapping

from msgspec import Struct

from common.settings import Port
from lumilio import ports
from lumilio.terminal import say

SERVICES = ("gateway", "ingest", "processor", "syncer", "ml-dispatcher", "ml-server")


class WatchingSettings(Struct, frozen=True, kw_only=True):
    """Where `lumilio up` serves the metrics of its services."""

    metrics_port: Port = 0
    """The first of the ports at which Prometheus finds the services, one after the other; 0 for any, untold."""


def choose(settings: WatchingSettings) -> Mapping[str, int]:
    """A port for each service; one that is busy is passed over, and all are told."""
    chosen: dict[str, int] = {}
    wanted = settings.metrics_port
    for name in SERVICES:
        while (port := ports.choose(wanted)) in chosen.values():
            pass  # any was asked for, and by chance it was the same
        chosen[name] = port
        wanted = port + 1 if wanted else 0
    if settings.metrics_port:
        say(f"metrics for Prometheus at ports {', '.join(f'{port} ({name})' for name, port in chosen.items())}")
    return chosen
