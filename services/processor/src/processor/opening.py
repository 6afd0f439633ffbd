"""Which decoder opens which format: the one place that knows."""

from collections.abc import Callable
from typing import BinaryIO

from common import formats, sniff
from processor import containers, decoders, heif, jxl, psd, rasters
from processor.pictures import Picture
from processor.unreadable import Unreadable

Opener = Callable[[BinaryIO, str, int], Picture]
"""Opens the file of a MIME type, its size checked; pixels of so many on the longer side will do."""


def raw_picture(file: BinaryIO, mime: str, edge: int) -> Picture:
    """The picture in a camera's raw file."""
    from processor import raw  # in the sandbox only: the service itself develops nothing

    return raw.open_picture(file, mime, edge)


OPENERS: dict[str, Opener] = {
    **dict.fromkeys(decoders.LOADERS, decoders.open_picture),
    **dict.fromkeys(formats.RAW_TYPES, raw_picture),
    **dict.fromkeys(rasters.OPENED, rasters.open_picture),
    "image/heic": heif.open_picture,
    "image/jxl": jxl.open_picture,
    "image/vnd.adobe.photoshop": psd.open_picture,
}


def open_picture(file: BinaryIO, mime: str, edge: int) -> Picture:
    """The picture in a file of this type, by the decoder of its type alone; a TIFF may turn out to be a raw file."""
    if mime == formats.TIFF.mime_type and (found := sniff.raw_in_tiff(containers.reader(file))):
        mime = found.mime_type
    opener = OPENERS.get(mime)
    if opener is None:
        raise Unreadable("this version has no decoder for it")
    return opener(file, mime, edge)
