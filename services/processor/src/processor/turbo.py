"""The fast way to a small copy of an ordinary JPEG; whatever is not ordinary goes the general way."""

import mmap
from typing import BinaryIO

import cv2
import pyvips
import simplejpeg

from processor import pictures
from processor.hashes import Pixels

cv2.setNumThreads(0)

LONGEST_FILE = 64 << 20
LEAST_SCALE = 0.75
"""Below it the quick interpolation skips pixels, and the general way resizes."""
TURNS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}


def decoded(header: pyvips.Image, file: BinaryIO | bytes, *, shrink: int, edge: int) -> pyvips.Image | None:
    """The picture at about this edge, not yet sRGB if it has a profile; None if it has to go the general way."""
    if header.interpretation != "srgb" or header.bands != 3:
        return None
    pixels = quickly(file, width=header.width // shrink, height=header.height // shrink)
    if pixels is None:
        return None
    orientation = pictures.orientation(header)
    small = resized(pixels, edge)
    if orientation in TURNS:
        return described(cv2.rotate(small, TURNS[orientation]), header, 1)
    return described(small, header, orientation)


def resized(pixels: Pixels, edge: int) -> Pixels | cv2.typing.MatLike:
    """The pixels at this edge, or as they are if that would take care to look well."""
    scale = edge / max(pixels.shape[:2])
    if not LEAST_SCALE <= scale < 1:
        return pixels
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)


def quickly(file: BinaryIO | bytes, *, width: int, height: int) -> Pixels | None:
    """At least so many pixels, or None if the decoder has anything to say against the file."""
    if isinstance(file, bytes):
        return _decoded(file, width, height)
    with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
        return _decoded(content, width, height)


def _decoded(content: bytes | mmap.mmap, width: int, height: int) -> Pixels | None:
    if len(content) > LONGEST_FILE:
        return None
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(content, "RGB", min_width=width, min_height=height, min_factor=1)
    except ValueError:
        return None
    return pixels


def described(pixels: Pixels | cv2.typing.MatLike, header: pyvips.Image, orientation: int) -> pyvips.Image:
    """The pixels with what is still to be heeded of the header."""
    height, width, bands = pixels.shape
    image = pyvips.Image.new_from_memory(pixels.data, width, height, bands, "uchar").copy(interpretation="srgb")
    return pictures.described(image, orientation=orientation, profile=pictures.blob(header, pictures.PROFILE))
