"""A person's own folder in a repository: copied in, scanned, lost, and put back, with the command and the API."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from lumilio_client import AsyncClient, NotFound, api
from tests.support import photos
from tests.support.client import program
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """A server apart: whether all is gone depends on what else there is."""
    async with running_stack(tmp_path) as running:
        yield running


async def scan(stack: Stack, *options: str) -> tuple[int | None, str]:
    """The command, from its start to its end."""
    command = ["-m", "lumilio", "scan", "--server", stack.base_url, *options]
    environment = {**os.environ, "LUMILIO_PASSWORD": stack.password}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def shown(client: AsyncClient) -> dict[str, UUID]:
    """The photos that lists show and that are complete: their paths and ids."""
    found = [one async for one in client.each(api.list_assets())]
    return {one.storage_path: one.asset_id for one in found if one.status == "complete"}


async def listed(client: AsyncClient) -> set[UUID]:
    """The ids of all that lists show, also of what cannot be opened at the moment."""
    return {one.asset_id async for one in client.each(api.list_assets())}


async def test_a_folder_of_photos_becomes_assets_and_survives_being_away(stack: Stack) -> None:
    """What is copied in is shown after one command; what is all gone is asked about; what comes back is the same."""
    marker = stack.repository / ".lumiliorepo"
    marker.write_text(marker.read_text().replace("watch: auto", "watch: 'off'"))  # so that the command finds it first
    folder = stack.repository / "Holidays" / "2019"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(photos.jpeg(64, 48, seed=number))
    (folder / ".hidden.jpg").write_bytes(photos.jpeg(64, 48, seed=9))
    (folder / "link.jpg").symlink_to("0.jpg")

    async with program(stack) as client:
        await until(lambda: _watches(client, "off"), what="nothing is watched")
        status, said = await scan(stack, "--repository", "Primary Storage")
        first = await until(lambda: _all(client, 3), seconds=60, what="three photos are shown")

        assert status == 0, said
        assert ("passed over: links" in said, "passed over: ignored names" in said) == (True, True)
        assert set(first) == {f"Holidays/2019/{number}.jpg" for number in range(3)}

        shutil.move(stack.repository / "Holidays", stack.data / "away")
        status, said = await scan(stack)
        assert (status, "3 files are not where they were" in said) == (3, True), said
        assert await listed(client) == set(first.values())

        status, said = await scan(stack, "--accept-missing", "--yes")
        assert (status, await shown(client)) == (0, {}), said
        with pytest.raises(NotFound, match="not on the disk at the moment"):
            await client.ask(api.original(first["Holidays/2019/0.jpg"]))

        shutil.move(stack.data / "away", stack.repository / "Holidays")
        status, said = await scan(stack, "Holidays")
        assert (status, await shown(client)) == (0, first), said


async def _watches(client: AsyncClient, mode: str) -> bool:
    (repository,) = (await client.ask(api.list_repositories())).repositories
    watched = (await client.ask(api.get_sync(repository.id))).watched
    return watched is not None and watched.mode == mode


async def _all(client: AsyncClient, number: int) -> dict[str, UUID]:
    found = await shown(client)
    return found if len(found) == number else {}
