"""How much more is done by more workers: what was placed is rendered by one, two and four of them."""

import statistics
import time
from collections import defaultdict

from tests.bench.figures import PARALLEL, PHOTOS, SETTINGS, Bench, Results, camera, measuring, pause, resume
from tests.support.stack import running_stack

ROUNDS = 3
COUNTS = (1, 2, 4)


async def workers(bench: Bench) -> Results:
    """Photos per second of so many workers, by turns, and how many times one of them that is."""
    rates = defaultdict[int, list[float]](list)
    for turn in range(ROUNDS):
        for count in COUNTS:
            rates[count].append(await _rate(bench, count, turn))
    ratios = {count: [more / one for more, one in zip(rates[count], rates[1], strict=True)] for count in COUNTS[1:]}
    return {
        **{f"scale: photos per second of {count} workers": statistics.median(rates[count]) for count in COUNTS},
        "scale: two workers, ratio to one (>= 1.7 on two idle cores)": statistics.median(ratios[2]),
        "scale: four workers, ratio to one": statistics.median(ratios[4]),
    }


async def _rate(bench: Bench, count: int, turn: int) -> float:
    """On a server of its own: the time is taken from when rendering may begin."""
    folder = bench.folder / f"scale-{count}-{turn}"
    folder.mkdir()
    async with running_stack(folder, **SETTINGS, LUMILIO_WORKERS=str(count)) as stack, measuring(stack, folder) as own:
        await own.send(camera(4), clients=1)
        await own.until_done()
        await pause(own)
        await own.send(camera(PHOTOS), clients=PARALLEL)
        await own.until_placed()
        began = time.monotonic()
        await resume(own)
        await own.until_done()
        return PHOTOS / (time.monotonic() - began)
