"""What a film that is being made leaves to photos."""

import asyncio
import statistics
import time
from pathlib import Path

from tests.bench import clips, films
from tests.bench.figures import PARALLEL, SETTINGS, Bench, Results, camera, measuring, pause, resume
from tests.support.stack import running_stack

ROUNDS = 5
PHOTOS = 24
SECONDS = 120
"""Longer than the photos need, however slow the machine is."""


async def beside_films(bench: Bench) -> Results:
    """Photos per second out of a backlog: alone, beside a film, and beside a film that takes idle time only."""
    path = await asyncio.to_thread(clips.phone, bench.folder / "film.mp4", "hevc", seconds=SECONDS)
    alone, low = await _by_turns(bench, path)
    (bench.folder / "idle").mkdir()
    async with (
        running_stack(bench.folder / "idle", **SETTINGS, LUMILIO_TRANSCODE_PRIORITY="idle") as stack,
        measuring(stack, bench.folder) as other,
    ):
        _, idle = await _by_turns(other, path)
    return {
        "photos: per second, out of a backlog": statistics.median(alone),
        "photos: beside a film, ratio (>= 0.45)": statistics.median(low),
        "photos: beside a film at idle times, ratio (>= 0.9)": statistics.median(idle),
    }


async def _by_turns(bench: Bench, path: Path) -> tuple[list[float], list[float]]:
    """The paces while the film is held, and the ratios to them of those while it is made."""
    film = await films.upload(bench, path)
    encoder = await films.encoder(bench)
    await pace(bench)
    alone, ratios = [], []
    for _ in range(ROUNDS):
        encoder.suspend()
        alone.append(await pace(bench))
        encoder.resume()
        ratios.append(await pace(bench) / alone[-1])
    assert encoder.is_running(), "the film was too short"
    await films.want(bench, film, "never")
    await bench.until_done()
    return alone, ratios


async def pace(bench: Bench) -> float:
    """Photos per second when all of them wait at the beginning."""
    await pause(bench)
    await bench.send(camera(PHOTOS), clients=PARALLEL)
    await bench.until_placed()
    began = time.monotonic()
    await resume(bench)
    await bench.until_rendered()
    return PHOTOS / (time.monotonic() - began)
