"""The yardstick of photos: warm processes that read, hash, decode once and write; no database, no bus, no sandbox."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from blake3 import blake3

from processor import images, nursery

CORES = 2


@dataclass(frozen=True)
class Loop:
    """As many processes as the product uses for rendering, each a plain loop."""

    pool: ProcessPoolExecutor
    folder: Path

    def run(self, batch: list[bytes]) -> tuple[float, float]:
        """Seconds on the clock and seconds of processor time for a batch of photos."""
        paths = [self.folder / f"bare-{number}.jpg" for number in range(len(batch))]
        for path, content in zip(paths, batch, strict=True):
            path.write_bytes(content)
        began = time.monotonic()
        spent = sum(self.pool.map(photo, paths))
        return time.monotonic() - began, spent


@contextmanager
def running(folder: Path, warm_up: list[bytes]) -> Iterator[Loop]:
    """The loop with everything imported, every cache filled, and the libraries as tame as in the sandbox."""
    folder.mkdir()
    with ProcessPoolExecutor(CORES, mp_context=multiprocessing.get_context("spawn")) as pool:
        loop = Loop(pool, folder)
        with patch.dict(os.environ, nursery.environment()):  # which the processes, started now, inherit
            loop.run(warm_up)
        yield loop


def photo(path: Path) -> float:
    """Read, hash, decode once, write three thumbnails and hash them; returns the processor time that it took."""
    began = time.process_time()
    blake3(path.read_bytes()).digest()
    with path.open("rb") as file:
        rendered = images.render(file, "image/jpeg")
    for size, thumbnail in rendered.thumbnails.items():
        path.with_suffix(f".{size}").write_bytes(thumbnail.data)
        blake3(thumbnail.data).digest()
    os.unlink(path)
    return time.process_time() - began
