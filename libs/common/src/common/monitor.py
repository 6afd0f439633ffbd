"""What a NATS server tells of itself at its monitor, and what is wrong with that."""

import os
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from common import fetch

PORT = 8222
IN_MEMORY = {"tmpfs", "ramfs"}
HERE = {"127.0.0.1", "::1", "localhost"}


class Store(Struct, frozen=True):
    """How messages are kept."""

    store_dir: str = ""
    sync_always: bool = False


class JetStream(Struct, frozen=True):
    config: Store | None = None


class Server(Struct, frozen=True):
    """The part of `/varz` that matters here."""

    jetstream: JetStream = JetStream()


async def problems(monitor_url: str) -> list[str]:
    """Why acknowledged messages could be lost, in words."""
    host = urlsplit(monitor_url).hostname or ""
    try:
        server = msgspec.json.decode(await fetch.get(host, urlsplit(monitor_url).port or PORT, "/varz"), type=Server)
    except (OSError, ValueError, msgspec.DecodeError):
        return ["the monitor of the message bus does not answer: whether the bus is durable is not known"]
    store = server.jetstream.config
    if store is None:
        return ["the message bus keeps no messages: switch JetStream on"]
    found = []
    if not store.sync_always:
        found.append("the message bus is not durable: set `sync_interval: always`, or a power cut may empty it")
    if host in HERE and _lies_in_memory(store.store_dir):
        found.append("the message bus is not durable: its store lies in memory, and is empty after the next start")
    return found


def _lies_in_memory(path: str) -> bool:
    """Whether a path of this machine is on a disk that is none."""
    try:
        device = os.stat(path).st_dev
    except OSError:
        return False
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with open("/proc/self/mountinfo") as lines:
        mounts = [line.partition(" - ") for line in lines]
    return any(mount.split()[2] == wanted and kind.split()[0] in IN_MEMORY for mount, _, kind in mounts)
