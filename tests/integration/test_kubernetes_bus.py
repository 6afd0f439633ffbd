"""The bus of a cluster, as the manifests set it up."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from nats.errors import Error as NatsError

from common import bus, streams
from common.bus import Bus, Doorbell
from lumilio import migrations, ports
from lumilio.nats_server import NatsServer
from tests.support import manifests, memory
from tests.support.servers import running_nats
from tests.support.waiting import until

NODES = 3
PASSWORD = "7e"  # not to be read as a number


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[NatsServer]]:
    """Three nodes with the configuration and the Secret of the manifests, on addresses of this machine."""
    routes = [ports.choose(0) for _ in range(NODES)]
    with ExitStack() as running:
        folder = running.enter_context(memory.folder(tmp_path))
        yield [running.enter_context(_node(folder / f"nats-{number}", routes, number)) for number in range(NODES)]


async def test_a_cluster_keeps_every_message_on_three_nodes(nodes: list[NatsServer]) -> None:
    """What the migration declares has three copies, and so has what a service makes that finds the stream missing."""
    async with bus.connect(nodes[0].url, name="test", stream_replicas=NODES) as connected:
        await until(lambda: connected.connected)
        await until(lambda: _have_leader(connected))
        await migrations.declare(nodes[1].url, replicas=NODES)
        assert await _copies(connected) == NODES

        await connected.js.delete_stream(streams.NAME)
        doorbell = Doorbell(connected, streams.PLACE)
        ringing = asyncio.create_task(doorbell.wait(30))
        await until(lambda: _has_reader(connected))
        await connected.js.publish(streams.PLACE.subjects[0], b"{}")
        assert await ringing is not None
        await doorbell.close()

        assert await _copies(connected) == NODES


async def _have_leader(connected: Bus) -> bool:
    """Whether the nodes chose one, which takes them a few seconds."""
    try:
        await connected.client.jetstream(timeout=0.5).account_info()
    except NatsError:
        return False
    return True


async def _copies(connected: Bus) -> int | None:
    return (await connected.js.stream_info(streams.NAME)).config.num_replicas


async def _has_reader(connected: Bus) -> bool:
    try:
        return bool((await connected.js.consumer_info(streams.NAME, streams.PLACE.name)).num_waiting)
    except NatsError:
        return False


def _node(folder: Path, routes: list[int], number: int) -> AbstractContextManager[NatsServer]:
    """A running node, whose files are those of the manifests but for addresses, folders and passwords."""
    folder.mkdir(parents=True)
    known = manifests.secrets()["lumilio-nats"]["routes.conf"].replace("REPLACE-ME", PASSWORD)
    for other, port in enumerate(routes):
        known = known.replace(f"nats-{other}.nats-nodes:6222", f"127.0.0.1:{port}")
    (folder / "routes.conf").write_text(known)
    cluster = (manifests.ROOT / "components/nats-cluster/cluster.conf").read_text()
    cluster = cluster.replace("0.0.0.0:6222", f"127.0.0.1:{routes[number]}").replace("../nats-routes/", "./")
    (folder / "cluster.conf").write_text(cluster)
    return running_nats(folder, password=PASSWORD, edit=lambda embedded: _edited(embedded, folder, number))


def _edited(embedded: str, folder: Path, number: int) -> str:
    """The configuration of the manifests, at the addresses of an embedded server."""
    listen, monitor = (re.findall(name + r': "(.*)"', embedded)[0] for name in ("listen", "http"))
    text = (manifests.ROOT / "components/nats/nats.conf").read_text()
    text = text.replace("0.0.0.0:4222", listen).replace("0.0.0.0:8222", monitor)
    return (
        text.replace("$SERVER_NAME", f"nats-{number}")
        .replace("$NATS_PASSWORD", f'"{PASSWORD}"')
        .replace('"/data"', f'"{folder}/data"')
    )
