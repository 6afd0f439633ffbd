"""What a server says that it can do, read and doubted."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from home_native.v1.ml_service_pb2 import Capability
from ml_dispatcher.answers import Bad
from ml_dispatcher.tasks import Names, Task

MOST_SERVICES = 64
MOST_TASKS = 256
LONGEST_NAME = 200
MOST_AT_ONCE = 64
UNTOLD_AT_ONCE = 4
VERSION = re.compile(r"1(\.|$)")


@dataclass(frozen=True)
class Service:
    """One of the services behind an address, as far as it matters here."""

    name: str
    tasks: frozenset[str]
    at_once: int


@dataclass(frozen=True)
class Offer:
    """A task that a server does, by the name that it has there, and the service that does it."""

    name: str
    service: Service


def service(told: Capability) -> Service:
    """What a server tells of a service; Bad for another protocol, or for more than anybody would tell."""
    if told.protocol_version and not VERSION.match(told.protocol_version):  # older servers tell none
        raise Bad(f"it speaks version {told.protocol_version[:20]!r} of the protocol, and we speak 1")
    if len(told.tasks) > MOST_TASKS:
        raise Bad(f"it tells of {len(told.tasks)} tasks at once")
    names = frozenset(task.name for task in told.tasks)
    if any(len(name) > LONGEST_NAME or not name.isprintable() for name in (told.service_name, *names)):
        raise Bad("it gives names that nobody can read")
    return Service(told.service_name, names, min(told.max_concurrency or UNTOLD_AT_ONCE, MOST_AT_ONCE))


def offers(
    services: Collection[Service], names: Names, *, without: Collection[str] = ()
) -> dict[Task, tuple[Offer, ...]]:
    """What each task is to be asked for as, by all services that do it so: each may have a model of its own.

    None of the names in `without` is asked for, whatever is told of them.
    """
    if len(services) > MOST_SERVICES:
        raise Bad(f"it tells of {len(services)} services")
    served = {name for one in services for name in one.tasks}.difference(without)
    found = {task: next((name for name in own if name in served), None) for task, own in names.items()}
    return {
        task: tuple(Offer(name, one) for one in services if name in one.tasks)
        for task, name in found.items()
        if name is not None
    }
