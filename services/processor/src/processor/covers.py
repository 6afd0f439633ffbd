"""Shows the picture that belongs to a recording, if one can be shown."""

from collections.abc import Sequence
from functools import partial
from io import BytesIO

import pyvips

from common import sniff
from processor import decoders, images, rasters
from processor.images import Look, Options
from processor.pictures import Picture
from processor.tags import Cover
from processor.unreadable import Unreadable

BITMAP = "image/bmp"
OPENED = {"image/jpeg", "image/png", "image/webp", "image/gif"}
"""By libvips; with bitmaps these are the formats that programs put into recordings."""


def shown(covers: Sequence[Cover], asked: Options) -> tuple[Look | None, list[str]]:
    """What the first of the covers looks like that can be shown, the front one before larger ones, and notes."""
    notes: list[str] = []
    for cover in sorted(covers, key=lambda cover: (not cover.is_front, -len(cover.data))):
        try:
            _, look, trouble = images.shown(partial(opened, cover.data), asked)
        except Unreadable as verdict:
            look, trouble = None, str(verdict)
        if look is not None:
            return look, notes
        notes.append(f"a cover could not be shown: {trouble}")
    return None, notes


def opened(data: bytes) -> Picture:
    """The picture in some bytes; what it is they say themselves."""
    known = sniff.sniff(data[: sniff.HEAD_BYTES])
    mime = known.mime_type if known else None
    if mime == BITMAP:
        return rasters.open_picture(BytesIO(data), BITMAP, 0)
    if mime not in OPENED:
        raise Unreadable(f"a cover is no {known.name}" if known else "nobody knows what it is")
    header: pyvips.Image = decoders.load(data, mime)
    decoders.check(header, mime)
    return Picture(
        pixels=header,
        width=header.width,
        height=header.height,
        decoder="libvips",
        jpeg=data if mime == "image/jpeg" else None,
    )
