"""A folder of photos is copied in, moved and halved while the services that read it and their database are killed."""

import asyncio
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from signal import SIGKILL

import psycopg

from tests.chaos.figures import Figures
from tests.support import photos
from tests.support.processes import family
from tests.support.settling import count
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until

VICTIMS = ("syncer", "ingest", "syncer", "postgres")
SETTLE_SECONDS = 300
PHOTO = photos.jpeg(64, 48)


async def storm(folder: Path, *, files: int, blows: int, seed: int = 0) -> Figures:
    """Every file ends as one asset where it lies, whatever was killed while it was found, read and registered."""
    chance = Random(seed)
    async with running_stack(folder) as stack:
        began = time.monotonic()
        _fill(stack.repository / "in", files)
        await _strike(stack, chance, blows)
        await until(lambda: _is_true(stack, "in", files), seconds=SETTLE_SECONDS, every=0.5, what="all is known")
        before = await count(stack, "select count(*) from assets")
        found = time.monotonic() - began

        os.rename(stack.repository / "in", stack.repository / "moved")
        await _strike(stack, chance, blows)
        await until(
            lambda: _is_true(stack, "moved", files), seconds=SETTLE_SECONDS, every=0.5, what="all is known again"
        )

        assert before == await count(stack, "select count(*) from assets") == files
        assert await count(stack, "select count(*) from file_records where state = 'present'") == files
    return {"files": files, "killed": 2 * blows, "found s": found, "all s": time.monotonic() - began}


def _fill(folder: Path, files: int) -> None:
    """Files in folders of fifty, put there all at once as a move does."""
    making = folder.with_name(f".{folder.name}")
    for number in range(files):
        path = making / str(number // 50) / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PHOTO + b"%d" % number)
    shutil.move(making, folder)


async def _strike(stack: Stack, chance: Random, blows: int) -> None:
    """Kill one after the other, each when the one before may have just begun again."""
    for number in range(blows):
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        with suppress(FileNotFoundError, ProcessLookupError):
            pid = stack.pid(VICTIMS[number % len(VICTIMS)])
            if pid in family(stack.command_pid):
                os.kill(pid, SIGKILL)


async def _is_true(stack: Stack, folder: str, files: int) -> bool:
    """Whether each file lies in a folder as far as the catalogue knows, and its asset is shown."""
    with suppress(psycopg.OperationalError):
        known = f"""
            select count(distinct asset_id)
            from file_records
            join assets using (asset_id)
            where starts_with(convert_from(path, 'utf8'), '{folder}/')
              and state = 'present'
              and assets.missing_since is null
        """
        return await count(stack, known) == files
    return False
