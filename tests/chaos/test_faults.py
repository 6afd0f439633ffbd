"""Things die in the middle of an upload of sixty photos; nothing that was acknowledged is lost, doubled or stuck."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals

import pytest

from lumilio.verify import verify
from tests.support import photos
from tests.support.client import Client, signed_in
from tests.support.settling import count, until_settled
from tests.support.stack import QUICK, Stack, running_stack
from tests.support.waiting import until

PHOTOS = 60
PARALLEL = 4
WORKERS = ("ingest", "processor")
SETTLED_SECONDS = 120

# A crash's leftovers go at once here; a file that is being written is locked, and so never a leftover.
TIDY = {"LUMILIO_CLEAN_SECONDS": "1", "LUMILIO_ABANDONED_SECONDS": "1"}

Fault = Callable[[Stack, Client], Awaitable[None]]
Counts = tuple[int, int, int]

ASSETS = "select count(*) from assets"
PRESENT = "select count(*) from file_records where state = 'present'"
THUMBNAILS = "select count(*) from thumbnails"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server that stands one fault after the other."""
    stack = Stack(tmp_path_factory.mktemp("faults") / "data", TIDY)
    yield stack
    asyncio.run(stack.end())


@pytest.fixture
async def stack(server: Stack) -> Stack:
    """The same; it runs."""
    if not server.runs:
        await server.start()
    return server


@cache
def photo(number: int) -> bytes:
    return photos.jpeg(1000, 750, seed=number)


async def kept(stack: Stack) -> Counts:
    """How many assets, files in their places and thumbnails there are."""
    return await count(stack, ASSETS), await count(stack, PRESENT), await count(stack, THUMBNAILS)


async def acknowledged(client: Client, share: int) -> None:
    """Wait until so many percent of the photos are acknowledged."""
    await until(lambda: len(client.acks) >= PHOTOS * share // 100, seconds=60)


async def end_each_service(stack: Stack, client: Client, number: Signals) -> None:
    """One after the other, each in the middle of what it does."""
    ended = {}
    for name, share in (("gateway", 20), ("ingest", 45), ("processor", 70)):
        await acknowledged(client, share)
        ended[name] = stack.kill_child(name, number)
    for name, pid in ended.items():
        await stack.until_replaced(name, pid)


async def kill_each_service(stack: Stack, client: Client) -> None:
    await end_each_service(stack, client, SIGKILL)


async def restart_each_service(stack: Stack, client: Client) -> None:
    await end_each_service(stack, client, SIGTERM)


async def wipe_the_bus(stack: Stack, client: Client) -> None:
    """Delete the JetStream store under the running server, then kill the server, so that it starts with nothing."""
    await acknowledged(client, 30)
    shutil.rmtree(stack.nats_data, ignore_errors=True)
    stack.nats_data.mkdir(exist_ok=True)
    await stack.until_replaced("nats", stack.kill_child("nats"))


async def crash_the_database(stack: Stack, client: Client) -> None:
    await acknowledged(client, 30)
    await stack.until_replaced("postgres", stack.kill_child("postgres"))


async def crash_everything(stack: Stack, client: Client) -> None:
    """Kill the supervisor, and with it every process, and start again."""
    await acknowledged(client, 30)
    await stack.kill()
    await stack.start()


async def overtake_stopped_workers(stack: Stack, client: Client) -> None:
    """Workers stand still beyond their leases while others do their work, and go on as if nothing had been."""
    await acknowledged(client, 30)
    stopped = [stack.kill_child(name, SIGSTOP) for name in WORKERS]
    others = [await another(stack, name) for name in WORKERS]
    try:
        await acknowledged(client, 100)
        await until_settled(stack, seconds=2 * SETTLED_SECONDS, what="others do the work")
    finally:
        for pid in stopped:
            os.kill(pid, SIGCONT)
        for other in others:
            other.terminate()
            await other.wait()


async def another(stack: Stack, name: str) -> Process:
    """One more worker of a kind, beside those of the command."""
    environment = {**QUICK, "LUMILIO_DATABASE_URL": stack.database_url, "LUMILIO_NATS_URL": stack.nats_url}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", name, env={**os.environ, **environment}, stdout=DEVNULL, stderr=DEVNULL
    )


@pytest.mark.parametrize(
    "fault",
    [kill_each_service, wipe_the_bus, crash_the_database, crash_everything, overtake_stopped_workers],
    ids=lambda fault: fault.__name__,
)
async def test_every_acknowledged_photo_arrives(stack: Stack, fault: Fault) -> None:
    """Whatever dies meanwhile: each photo is there once, byte for byte, with its thumbnails, and nothing else is."""
    assets, present, thumbnails = await kept(stack)
    async with signed_in(stack) as client:
        sending = asyncio.create_task(send_all(client, fault.__name__.encode()))
        await fault(stack, client)
        await sending
        await until_settled(stack, seconds=SETTLED_SECONDS, what="every photo is ready")

    assert len({ack.asset_id for ack in client.acks}) == PHOTOS
    assert await kept(stack) == (assets + PHOTOS, present + PHOTOS, thumbnails + 3 * PHOTOS)
    await until(lambda: not list((stack.repository / ".lumilio/staging/incoming").iterdir()), what="staging is empty")
    said: list[str] = []
    assert await verify(stack.database_url, acks=client.acks, say=said.append), "\n".join(said)


async def test_an_orderly_restart_waits_for_no_lease(tmp_path: Path) -> None:
    """SIGTERM gives work back: with leases of ten minutes, restarted workers still have everything ready in seconds."""
    async with running_stack(tmp_path, **TIDY, LUMILIO_LEASE_SECONDS="600") as stack:
        async with signed_in(stack) as client:
            sending = asyncio.create_task(send_all(client))
            await restart_each_service(stack, client)
            await sending
            await until_settled(stack, seconds=SETTLED_SECONDS, what="every photo is ready")

        assert await count(stack, "select count(*) from asset_stages where state <> 'done'") == 0


async def send_all(client: Client, tail: bytes = b"") -> None:
    """All photos, a few at a time, each until it is acknowledged; with another tail they are others."""
    waiting = list(range(PHOTOS))

    async def send_some() -> None:
        while waiting:
            number = waiting.pop()
            await client.send(photo(number) + tail, f"IMG_{number % 20:04}.jpg")

    await asyncio.gather(*(send_some() for _ in range(PARALLEL)))
