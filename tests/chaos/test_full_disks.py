"""Disks that are full, one after the other and all at once: nothing acknowledged is lost, and nobody has to help."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import httpx
import pytest

from lumilio.verify import Ack
from tests.support import photos, volumes
from tests.support.client import Client, signed_in
from tests.support.settling import until_sound
from tests.support.stack import Stack
from tests.support.waiting import until

MB = 1 << 20
HELD = "are held back for a database"
SMALL = {
    "LUMILIO_BALLAST_BYTES": str(48 * MB),
    "LUMILIO_RESERVE_BYTES": str(2 * MB),
    "LUMILIO_RESERVE_PERCENT": "0",
    "LUMILIO_CLEAN_SECONDS": "1",
}
FOLDERS = {"log": ("log", 16), "broker": ("nats", 16), "repository": ("repositories", 32)}

Disks = dict[str, volumes.Volume]

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disks]:
    """A disk each for the database, the logs, the broker and the repository."""
    with ExitStack() as mounts:
        data = tmp_path_factory.mktemp("disks") / "data"
        disks = {"database": mounts.enter_context(volumes.mounted(data, megabytes=240))}
        for name, (folder, megabytes) in FOLDERS.items():
            disks[name] = mounts.enter_context(volumes.mounted(data / folder, megabytes=megabytes))
        yield disks


@pytest.fixture(scope="module")
def stack(disks: Disks) -> Iterator[Stack]:
    """A server on these disks."""
    stack = Stack(disks["database"].path, SMALL)
    try:
        asyncio.run(stack.start())
        yield stack
    finally:
        asyncio.run(stack.end())


async def attempt(client: Client, seed: int) -> httpx.Response:
    """Send a photo once and note what was acknowledged."""
    answer = await client.http.post("/assets", files={"file": (f"{seed}.jpg", photos.jpeg(400, 300, seed=seed))})
    if answer.status_code == 200:
        data = answer.json()["data"]
        client.acks.append(Ack(asset_id=data["asset_id"], content_hash=data["content_hash"]))
    return answer


async def takes(client: Client, seed: int) -> bool:
    """Whether a photo is acknowledged."""
    return (await attempt(client, seed)).status_code == 200


async def refuses(client: Client, seed: int, reason: str) -> bool:
    """Whether a photo is refused for want of room, and for this reason."""
    answer = await attempt(client, seed)
    return answer.status_code == 507 and reason in answer.json()["error"]


async def reads(client: Client) -> bool:
    """Whether the first photo can still be had."""
    return (await client.get(f"/assets/{client.acks[0].asset_id}/original")).status_code == 200


async def test_each_disk_may_be_full(stack: Stack, disks: Disks) -> None:
    """Without room for originals uploads are refused, without room for the rest they go on; all heals by itself."""
    held = stack.output.count(HELD)
    async with signed_in(stack) as client:
        assert await takes(client, 0)

        disks["broker"].fill()
        disks["log"].fill()
        disks["database"].fill()
        await until(lambda: "is given up" in stack.output)
        assert await takes(client, 1)

        disks["database"].fill()
        await until(partial(refuses, client, 2, "disk of the database"))
        assert await reads(client)

        disks["database"].clear()
        disks["repository"].fill()
        await until(partial(refuses, client, 3, "disk of the repository"))
        assert await reads(client)

        for disk in disks.values():
            disk.clear()
        await until(partial(takes, client, 4))
        await until(lambda: stack.output.count(HELD) > held)
        await until_sound(stack, client.acks)


async def test_a_start_on_full_disks_serves_what_is_there(stack: Stack, disks: Disks) -> None:
    """Nobody has to make room before they can see their photos, and a full disk is no damage."""
    async with signed_in(stack) as client:
        assert await takes(client, 0)
        await stack.stop()
        for disk in disks.values():
            disk.fill()

        await stack.start()
        assert await reads(client)

        for disk in disks.values():
            disk.clear()
        await until(partial(takes, client, 1), seconds=60)
        await until_sound(stack, client.acks)
