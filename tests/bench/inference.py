"""Pictures per second through ml-server, and through the dispatcher too, beside onnxruntime with nothing around it."""

import asyncio
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from onnxruntime.quantization import QuantType, quantize_dynamic
from PIL import Image

from ml_server.main import NICE
from tests.bench import seer, vit
from tests.bench.figures import INFERENCE_PORT, PARALLEL, Bench, Results
from tests.bench.sender import whole
from tests.support import photos
from tests.support.ml_servers import Asker, asking, encoded, running_ml_server
from tests.support.waiting import until

ROUNDS = 3
SECONDS = 4.0
MOTIFS = 8
PHOTOS = {"32 bits": 120, "8 bits": 240}
BEGUN = 10
"""So many are done before the time is taken, for a worker that finds a server begins slowly."""


async def inference(bench: Bench) -> Results:
    """A tower of the size of ViT-B/32, plain and of 8 bits: thumbnails sent one by one, by turns with the bare loop."""
    models = bench.folder / "models"
    plain = await asyncio.to_thread(vit.write, models / "vit")
    (models / "labels.txt").write_text("red\ngreen")
    results = await _measured(bench, models, plain / "visual" / "model.onnx", "32 bits")
    small = plain / "visual" / "model_int8.onnx"
    await asyncio.to_thread(quantize_dynamic, plain / "visual" / "model.onnx", small, weight_type=QuantType.QInt8)
    return results | await _measured(bench, models, small, "8 bits")


async def _measured(bench: Bench, models: Path, path: Path, bits: str) -> Results:
    direct, bare, dispatched, beside = [], [], [], []
    best = await asyncio.to_thread(_bare, path, 0)
    async with running_ml_server(models) as server, asking(server.address) as asker:
        streams = (await asker.capabilities())[0].max_concurrency
        await _embedded(asker, streams, SECONDS / 4)
        for _ in range(ROUNDS):
            bare.append(await asyncio.to_thread(_bare, path, best))
            direct.append(await _embedded(asker, streams, SECONDS))
    for _ in range(ROUNDS):
        beside.append(await asyncio.to_thread(_bare, path, best))
        dispatched.append(await _dispatched(bench, models, PHOTOS[bits]))
    return {
        f"inference: {bits}, pictures per second of onnxruntime alone": statistics.median(bare),
        f"inference: {bits}, pictures per second of ml-server": statistics.median(direct),
        f"inference: {bits}, ratio (>= 0.8)": statistics.median(a / b for a, b in zip(direct, bare, strict=True)),
        f"inference: {bits}, photos per second embedded and classified": statistics.median(dispatched),
        f"inference: {bits}, ratio of that (>= 0.8)": statistics.median(
            a / b for a, b in zip(dispatched, beside, strict=True)
        ),
    }


async def _embedded(asker: Asker, streams: int, seconds: float) -> float:
    """Pictures per second over so many streams."""
    began, done = time.perf_counter(), 0
    sent = _sent()

    async def work() -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await asker.embed(next(sent))
            done += 1

    await asyncio.gather(*(work() for _ in range(streams)))
    return done / (time.perf_counter() - began)


def _sent() -> Iterator[bytes]:
    """No two are the same to who remembers them; what stands behind the end of a picture changes no pixel."""
    for number in itertools.count():
        yield _thumbnails()[number % MOTIFS] + b"%d of %d" % (number, time.monotonic_ns())


@cache
def _thumbnails() -> list[bytes]:
    """As the processor makes small ones."""
    motifs = [Image.open(BytesIO(photos.jpeg(400, 300, seed=number))) for number in range(MOTIFS)]
    return [encoded(motif) for motif in motifs]


_seeds = itertools.count(1000)


async def _dispatched(bench: Bench, models: Path, number: int) -> float:
    """Photos per second that were rendered before a server came, from when it is at work until all are done."""
    await bench.send([whole(photos.jpeg(400, 300, seed=next(_seeds))) for _ in range(number)], clients=PARALLEL)
    await bench.until_rendered()
    before = await bench.ask(EMBEDDED)
    async with running_ml_server(models, port=INFERENCE_PORT):

        async def done(least: int) -> bool:
            return await bench.ask(EMBEDDED) >= before + least

        await until(lambda: done(BEGUN), seconds=120, every=0.01)
        began, begun = time.perf_counter(), await bench.ask(EMBEDDED) - before
        await until(lambda: done(number), seconds=120, every=SELDOM)
        seconds = time.perf_counter() - began
        await bench.until_done()
    return (number - begun) / seconds


EMBEDDED = "select count(*) from embeddings"
SELDOM = 0.25
"""Seconds between looks, each of which costs as much as a photo."""


def _bare(path: Path, batch: float) -> float:
    """Pictures per second with nothing around; or, for a batch of 0, the batch that is best for it."""
    threads = len(os.sched_getaffinity(0))
    command = [sys.executable, "-m", seer.__name__, str(path), str(threads), str(NICE), str(SECONDS), str(int(batch))]
    return float(subprocess.run(command, capture_output=True, check=True).stdout)
