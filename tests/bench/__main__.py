# ruff: noqa: T201
"""`make bench`: the product beside a bare loop in the same run, because machines differ and are never quiet."""

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import (
    figures,
    films,
    formats,
    inference,
    library,
    looks,
    metadata,
    raws,
    scale,
    scans,
    sharing,
    thumbnails,
    vectors,
)
from tests.bench.figures import SETTINGS, Bench, Results, measuring
from tests.support.stack import Stack, running_stack

RESULTS = Path("bench/results.json")


async def main(*wanted: str) -> None:
    """Measure the figures whose functions' names begin as wanted, or all; print the table, write it down."""
    with tempfile.TemporaryDirectory(prefix="lumilio-bench-", dir=os.environ.get("LUMILIO_BENCH_FOLDER")) as folder:
        results = await measure(Path(folder), wanted)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


async def measure(folder: Path, wanted: tuple[str, ...]) -> Results:
    """The figures, on one stack."""
    began = time.monotonic()
    async with running_stack(folder, **SETTINGS) as stack:
        results = _told({"first start, s": time.monotonic() - began})
        results |= _told(await second_start(stack))
        async with measuring(stack, folder) as bench:
            for measured in ALL:
                if not wanted or measured.__name__.startswith(wanted):
                    results |= _told(await measured(bench))
    return results


async def second_start(stack: Stack) -> Results:
    """How long somebody waits who starts it every day."""
    await stack.stop()
    began = time.monotonic()
    await stack.start()
    return {"second start, s": time.monotonic() - began}


async def raw_previews(bench: Bench) -> Results:
    """Raw files with a preview."""
    return await asyncio.to_thread(raws.previews, bench.folder)


ALL = (
    figures.idle,
    *films.ALL,
    *looks.ALL,
    sharing.beside_films,
    *figures.ALL,
    *thumbnails.ALL,
    metadata.metadata_pass,
    formats.every_format,
    raw_previews,
    inference.inference,
    scale.workers,
    *scans.ALL,
    vectors.vectors,
    library.library,
)


def _told(results: Results) -> Results:
    for name, value in results.items():
        print(f"{name:<68} {value:>9.2f}", flush=True)
    return results


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
