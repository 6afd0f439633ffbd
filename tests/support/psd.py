"""Makes Photoshop files: a flattened picture behind nothing, packed or not, with whatever is told beside it."""

import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MODES = {"1": 0, "L": 1, "P": 2, "RGB": 3, "RGBA": 3, "CMYK": 4, "LAB": 9}


def psd(
    picture: Image.Image,
    *,
    depth: int = 8,
    packed: bool = True,
    beside: Mapping[int, bytes] | None = None,
    hidden: bytes = b"",
) -> bytes:
    """The picture as Photoshop writes it; `beside` are its numbered blocks, `hidden` is what the layers hold."""
    planes = channels(picture, depth)
    mode = MODES[picture.mode]
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, len(planes), picture.height, picture.width, depth, mode)
    palette = np.array(picture.getpalette(), np.uint8).reshape(-1, 3) if picture.mode == "P" else np.empty((0, 3))
    colours = np.pad(palette, ((0, 256 - len(palette)), (0, 0))).T.astype(np.uint8).tobytes() if len(palette) else b""
    layers = hidden or (struct.pack(">Ih", 2, -1) if picture.mode == "RGBA" else b"")
    resources = b"".join(block(number, data) for number, data in (beside or {}).items())
    sections = b"".join(struct.pack(">I", len(part)) + part for part in (colours, resources, layers))
    if not packed:
        return head + sections + struct.pack(">H", 0) + b"".join(b"".join(rows) for rows in planes)
    rows = [squeezed(row) for plane in planes for row in plane]
    lengths = struct.pack(f">{len(rows)}H", *map(len, rows))
    return head + sections + struct.pack(">H", 1) + lengths + b"".join(rows)


def block(number: int, data: bytes) -> bytes:
    return struct.pack(">4sHHI", b"8BIM", number, 0, len(data)) + data + bytes(len(data) % 2)


def channels(picture: Image.Image, depth: int) -> list[list[bytes]]:
    """The rows of every channel as Photoshop counts: paper instead of ink, colours around the middle."""
    pixels: NDArray[np.uint8] = np.asarray(picture)
    if picture.mode == "1":
        return [[np.packbits(row).tobytes() for row in ~pixels]]
    if picture.mode == "CMYK":
        pixels = 255 - pixels
    deep = pixels.astype(">u2") * 257 if depth == 16 else pixels
    bands = deep[..., np.newaxis] if deep.ndim == 2 else deep
    return [[row.tobytes() for row in bands[..., band].astype(deep.dtype)] for band in range(bands.shape[2])]


def squeezed(row: bytes) -> bytes:
    """The row with runs of one byte told by their length."""
    packed, at = bytearray(), 0
    while at < len(row):
        run = 1
        while run < 128 and row[at : at + run + 1] == row[at : at + 1] * (run + 1):
            run += 1
        packed += bytes([257 - run & 0xFF, row[at]]) if run > 1 else bytes([0, row[at]])
        at += run
    return bytes(packed)
