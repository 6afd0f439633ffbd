# ruff: noqa: T201
"""`make bench`: the product beside a bare loop in the same run, because machines differ and are never quiet."""

import asyncio
import json
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import count, islice
from pathlib import Path

import psutil
from blake3 import blake3

from processor import images
from tests.support import photos
from tests.support.client import Client, signed_in
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until

CORES = 2
PHOTOS = 24
ROUNDS = 3
SINGLE = 10
WARM_UP = 4
MOTIFS = 5
IDLE_SECONDS = 15
PARALLEL = 4
RESULTS = Path("bench/results.json")

Results = dict[str, float]
_shots = count()


async def main() -> None:
    """Measure, print the table, write it down."""
    with tempfile.TemporaryDirectory(prefix="lumilio-bench-") as folder:
        results = await measure(Path(folder))
    for name, value in results.items():
        print(f"{name:<52} {value:>10.2f}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


async def measure(folder: Path) -> Results:
    """Every figure, on a stack of its own."""
    began = time.monotonic()
    async with running_stack(folder, LUMILIO_LEASE_SECONDS="60", LUMILIO_POLL_SECONDS="15") as stack:
        results = {"first start, s": time.monotonic() - began}
        await stack.stop()
        began = time.monotonic()
        await stack.start()
        results["second start, s"] = time.monotonic() - began
        results |= await idle(stack)
        async with signed_in(stack) as client:
            await send_and_wait(client, camera(WARM_UP))
            results |= await single(client)
            results |= await rate(client, folder)
    return results


def camera(number: int) -> list[bytes]:
    """New 12-megapixel photos; what stands behind the end of a JPEG makes them different and changes no pixel."""
    return [motifs()[shot % MOTIFS] + b"shot %d" % shot for shot in islice(_shots, number)]


@cache
def motifs() -> list[bytes]:
    return [photos.jpeg(4000, 3000, seed=number) for number in range(MOTIFS)]


async def idle(stack: Stack) -> Results:
    """Resident memory and CPU of the whole family of processes while nobody asks for anything."""
    family = processes(stack)
    before, began = sum(spent(process) for process in family), time.monotonic()
    await asyncio.sleep(IDLE_SECONDS)
    used = sum(spent(process) for process in family) - before
    return {
        "idle memory (proportional), MB": sum(p.memory_full_info().pss for p in family) / 1e6,
        "idle CPU, % of one core": 100 * used / (time.monotonic() - began),
    }


async def single(client: Client) -> Results:
    """From sending one 12-megapixel photo to its thumbnails, with nothing else to do."""
    times = []
    for photo in camera(SINGLE):
        began = time.monotonic()
        await send_and_wait(client, [photo])
        times.append((time.monotonic() - began) * 1000)
    return {"one photo, upload to ready, ms (median)": statistics.median(times)}


async def rate(client: Client, folder: Path) -> Results:
    """Photos per second end to end, by turns with a loop that only reads, hashes, renders and writes."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        batch = camera(PHOTOS)
        bare.append(PHOTOS / await asyncio.to_thread(bare_loop, folder, batch))
        began = time.monotonic()
        await send_and_wait(client, batch)
        ours.append(PHOTOS / (time.monotonic() - began))
    product, yardstick = statistics.median(ours), statistics.median(bare)
    return {
        "photos per second, end to end": product,
        "photos per second, bare loop": yardstick,
        "ratio": product / yardstick,
    }


async def send_and_wait(client: Client, batch: list[bytes]) -> None:
    """Send photos a few at a time and wait until the last one has its thumbnails."""
    waiting, sent = list(batch), len(client.acks)

    async def send_some() -> None:
        while waiting:
            await client.send(waiting.pop(), "photo.jpg")

    await asyncio.gather(*(send_some() for _ in range(PARALLEL)))
    for ack in client.acks[sent:]:
        await until(partial(is_ready, client, str(ack.asset_id)), seconds=120, every=0.01)


async def is_ready(client: Client, asset_id: str) -> bool:
    return (await client.get(f"/assets/{asset_id}/thumbnail", size="small")).status_code == 200


def bare_loop(folder: Path, batch: list[bytes]) -> float:
    """Seconds for the same work with neither database, bus nor sandbox, on the same number of processes."""
    paths = [folder / f"bare-{number}.jpg" for number in range(len(batch))]
    for path, content in zip(paths, batch, strict=True):
        path.write_bytes(content)
    with ProcessPoolExecutor(CORES) as pool:
        list(pool.map(abs, range(CORES)))
        began = time.monotonic()
        list(pool.map(bare_photo, paths))
        return time.monotonic() - began


def bare_photo(path: Path) -> None:
    """Read, hash, decode once, write three thumbnails."""
    content = path.read_bytes()
    blake3(content).digest()
    with path.open("rb") as file:
        photo = images.render(file, "image/jpeg")
    for size, thumbnail in photo.thumbnails.items():
        path.with_suffix(f".{size}").write_bytes(thumbnail.data)


def processes(stack: Stack) -> list[psutil.Process]:
    """The supervisor and all that it started."""
    assert stack._process is not None
    supervisor = psutil.Process(stack._process.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    asyncio.run(main())
