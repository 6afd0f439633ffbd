import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import psutil
import pytest

from common import bus, streams
from common.bus import Doorbell
from lumilio.nats_server import NatsServer
from tests.support.servers import running_nats
from tests.support.waiting import until

MOMENTS = 150
"""Turns of the loop, by when a reader is found."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A broker of this test alone, to be hurt."""
    with running_nats(tmp_path) as running:
        yield running


def process_of(server: NatsServer) -> psutil.Process:
    return next(child for child in psutil.Process().children(recursive=True) if server.configuration in child.cmdline())


async def test_a_silent_broker_is_noticed_and_found_again(server: NatsServer) -> None:
    """A connection that is open and dead is given up after two pings; when the broker is back, rings get through."""
    async with bus.connect(server.url, name="test", ping_seconds=0.2) as connected:
        await until(lambda: connected.connected)
        await streams.migrate(connected.js)
        doorbell = Doorbell(connected, streams.PLACE)
        waiting = asyncio.create_task(doorbell.wait(60))
        broker = process_of(server)

        broker.send_signal(SIGSTOP)
        await until(lambda: not connected.connected)
        broker.send_signal(SIGCONT)
        await until(lambda: connected.connected)

        assert await waiting is None
        ringing = asyncio.create_task(doorbell.wait(30))
        await connected.js.publish(streams.PLACE.subjects[0], b"{}")
        assert (message := await ringing) is not None
        assert message.subject == streams.PLACE.subjects[0]
        await doorbell.close()


async def test_services_start_before_the_broker(tmp_path: Path) -> None:
    """The first connection is retried like any other."""
    with running_nats(tmp_path) as server:
        url, port = server.url, server.port
    async with bus.connect(url, name="test") as connected:
        assert not connected.connected
        with running_nats(tmp_path, port=port):
            await until(lambda: connected.connected)


async def test_a_connection_that_is_closed_for_good_is_told(server: NatsServer) -> None:
    """If the client ever gives up, the service can end and be started anew instead of being deaf."""
    async with bus.connect(server.url, name="test") as connected:
        await until(lambda: connected.connected)
        await connected.client.close()

        assert connected.closed.is_set()


async def test_whoever_is_woken_at_any_moment_looks_at_once(server: NatsServer) -> None:
    """Also while the broker is asked for its reader for the first time, and answers in that very moment."""
    async with bus.connect(server.url, name="test") as connected:
        await until(lambda: connected.connected)
        await streams.migrate(connected.js)
        for moment in range(MOMENTS):
            doorbell = Doorbell(connected, streams.PLACE)
            waiting = asyncio.create_task(doorbell.wait(60))
            for _ in range(moment):
                await asyncio.sleep(0)
            doorbell.wake()
            async with asyncio.timeout(20):
                assert await waiting is None
            await doorbell.close()
