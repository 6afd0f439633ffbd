"""Sending files without HTTP: what the gateway does once a body arrives, called in process."""

from collections.abc import AsyncIterator

from nats.aio.client import Client

from common.bus import Bus
from common.db import Pool
from common.outbox import Relay
from gateway.announced import Sender
from gateway.upload_schemas import UploadResponse
from gateway.uploads import Intake
from tests.support.given import Repository, User

ANY_SIZE = 1 << 30


async def send(
    pool: Pool, repository: Repository, user: User, content: bytes, name: str = "p.jpg", *, lane: int = 0
) -> UploadResponse:
    """Take a file in; when this returns, it is acknowledged."""
    client = Client()
    bus = Bus(client, client.jetstream())
    intake = Intake(pool, Relay(pool, bus, poll_seconds=60), ANY_SIZE)
    target = await intake.open(str(repository.repository_id))
    return await intake.take(_pieces(content), target, Sender(user.user_id, lane), name=name, expected=None)


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    middle = len(content) // 2
    yield content[:middle]
    yield content[middle:]
