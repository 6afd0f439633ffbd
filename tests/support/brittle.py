"""A decoder with a hole: where the sandbox has loaded it, a file that asks for it does what hostile files do."""

import os
from typing import Any, BinaryIO

import pyvips

from processor import decoders, images
from processor.decoders import Mime
from tests.support import escapes

DEEDS = {b"please crash": escapes.crash, b"please loop": escapes.loop, b"please eat": escapes.eat}


def load(file: BinaryIO, mime: Mime, **options: Any) -> pyvips.Image:
    """The picture, unless the file asks for something else."""
    content = os.pread(file.fileno(), 1 << 16, 0)
    for wish, deed in DEEDS.items():
        if wish in content:
            deed()
    return decoders.load(file, mime, **options)


images.load = load  # type: ignore[attr-defined]
