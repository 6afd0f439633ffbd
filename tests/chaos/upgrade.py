"""A real older release serves while its database is migrated by this one, which then takes its place bit by bit."""

import asyncio
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

from tests.chaos import cluster
from tests.chaos.figures import Figures
from tests.support.forked import KINDS
from tests.support.rows import ask

ROOT = Path(__file__).parents[2]
MIGRATIONS = "libs/common/src/common/migrations"
OLDER = "LUMILIO_CHAOS_OLDER"
"""Names the commit of the older release; without it, it is the last one that lacks the newest migration."""


class NotHere(Exception):
    """The experiment cannot be made where it was started."""


async def upgrade(folder: Path, *, uploads: int) -> Figures:
    """Photos are sent all the time: each is acknowledged, placed, rendered and seen, whichever release does it."""
    older = folder / "older"
    await asyncio.to_thread(extract, older)
    kinds = [kind for kind in KINDS if (older / "services" / kind.replace("_", "-") / "src").is_dir()]
    sources = await _sources(older, kinds)
    async with cluster.running(folder, kinds, release=sources) as found:
        lacks = await _migrations(found)
        async with found.sending():
            await found.until_sent(uploads // 5)
            newer = {name: value for name, value in found.fleet.environment.items() if name != "PYTHONPATH"}
            await cluster.migrate(newer)
            by_older = len(found.fleet.acks)
            found.fleet.environment = newer
            for number, kind in enumerate(2 * kinds, start=2):
                await found.until_sent(uploads * number // 15)
                await found.fleet.replace(kind)
            for kind in set(KINDS).difference(kinds):
                await found.fleet.start(kind)
            await found.until_sent(uploads)
        await found.until_settled()
        figures = {"migrations": await _migrations(found) - lacks, "taken over": len(await found.taken_over())}
        await found.end()
    return {
        "acknowledged": len(found.fleet.acks),
        "before the migration": by_older,
        "sent again": found.fleet.refused,
        **figures,
    }


def extract(folder: Path) -> None:
    """The older release as it was committed; NotHere without the history of this code."""
    try:
        commit = os.environ.get(OLDER) or _git("log", "-1", "--diff-filter=A", "--format=%H^", "--", MIGRATIONS)
        packed = _git("archive", "--format=tar", commit.decode().strip() if isinstance(commit, bytes) else commit)
    except (OSError, subprocess.CalledProcessError):
        raise NotHere("it needs git and the history of this code") from None
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(folder, filter="data")


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", os.fspath(ROOT), *arguments], capture_output=True, check=True).stdout


async def _sources(older: Path, kinds: list[str]) -> str:
    """Where the modules of the older release lie; AssertionError if others would be imported."""
    spoken = [package.name for package in older.glob("protos/home_native")]
    members = ("common", "lumilio", *spoken, *kinds)
    sources = os.pathsep.join(map(os.fspath, (*older.glob("*/*/src"), older / "protos")))
    told = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", f"import {', '.join(members)}; print({'.__file__, '.join(members)}.__file__)"],
        env={**os.environ, "PYTHONPATH": sources},
        capture_output=True,
        text=True,
        check=False,
    )
    assert all(place.startswith(os.fspath(older)) for place in told.stdout.split()), told.stdout
    assert told.returncode == 0, told.stderr
    return sources


async def _migrations(found: cluster.Cluster) -> int:
    return int((await ask(found.pool, "select count(*) from migrations"))[0])
