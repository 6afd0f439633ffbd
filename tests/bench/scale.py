"""How much more is done by more workers: what was placed is rendered by one, two and four of them."""

import asyncio
import statistics
import time
from collections import defaultdict

from tests.bench import loop
from tests.bench.figures import PARALLEL, PHOTOS, SETTINGS, Bench, Results, camera, measuring, pause, resume, shots
from tests.support.stack import running_stack
from tests.support.waiting import until

ROUNDS = 3
COUNTS = (1, 2, 4)


async def workers(bench: Bench) -> Results:
    """Photos per second of so many workers, by turns with the bare loop, and how many times one of them that is."""
    rates, bare = defaultdict[int, list[float]](list), list[float]()
    with loop.running(bench.folder / "bare", shots(4)) as yardstick:
        for turn in range(ROUNDS):
            seconds, _ = await asyncio.to_thread(yardstick.run, shots(PHOTOS))
            bare.append(PHOTOS / seconds)
            for count in COUNTS:
                rates[count].append(await _rate(bench, count, turn))
    return {
        "scale: photos per second, bare loop of two": statistics.median(bare),
        **{f"scale: photos per second of {count} workers": statistics.median(rates[count]) for count in COUNTS},
        "scale: two workers, ratio to one (>= 1.7 on two idle cores)": _ratio(rates[2], rates[1]),
        "scale: four workers, ratio to one": _ratio(rates[4], rates[1]),
        "scale: two workers, ratio to the bare loop": _ratio(rates[2], bare),
    }


def _ratio(rates: list[float], others: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(rates, others, strict=True))


async def _rate(bench: Bench, count: int, turn: int) -> float:
    """On a server of its own: the time is taken from when the first one is in hand."""
    folder = bench.folder / f"scale-{count}-{turn}"
    folder.mkdir()
    settings = {**SETTINGS, "LUMILIO_POLL_SECONDS": "1", "LUMILIO_WORKERS": str(count)}
    async with running_stack(folder, **settings) as stack, measuring(stack, folder) as own:
        await own.send(camera(4), clients=1)
        await own.until_done()
        await pause(own)
        await own.send(camera(PHOTOS), clients=PARALLEL)
        await own.until_placed()
        await resume(own)
        await until(lambda: _is_begun(own), seconds=60, every=0.005)
        began = time.monotonic()
        await own.until_done()
        return PHOTOS / (time.monotonic() - began)


async def _is_begun(bench: Bench) -> bool:
    return await bench.ask("select count(*) from asset_stages where stage = 'render' and state = 'running'") > 0
