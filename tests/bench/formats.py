"""What one 12-megapixel picture of each format costs from its bytes to its thumbnails, and who decodes it."""

import asyncio
import importlib
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from common import sniff
from processor import images, sandbox
from tests.bench.figures import Bench, Results
from tests.support import media, psd, raws
from tests.support.heic import heic

WIDTH, HEIGHT = 4000, 3000
ROUNDS = 3


async def every_format(bench: Bench) -> Results:
    """Milliseconds of processor time for each format, the best of a few rounds."""
    for module in sandbox.DECODERS:
        importlib.import_module(module)
    return await asyncio.to_thread(lambda: dict(_measured(bench.folder)))


def _measured(folder: Path) -> Iterator[tuple[str, float]]:
    picture = media.noise(WIDTH, HEIGHT)
    for name, make in WAYS.items():
        path = folder / "picture"
        path.write_bytes(make(picture))
        milliseconds, decoder = min(_rendered(path) for _ in range(ROUNDS))
        yield f"format: {name} of 12 megapixels, by {decoder}, ms", milliseconds


def _rendered(path: Path) -> tuple[float, str]:
    known = sniff.sniff(path.read_bytes()[: sniff.HEAD_BYTES])
    assert known is not None
    began = time.process_time()
    with path.open("rb") as file:
        photo = images.render(file, known.mime_type)
    return (time.process_time() - began) * 1000, photo.decoder


def _by_pillow(name: str, **options: Any) -> Callable[[Image.Image], bytes]:
    def encode(picture: Image.Image) -> bytes:
        buffer = BytesIO()
        picture.save(buffer, name, **options)
        return buffer.getvalue()

    return encode


WAYS: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG": _by_pillow("JPEG", quality=90),
    "progressive JPEG": _by_pillow("JPEG", quality=90, progressive=True),
    "PNG": _by_pillow("PNG", compress_level=1),
    "WebP": _by_pillow("WEBP", quality=85, method=0),
    "GIF": _by_pillow("GIF"),
    "TIFF": _by_pillow("TIFF"),
    "AVIF": _by_pillow("AVIF", speed=10),
    "HEIC": heic,
    "JPEG XL": _by_pillow("JXL", effort=1, quality=90),
    "JPEG 2000": _by_pillow("JPEG2000"),
    "PSD": psd.psd,
    "BMP": _by_pillow("BMP"),
    "DNG with a preview": lambda picture: raws.dng(1200, 800, preview=raws.jpeg(picture)),
    "DNG without a preview": lambda _: raws.dng(WIDTH, HEIGHT),
}
"""How each is made; the picture is the same grain, which no format finds easy."""
