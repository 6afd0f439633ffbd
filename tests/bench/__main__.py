# ruff: noqa: T201
"""`make bench`: the product beside a bare loop in the same run, because machines differ and are never quiet."""

import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

from psycopg import AsyncConnection

from tests.bench import figures, formats, metadata, raws
from tests.bench.figures import Bench, Results
from tests.bench.sender import Sender
from tests.support.client import signed_in
from tests.support.stack import Stack, running_stack

RESULTS = Path("bench/results.json")

# As an installation has them; tests have them shorter.
SETTINGS = {
    "LUMILIO_LEASE_SECONDS": "60",
    "LUMILIO_POLL_SECONDS": "15",
    "LUMILIO_RELAY_SECONDS": "2",
    "LUMILIO_ACCESS_TOKEN_SECONDS": "7200",
}


async def main() -> None:
    """Measure, print the table, write it down."""
    with tempfile.TemporaryDirectory(prefix="lumilio-bench-", dir=os.environ.get("LUMILIO_BENCH_FOLDER")) as folder:
        results = await measure(Path(folder))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


async def measure(folder: Path) -> Results:
    """Every figure, on one stack."""
    began = time.monotonic()
    async with running_stack(folder, **SETTINGS) as stack:
        results = _told({"first start, s": time.monotonic() - began})
        results |= _told(await second_start(stack))
        async with (
            signed_in(stack) as client,
            await AsyncConnection.connect(stack.database_url, autocommit=True) as conn,
        ):
            token = client.http.headers["Authorization"].removeprefix("Bearer ")
            bench = Bench(stack, client, Sender(stack.port, token), folder, conn)
            for measured in (*figures.ALL, metadata.metadata_pass, formats.every_format):
                results |= _told(await measured(bench))
            results |= _told(await asyncio.to_thread(raws.previews, folder))
    return results


async def second_start(stack: Stack) -> Results:
    """How long somebody waits who starts it every day."""
    await stack.stop()
    began = time.monotonic()
    await stack.start()
    return {"second start, s": time.monotonic() - began}


def _told(results: Results) -> Results:
    for name, value in results.items():
        print(f"{name:<68} {value:>9.2f}", flush=True)
    return results


if __name__ == "__main__":
    asyncio.run(main())
