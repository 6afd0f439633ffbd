"""What a person says and what moves, over a whole server: edits survive kills and readings, originals stay."""

import os
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import DEVNULL
from pathlib import Path
from typing import Any

import httpx
from blake3 import blake3

from processor.metadata import xmp
from processor.metadata.record import Said
from tests.support import clips, motions, photos
from tests.support.client import Client, signed_in
from tests.support.settling import until_settled, until_sound
from tests.support.stack import Stack
from tests.support.waiting import until

ALL = ("place", "render", "sidecar", "transcode")
VIDEO = clips.clip(kind="mp4")
LIVE = "5B1A6F8C-LIVE"


async def until_done(stack: Stack) -> None:
    """Wait until nothing is left to do."""
    await until_settled(stack, stages=ALL, seconds=60, what="everything is done")


async def say(client: Client, asset: object, **said: Any) -> httpx.Response:
    """Edit an asset."""
    return await client.http.patch(f"/assets/{asset}", json=said)


async def shown(client: Client, asset: object) -> dict[str, Any]:
    """An asset's title and stars, as a client sees them."""
    facts = (await client.get(f"/assets/{asset}")).json()["data"]["specific_metadata"]
    return {name: facts[name] for name in ("title", "rating")}


def beside(stack: Stack, content: bytes) -> Path:
    """Where the sidecar of these bytes belongs, wherever they lie in the inbox; they lie there once."""
    inbox = stack.repository / "inbox"
    (path,) = (path for path in inbox.rglob("*") if path.is_file() and path.read_bytes() == content)
    return path.with_name(f"{path.name}.xmp")


def sidecars(stack: Stack) -> set[Path]:
    """All that there are."""
    return set((stack.repository / "inbox").rglob("*.xmp"))


def told(path: Path) -> tuple[str | None, int | None]:
    """The title and the stars in a sidecar, nothing where there is none."""
    found: Said = xmp.read(path.read_bytes())[0] if path.exists() else Said()
    return found.title, found.rating


async def reprocess(stack: Stack) -> int | None:
    """Have everything read again, and wait for it."""
    command = ["-m", "lumilio", "reprocess", "--server", stack.base_url, "--user", stack.username, "--all", "--wait"]
    environment = {**os.environ, "LUMILIO_PASSWORD": stack.password}
    process = await create_subprocess_exec(sys.executable, *command, env=environment, stdout=DEVNULL, stderr=DEVNULL)
    return await process.wait()


async def test_edits_and_motion_over_a_whole_server(stack: Stack) -> None:
    """The sidecar has the newest words, also when the processor is killed before it could write or read again."""
    photo, motion = photos.jpeg(640, 480, seed=7), motions.google_2(VIDEO)
    still, video = motions.live_still(LIVE), motions.live_video(LIVE)
    before = sidecars(stack)
    async with signed_in(stack) as client:
        for content, name in ((photo, "p.jpg"), (motion, "m.jpg"), (still, "l.jpg"), (video, "l.mov")):
            await client.send(content, name)
        asset, moving, living, film = (ack.asset_id for ack in client.acks)
        await until_done(stack)

        assert (await say(client, asset, title="first", rating=2)).status_code == 200
        await until(lambda: told(beside(stack, photo)) == ("first", 2), what="the sidecar has it")

        assert (await say(client, asset, title="second", tags=["Places/Paris"])).status_code == 200
        stack.kill_child("processor")
        await until(
            lambda: told(beside(stack, photo)) == ("second", 2), seconds=60, what="the sidecar has it all the same"
        )
        await until_done(stack)
        assert await reprocess(stack) == 0
        assert (await say(client, asset, title="third")).status_code == 200
        await until_done(stack)

        assert told(beside(stack, photo)) == ("third", 2)
        assert await shown(client, asset) == {"title": "third", "rating": 2}
        assert sidecars(stack) - before == {beside(stack, photo)}

        playable = (await client.get(f"/assets/{film}/video/web")).content
        for one, whole in ((moving, VIDEO), (living, playable)):
            path = f"/assets/{one}/motion"
            assert blake3((await client.get(path)).content).digest() == blake3(whole).digest()
            part = await client.http.get(path, headers={"Range": "bytes=100-199"})
            assert (part.status_code, part.content) == (206, whole[100:200])
        await until_sound(stack, client.acks)
