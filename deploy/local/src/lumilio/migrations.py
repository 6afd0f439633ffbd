"""Brings the database and the stream to what this code declares."""

import msgspec
import nats
from nats.errors import Error as NatsError
from psycopg import OperationalError

from common import migrate, streams
from common.settings import Replicas
from lumilio.refusal import CannotStart

JETSTREAM_SECONDS = 30


class StreamSettings(msgspec.Struct, frozen=True, kw_only=True):
    """On how many nodes of the bus every message is kept."""

    stream_replicas: Replicas = 1
    """On how many nodes of a NATS cluster every message is kept; services are told the same."""


class DamagedStore(CannotStart):
    """The NATS server answers and cannot keep a stream."""


async def apply(database_url: str) -> list[str]:
    """Apply what the database lacks; returns the names of the migrations that were applied."""
    try:
        return await migrate.migrate(database_url)
    except migrate.TablesInUse as error:
        raise CannotStart(str(error)) from None
    except OperationalError as error:
        raise CannotStart(f"the database does not answer: {str(error).strip()}") from None


async def declare(nats_url: str, *, replicas: int = 1) -> None:
    """Make the stream and its readers what this code declares."""
    try:
        client = await nats.connect(nats_url, allow_reconnect=False, error_cb=_ignore)
    except (NatsError, OSError) as error:
        raise CannotStart(f"the NATS server does not answer: {error}") from None
    try:
        await streams.migrate(client.jetstream(timeout=JETSTREAM_SECONDS), replicas=replicas)
    except NatsError as error:
        raise DamagedStore(f"the NATS server cannot keep its stream: {error}") from None
    finally:
        await client.close()


async def _ignore(_: Exception) -> None:
    """The failed call says the same."""
