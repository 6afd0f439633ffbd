"""Asks the message bus how it is, and who listens to it."""

import asyncio
import contextlib
from collections.abc import Sequence

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

from common import monitor, streams
from common.bus import Bus as Connection
from common.stages import Stage
from lumilio.status.seen import Bus, Reader

ANSWER_SECONDS = 5
AGAIN_SECONDS = 2
"""Who just took a message asks for the next one in a moment: whoever is not there then does not listen."""

STAGES: dict[str, str] = {
    streams.PLACE.name: Stage.PLACE,
    streams.PURGE.name: Stage.PURGE,
    streams.RENDER.name: Stage.RENDER,
    streams.TRANSCODE.name: Stage.TRANSCODE,
    streams.SIDECAR.name: Stage.SIDECAR,
}
HEARD = {*STAGES, streams.REGISTER.name, streams.SCAN.name}
"""Somebody always listens to these; nobody does for questions that no model answers."""


class Refused(Exception):
    """The bus answers, and lets us not in."""


async def hear(nats_url: str, monitor_url: str) -> Bus | None:
    """How the bus is; None where it does not answer, Refused where it does not know the password."""
    client = Client()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await client.connect(
                nats_url, allow_reconnect=False, max_reconnect_attempts=1, reconnect_time_wait=0, error_cb=_leave_it
            )
        return await _look(client, monitor_url)
    except (NatsError, OSError, TimeoutError) as error:
        if "authorization" in str(error).lower():
            raise Refused from None
        return None
    finally:
        with contextlib.suppress(NatsError, OSError):
            await client.close()


async def _look(client: Client, monitor_url: str) -> Bus:
    known = Connection(client, client.jetstream(timeout=ANSWER_SECONDS))
    return Bus(
        version=str(client._server_info.get("version", "?")),  # noqa: SLF001  # as in `common.bus`
        readers=await _readers(known),
        complaints=[*known.complaints(), *(await monitor.problems(monitor_url) if monitor_url else [])],
    )


async def _readers(bus: Connection) -> Sequence[Reader] | None:
    """The readers that are declared, None without a stream; who seems to be missing is looked for twice."""
    try:
        found = await _list(bus)
        if any(one.name in HEARD and not one.waiting for one in found):
            await asyncio.sleep(AGAIN_SECONDS)
            found = await _list(bus)
    except NotFoundError:
        return None
    return found


async def _list(bus: Connection) -> list[Reader]:
    names = {durable.name for durable in streams.DURABLES}
    return [_reader(one) for one in await bus.js.consumers_info(streams.NAME) if one.name in names]


def _reader(one: ConsumerInfo) -> Reader:
    return Reader(
        name=one.name,
        pending=one.num_pending or 0,
        held=one.num_ack_pending or 0,
        most_held=one.config.max_ack_pending or 0,
        waiting=one.num_waiting or 0,
    )


async def _leave_it(_: Exception) -> None:
    """Whoever asks is told once, by what the call raises."""
