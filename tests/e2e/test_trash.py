"""The trash from a person's point of view: thrown away, looked at, purged by the command, and sent again."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest

from lumilio_client import AsyncClient, NotFound, api
from tests.support import photos
from tests.support.client import program
from tests.support.stack import Stack
from tests.support.waiting import until


async def trash(stack: Stack, *options: str) -> tuple[int | None, str]:
    """The command, from its start to its end."""
    command = ["-m", "lumilio", "trash", *options, "--server", stack.base_url, "--user", stack.username]
    environment = {**os.environ, "LUMILIO_PASSWORD": stack.password}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


def files_of(stack: Stack) -> set[Path]:
    """All files of photos."""
    found = (stack.repository / folder for folder in ("inbox", ".lumilio/trash", ".lumilio/assets"))
    return {path for folder in found for path in folder.rglob("*") if path.is_file()}


async def is_shown(client: AsyncClient, asset: UUID) -> bool:
    return (await client.ask(api.get_asset(asset))).status == "complete"


async def test_what_is_thrown_away_goes_for_good_and_comes_again(stack: Stack) -> None:
    """Every trace of it goes, also when the worker dies meanwhile, and the same photo sent again is a new one."""
    photo, others = photos.jpeg(640, 480, seed=1), files_of(stack)
    async with program(stack) as client:
        asset = (await client.upload(BytesIO(photo), name="a.jpg")).asset_id
        await until(lambda: is_shown(client, asset), seconds=60)
        await client.ask(api.trash_asset(asset))
        listed = await trash(stack, "list")
        unasked = await trash(stack, "purge", "--all")

        purged = await trash(stack, "purge", str(asset), "--yes")
        stack.kill_child("ingest")
        await until(lambda: files_of(stack) == others, seconds=60)

        assert (listed[0], listed[1].split()[0]) == (0, str(asset))
        assert "1 in the trash" in listed[1]
        assert (unasked[0], "use --yes" in unasked[1]) == (1, True)
        assert (purged[0], purged[1][:15]) == (0, "1 go for good, ")
        with pytest.raises(NotFound):
            await client.ask(api.get_asset(asset))
        again = (await client.upload(BytesIO(photo), name="a.jpg")).asset_id
        await until(lambda: is_shown(client, again), seconds=60)
        assert again != asset
