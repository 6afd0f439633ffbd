"""The connection to NATS, and the doorbell that tells a worker that there may be work."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from nats.js import JetStreamContext

from common import log, metrics, streams, tasks
from common.streams import Durable

CONNECT_SECONDS = 5
OLDEST = (2, 12, 6)
REPAIR_SECONDS = 1
Subscription: TypeAlias = JetStreamContext.PullSubscription


@dataclass(frozen=True)
class Bus:
    """A connection that never gives up, and who wants to know when it came back.

    A stream that is missing is made on `stream_replicas` nodes.
    """

    client: Client
    js: JetStreamContext
    stream_replicas: int = 1
    listeners: list[Callable[[], None]] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def connected(self) -> bool:
        return self.client.is_connected

    def wake(self) -> None:
        """Have everybody here who waits for a ring look at the rows."""
        for listener in self.listeners:
            listener()

    def complaints(self) -> list[str]:
        """What is wrong with the server that greeted us, in words."""
        greeting = self.client._server_info  # noqa: SLF001  # the client has no other way to tell
        version = str(greeting.get("version", "0"))
        found = []
        if tuple(map(int, re.findall(r"\d+", version)[:3])) < OLDEST:
            found.append(f"the message bus is NATS {version}: update it to {'.'.join(map(str, OLDEST))} or newer")
        if not greeting.get("auth_required"):
            found.append("the message bus asks for no password: anybody who reaches it can read and send events")
        return found


@asynccontextmanager
async def connect(
    nats_url: str, *, name: str, ping_seconds: float = 10, stream_replicas: int = 1
) -> AsyncIterator[Bus]:
    """A connection that retries for ever, also the first time: services start in any order.

    A server that leaves two pings unanswered is gone; `closed` is set if the client ever gives up after all.
    """
    client = Client()
    bus = Bus(client, client.jetstream(timeout=CONNECT_SECONDS), stream_replicas)
    connecting = asyncio.create_task(_connect_for_ever(bus, nats_url, name=name, ping_seconds=ping_seconds))
    try:
        yield bus
    finally:
        connecting.cancel()
        with contextlib.suppress(NatsError, asyncio.CancelledError, OSError):
            await client.close()


async def _connect_for_ever(bus: Bus, nats_url: str, *, name: str, ping_seconds: float) -> None:
    told = ""

    async def failed(error: Exception) -> None:
        nonlocal told
        if told != (told := str(error)):  # an outage of an hour is one line, not thousands
            log.get().warning("bus away", error=told)

    async def returned() -> None:
        nonlocal told
        told = ""
        metrics.CONNECTED.inc()
        log.get().info("bus connected")
        bus.wake()

    async def closed() -> None:
        bus.closed.set()

    await bus.client.connect(
        nats_url,
        name=name,
        connect_timeout=CONNECT_SECONDS,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        ping_interval=ping_seconds,  # type: ignore[arg-type]  # it only ever sleeps for it
        max_outstanding_pings=2,
        error_cb=failed,
        reconnected_cb=returned,
        closed_cb=closed,
    )
    await returned()


@dataclass
class Doorbell:
    """Rings when a message for one durable arrives; a ring says only that there is work."""

    bus: Bus
    durable: Durable
    _subscription: Subscription | None = None
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.bus.listeners.append(self._woken.set)

    async def wait(self, seconds: float) -> Msg | None:
        """The next message; None when the time is up, the connection came back or `wake`, so look at the rows."""
        fetch = asyncio.create_task(self._fetch(seconds))
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait({fetch, woken}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return fetch.result() if fetch.done() else None
        finally:
            woken.cancel()
            await tasks.cancel(fetch)
            if self._woken.is_set():
                await self._forget()

    async def follow(self, look: Callable[[], Awaitable[float]], stop: asyncio.Event) -> None:
        """Look at the rows until told to stop: at once, at each ring, and after the seconds that the last look said."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                ringing = asyncio.create_task(self.wait(await look()))
                await asyncio.wait({stopping, ringing}, return_when=asyncio.FIRST_COMPLETED)
                if ringing.done() and (message := ringing.result()) is not None:
                    await acknowledge(message)
                await tasks.cancel(ringing)
        finally:
            stopping.cancel()
            await self.close()

    def wake(self) -> None:
        """Have whoever waits, or waits next, look at the rows."""
        self._woken.set()

    async def close(self) -> None:
        """Withdraw the open request, so that its message goes to another worker."""
        self.bus.listeners.remove(self._woken.set)
        await self._forget()

    async def _fetch(self, seconds: float) -> Msg | None:
        """Losing the stream, the durable or the connection is repaired here and costs a second."""
        try:
            if self._subscription is None:
                await streams.ensure_durable(self.bus.js, self.durable, replicas=self.bus.stream_replicas)
                self._subscription = await self.bus.js.pull_subscribe_bind(
                    durable=self.durable.name, stream=streams.NAME
                )
            tasks.heed_cancelling()  # else who was woken meanwhile would wait for the next message
            return (await self._subscription.fetch(1, timeout=seconds))[0]
        except NatsTimeout:
            return None
        except (NatsError, OSError) as error:
            log.get().warning("doorbell repaired", durable=self.durable.name, error=str(error) or type(error).__name__)
            self._subscription = None
            await asyncio.sleep(min(seconds, REPAIR_SECONDS))
            return None

    async def _forget(self) -> None:
        self._woken.clear()
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()


async def acknowledge(message: Msg) -> None:
    """The row is the job from here on; a failed acknowledgement only costs one needless ring."""
    with contextlib.suppress(NatsError, OSError):
        await message.ack()
