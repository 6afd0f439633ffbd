"""`lumilio reprocess` from a person's point of view: other thumbnails are wanted, and all photos get them."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from io import BytesIO

from PIL import Image

from tests.support import photos
from tests.support.client import Client, signed_in
from tests.support.settling import count
from tests.support.stack import Stack
from tests.support.waiting import until

FAILED = "select count(distinct asset_id) from asset_stages where state = 'failed'"


async def reprocess(stack: Stack, *options: str) -> tuple[int | None, str]:
    """The command, from its start to its end."""
    command = ["-m", "lumilio", "reprocess", "--server", stack.base_url, "--user", stack.username, *options]
    environment = {**os.environ, "LUMILIO_PASSWORD": stack.password}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environment, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def widths(client: Client) -> list[int]:
    """How wide the small thumbnails are, once all are there."""
    answers = [await client.get(f"/assets/{ack.asset_id}/thumbnail", size="small") for ack in client.acks]
    if any(answer.status_code != 200 for answer in answers):
        return []
    return [Image.open(BytesIO(answer.content)).width for answer in answers]


async def test_what_is_there_gets_the_thumbnails_that_are_wanted_now(stack: Stack) -> None:
    """The repository says what it wants, one command has everything rendered again, and its end is the end."""
    async with signed_in(stack) as client:
        for number in range(3):
            await client.send(photos.jpeg(640, 480, seed=number), f"{number}.jpg")
        await until(lambda: widths(client), seconds=60)
        path = stack.repository / ".lumiliorepo"
        told = path.read_text()
        path.write_text(told.replace("thumbnail_small: null", "thumbnail_small: 100"))

        nothing = await reprocess(stack, "--missing", "--wait")
        before = await widths(client)
        status, said = await reprocess(stack, "--all", "--type", "photo", "--wait")

        assert (nothing[0], nothing[1].splitlines()[0][:2]) == (0, "0 ")
        assert before == [400] * 3
        assert (status, said.splitlines()[0][:2], said.splitlines()[-1]) == (0, "3 ", "all is done")
        assert await widths(client) == [100] * 3
        failed = await count(stack, FAILED)
        status, said = await reprocess(stack, "--everyone", "--failed")
        assert (status, said.split()[0]) == (0, str(failed))
        wrong = await reprocess(stack, "--all", "--missing")
        assert (wrong[0], "not allowed with" in wrong[1]) == (2, True)
        path.write_text(told)
