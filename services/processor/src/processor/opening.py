"""Which decoder opens which format: the one place that knows."""

from collections.abc import Callable
from typing import BinaryIO

from processor import decoders
from processor.pictures import Picture
from processor.unreadable import Unreadable

Opener = Callable[[BinaryIO, str, int], Picture]
"""Opens the file of a MIME type, its size checked; pixels of so many on the longer side will do."""

OPENERS: dict[str, Opener] = dict.fromkeys(decoders.LOADERS, decoders.open_picture)


def open_picture(file: BinaryIO, mime: str, edge: int) -> Picture:
    """The picture in a file of this type, by the decoder of its type alone."""
    opener = OPENERS.get(mime)
    if opener is None:
        raise Unreadable("this version has no decoder for it")
    return opener(file, mime, edge)
