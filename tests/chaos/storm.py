"""Good and broken files are sent by `lumilio upload` while everything is killed, stopped and wiped at random."""

import asyncio
import json
import os
import shutil
import sys
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGKILL, SIGSTOP

from lumilio.verify import verify
from tests.chaos.figures import Figures
from tests.support import films, photos
from tests.support.processes import family
from tests.support.settling import count, failures, is_tidy, until_settled
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until

TIDY = {"LUMILIO_CLEAN_SECONDS": "1", "LUMILIO_ABANDONED_SECONDS": "1"}
SERVICES = ("gateway", "ingest", "processor")
WORKERS = ("ingest", "processor")
PAUSED_SECONDS = 5.0  # more than twice a lease
POSTGRES_SECONDS = 20.0
SHORTEST_CALM, LONGEST_CALM = 1.0, 5.0
SETTLE_SECONDS = 300
READY = """
    select count(*)
    from assets
    join asset_stages using (asset_id)
    where starts_with(original_filename, 'good') and stage = 'render' and state = 'done' and stored_at is not null
"""
PLAYABLE = """
    select count(*)
    from assets
    join asset_stages using (asset_id)
    join renditions using (asset_id)
    where renditions.kind = 'web' and stage = 'transcode' and state = 'done'
"""
STAGES = ("place", "render", "transcode")

Blow = Callable[[Stack, Random], Awaitable[None]]


async def storm(folder: Path, *, files: int, wipes: int = 0, seed: int = 0) -> Figures:
    """Every good file ends ready and every broken one explained, whatever happened meanwhile."""
    chance, sent = Random(seed), folder / "sent"
    good, broken = _fill(sent, files, chance)
    async with running_stack(folder, **TIDY) as stack:
        report = folder / "report.jsonl"
        began = time.monotonic()
        sending = await _upload(stack, sent, report)
        blows = await _rage(stack, sending, chance, wipes=wipes)
        ended = time.monotonic()
        await until_settled(stack, stages=STAGES, seconds=SETTLE_SECONDS, every=0.5, what="everything is ready")
        figures = {**blows, "sent s": ended - began, "settled s": time.monotonic() - ended}

        explained = {os.path.basename(json.loads(line)["path"]) for line in report.read_text().splitlines()}
        assert explained == broken, (folder / "upload.log").read_text()[-2000:]
        assert await count(stack, READY) == len(good), await failures(stack)
        assert await count(stack, PLAYABLE) == len([name for name in good if name.endswith(".avi")])
        await until(lambda: is_tidy(stack), seconds=SETTLE_SECONDS, what="staging is empty")
        said: list[str] = []
        assert await verify(stack.database_url, say=said.append), "\n".join(said)
    return {"good": len(good), "broken": len(broken), "explained": len(explained), **figures}


def _fill(folder: Path, files: int, chance: Random) -> tuple[set[str], set[str]]:
    """A folder of so many files, each tenth broken in one of four ways, each twentieth a film; good and bad names."""
    names: tuple[set[str], set[str]] = (set(), set())
    film = films.film("avi", "mpeg4", size=(160, 120), seconds=4)
    motifs = [photos.jpeg(1200, 900, seed=number) for number in range(4)]
    for number in range(files):
        is_broken, is_film = number % 10 == 9, number % 20 == 0
        content = (film if is_film else chance.choice(motifs)) + chance.randbytes(16)
        if is_broken:
            content = chance.choice([b"", b"no photo %d" % number, content[: 400 + number], content[: 50_000 + number]])
        path = folder / f"{number % 7}" / f"{'bad' if is_broken else 'good'}{number:04}{'.avi' if is_film else '.jpg'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        names[is_broken].add(path.name)
    return names


async def _upload(stack: Stack, folder: Path, report: Path) -> Process:
    command = ["upload", os.fspath(folder), "--server", stack.base_url, "--report", os.fspath(report)]
    with (folder.parent / "upload.log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lumilio", *command),
            stdin=DEVNULL,
            stdout=log,
            stderr=STDOUT,
            env={**os.environ, "LUMILIO_PASSWORD": stack.password},
        )


async def _rage(stack: Stack, sending: Process, chance: Random, *, wipes: int) -> dict[str, float]:
    """Until everything is sent, one blow after the other, and Postgres dies every 20 s; returns how many of each."""
    blows: Counter[str] = Counter()
    quake = time.monotonic() + POSTGRES_SECONDS
    while sending.returncode is None or blows["wipe"] < wipes:
        with suppress(TimeoutError):
            async with asyncio.timeout(chance.uniform(SHORTEST_CALM, LONGEST_CALM)):
                await (sending.wait() if blows["wipe"] >= wipes else asyncio.Event().wait())
        name = "wipe" if wipes else chance.choices(["kill", "wipe", "stop", "crash"], weights=[8, 4, 3, 1])[0]
        if time.monotonic() > quake:
            name, quake = "postgres", time.monotonic() + POSTGRES_SECONDS
        await BLOWS[name](stack, chance)
        blows[name] += 1
    return dict(blows)


async def _kill(stack: Stack, chance: Random) -> None:
    _send(stack, chance.choice(SERVICES), SIGKILL)


async def _kill_postgres(stack: Stack, _: Random) -> None:
    _send(stack, "postgres", SIGKILL)


async def _stop(stack: Stack, chance: Random) -> None:
    """A worker stands still for longer than its lease, and does not notice."""
    name = chance.choice(WORKERS)
    if pid := _send(stack, name, SIGSTOP):
        await asyncio.sleep(PAUSED_SECONDS)
        with suppress(ProcessLookupError):
            os.kill(pid, SIGCONT)


async def _wipe(stack: Stack, _: Random) -> None:
    """The broker starts with nothing."""
    shutil.rmtree(stack.nats_data, ignore_errors=True)
    stack.nats_data.mkdir(exist_ok=True)
    _send(stack, "nats", SIGKILL)


async def _crash(stack: Stack, _: Random) -> None:
    await stack.kill()
    await stack.start()


def _send(stack: Stack, name: str, number: int) -> int | None:
    """A signal for a child that lives; a number that is somebody else's by now is left alone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        pid = stack.pid(name)
        if pid in family(stack.command_pid):
            os.kill(pid, number)
            return pid
    return None


BLOWS: dict[str, Blow] = {"kill": _kill, "wipe": _wipe, "stop": _stop, "crash": _crash, "postgres": _kill_postgres}
