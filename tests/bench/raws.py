# ruff: noqa: T201
"""Raw files with a preview, beside a loop that makes the same thumbnails of it; `python -m tests.bench.raws` alone."""

import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest.mock import patch

import cv2
import pyvips
import rawpy
import simplejpeg

from common import formats
from processor import images, nursery
from tests.support import photos, raws

WIDTH, HEIGHT = 6000, 4000
FILES, ROUNDS = 4, 5
GRAIN = 10  # makes previews of 24 megapixels as long as cameras do

Results = dict[str, float]


def previews(folder: Path) -> Results:
    """Raw files a second through the product's code and through the bare loop, by turns."""
    paths = [folder / f"{number}.dng" for number in range(FILES)]
    for number, path in enumerate(paths):
        path.write_bytes(raws.black(WIDTH, HEIGHT, photos.jpeg(WIDTH, HEIGHT, seed=number, grain=GRAIN)))
    context = multiprocessing.get_context("spawn")
    with patch.dict(os.environ, nursery.environment()), ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(measured, paths[:1]).result()
        ours, bare = pool.submit(measured, paths).result()
    return {
        "RAW previews: files per second": statistics.median(ours),
        "RAW previews: files per second, bare loop": statistics.median(bare),
        "RAW previews / loop (>= 0.8)": statistics.median(a / b for a, b in zip(ours, bare, strict=True)),
    }


def measured(paths: list[Path]) -> tuple[list[float], list[float]]:
    """The rates of both, round by round."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        bare.append(rate(loop, paths))
        ours.append(rate(product, paths))
    return ours, bare


def rate(work: Callable[[Path], object], paths: list[Path]) -> float:
    """Files per second of processor time, which is what others on the machine take least of."""
    began = time.process_time()
    for path in paths:
        work(path)
    return len(paths) / (time.process_time() - began)


def product(path: Path) -> None:
    """What a confined process does with a file."""
    with path.open("rb") as file:
        assert images.render(file, formats.DNG.mime_type).decoder == "libraw preview"


def loop(path: Path) -> None:
    """Extract, decode at half the size, resize three times, encode; no metadata, no fingerprints, no checks."""
    with rawpy.imread(str(path)) as raw:
        data = raw.extract_thumb().data
    pixels = simplejpeg.decode_jpeg(data, "RGB", min_width=1920, min_height=1280, min_factor=1)
    sizes = [(1920, 1280), (800, 533), (400, 267)]
    large = cv2.resize(pixels, sizes[0], interpolation=cv2.INTER_CUBIC)
    medium = cv2.resize(large, sizes[1], interpolation=cv2.INTER_AREA)
    small = cv2.resize(medium, sizes[2], interpolation=cv2.INTER_AREA)
    images.encoded(picture(small), picture(medium), picture(large), images.Options())


def picture(pixels: cv2.typing.MatLike) -> pyvips.Image:
    return pyvips.Image.new_from_array(pixels, interpretation="srgb")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="lumilio-bench-") as name:
        for figure, value in previews(Path(name)).items():
            print(f"{figure:<68} {value:>9.2f}", flush=True)
