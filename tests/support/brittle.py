"""A decoder with a hole: where the sandbox has loaded it, a file that asks for it does what hostile files do."""

import os
from typing import BinaryIO

from processor import opening
from processor.pictures import Picture
from tests.support import escapes

whole = opening.open_picture
DEEDS = {b"please crash": escapes.crash, b"please loop": escapes.loop, b"please eat": escapes.eat}


def open_picture(file: BinaryIO, mime: str, edge: int) -> Picture:
    """The picture, unless the file asks for something else."""
    content = os.pread(file.fileno(), 1 << 16, 0)
    for wish, deed in DEEDS.items():
        if wish in content:
            deed()
    return whole(file, mime, edge)


opening.open_picture = open_picture
