"""Makes HEIC files: a picture as one piece of HEVC video or a grid of them, in a container that says what we like."""

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.boxes import box

SETS, PICTURES = (32, 33, 34), range(16, 22)  # units of HEVC: parameters, and slices that need no other picture
TURNS = {
    2: (b"imir", b"\1"),
    3: (b"irot", b"\2"),
    4: (b"imir", b"\0"),
    6: (b"irot", b"\3"),
    8: (b"irot", b"\1"),
}
"""How a container says what EXIF says by these orientations; 5 and 7 take both boxes."""
BOTH = {5: [(b"irot", b"\1"), (b"imir", b"\0")], 7: [(b"irot", b"\3"), (b"imir", b"\0")]}


@dataclass(frozen=True, kw_only=True)
class Heic:
    """What a HEIC shall hold beside its pixels."""

    depth: int = 8
    colours: tuple[int, int] = (1, 13)
    """Primaries and transfer of its `nclx` box, as ITU-T H.273 numbers them."""
    profile: bytes = b""
    orientation: int = 1
    exif: bytes = b""
    xmp: bytes = b""
    grid: tuple[int, int] = (1, 1)
    """How many times the picture is laid down and across."""
    claims: tuple[int, int] | None = None
    """The size that the grid says it has, if not the true one."""
    said: dict[bytes, bytes] = field(default_factory=dict)
    """More boxes behind the picture's own."""


def heic(picture: Image.Image, wish: Heic | None = None) -> bytes:
    """The picture as a HEIC file."""
    wish = wish or Heic()
    units = list(encoded(picture.convert("RGB").tobytes(), picture.size, wish.depth))
    coded = b"".join(struct.pack(">I", len(unit)) + unit for unit in units if kind(unit) in PICTURES)
    tiles = wish.grid[0] * wish.grid[1] if wish.grid != (1, 1) else 0
    whole = wish.claims or (picture.width * wish.grid[1], picture.height * wish.grid[0])

    items: list[tuple[bytes, bytes]] = []  # the type and the content of each, the primary first
    if tiles:
        items.append((b"grid", struct.pack(">BBBBII", 0, 1, wish.grid[0] - 1, wish.grid[1] - 1, *whole)))
    items += [(b"hvc1", coded)] * max(tiles, 1)
    beside = len(items)
    if wish.exif:
        items.append((b"Exif", struct.pack(">I", 6) + b"Exif\0\0" + wish.exif.removeprefix(b"Exif\0\0")))
    if wish.xmp:
        items.append((b"mime", wish.xmp))

    nclx = struct.pack(">4sHHHB", b"nclx", *wish.colours, 6, 0x80)
    colours = [box(b"colr", b"prof" + wish.profile)] if wish.profile else []
    turns = BOTH.get(wish.orientation) or ([TURNS[wish.orientation]] if wish.orientation in TURNS else [])
    properties = [
        box(b"hvcC", configuration(units, wish.depth)),
        box(b"ispe", struct.pack(">III", 0, *picture.size)),
        box(b"ispe", struct.pack(">III", 0, *whole)),
        box(b"pixi", struct.pack(">IBBBB", 0, 3, *[wish.depth] * 3)),
        box(b"colr", nclx),
        *colours,
        *(box(*turn) for turn in turns),
    ]
    shown = list(range(4, len(properties) + 1))
    owned = {1: [3, *shown] if tiles else [1, 2, *shown]} | {2 + tile: [1, 2, 4, 5] for tile in range(tiles)}
    pointers = [(b"cdsc", item + 1, [1]) for item in range(beside, len(items))]
    if tiles:
        pointers.append((b"dimg", 1, list(range(2, 2 + tiles))))

    def meta(start: int) -> bytes:
        return full(
            b"meta",
            full(b"hdlr", bytes(4) + b"pict" + bytes(13))
            + full(b"pitm", struct.pack(">H", 1))
            + located(items, start)
            + full(b"iinf", struct.pack(">H", len(items)) + b"".join(map(entry, range(1, len(items) + 1), items)))
            + box(b"iprp", box(b"ipco", b"".join(properties)) + associations(owned))
            + (full(b"iref", b"".join(map(reference, pointers))) if pointers else b""),
        )

    head = box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    start = len(head) + len(meta(0)) + 8
    more = b"".join(box(name, content) for name, content in wish.said.items())
    return head + meta(start) + box(b"mdat", b"".join(dict.fromkeys(content for _, content in items))) + more


def full(name: bytes, content: bytes, version: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24) + content)


def entry(number: int, item: tuple[bytes, bytes]) -> bytes:
    name = b"\0application/rdf+xml\0" if item[0] == b"mime" else b"\0"
    return full(b"infe", struct.pack(">HH", number, 0) + item[0] + name, 2)


def reference(pointer: tuple[bytes, int, list[int]]) -> bytes:
    name, source, targets = pointer
    return box(name, struct.pack(f">HH{len(targets)}H", source, len(targets), *targets))


def associations(owned: dict[int, list[int]]) -> bytes:
    lines = (struct.pack(f">HB{len(which)}B", item, len(which), *which) for item, which in owned.items())
    return full(b"ipma", struct.pack(">I", len(owned)) + b"".join(lines))


def located(items: list[tuple[bytes, bytes]], start: int) -> bytes:
    """Where each item's content lies; the same content lies there once."""
    places: dict[bytes, int] = {}
    for _, content in items:
        places.setdefault(content, start + sum(map(len, places)))
    lines = (
        struct.pack(">HHHII", number, 0, 1, places[content], len(content))
        for number, (_, content) in enumerate(items, 1)
    )
    return full(b"iloc", b"\x44\0" + struct.pack(">H", len(items)) + b"".join(lines))


def configuration(units: list[bytes], depth: int) -> bytes:
    """What a decoder has to know before the first picture."""
    sets = [unit for unit in units if kind(unit) in SETS]
    (rules,) = [unit for unit in sets if kind(unit) == 33]
    level = rules.replace(b"\0\0\3", b"\0\0")[3:15]
    head = b"\1" + level + struct.pack(">HBBBBHB", 0xF000, 0xFC, 0xFD, 0xF8 | depth - 8, 0xF8 | depth - 8, 0, 0x0F)
    arrays = (struct.pack(">BHH", 0x80 | kind(unit), 1, len(unit)) + unit for unit in sets)
    return head + bytes([len(sets)]) + b"".join(arrays)


def kind(unit: bytes) -> int:
    return unit[0] >> 1 & 0x3F


@functools.cache
def encoded(pixels: bytes, size: tuple[int, int], depth: int) -> tuple[bytes, ...]:
    """The units of one HEVC picture, full range, with half the colours across and down."""
    width, height = size
    rgb = np.frombuffer(pixels, np.uint8).reshape(height, width, 3).astype(np.float64) / 255
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = [luma, *(halved((colour - luma) / scale + 0.5) for colour, scale in ((blue, 1.772), (red, 1.402)))]
    context = av.CodecContext.create("libx265", "w")
    context.width, context.height = size
    context.pix_fmt = "yuv420p" if depth == 8 else "yuv420p10le"
    context.time_base = 1  # type: ignore[assignment]
    context.options = {"preset": "ultrafast", "x265-params": "qp=4:keyint=1:info=0:log-level=none:pools=1"}
    frame = av.VideoFrame(width, height, context.pix_fmt)
    for plane, values in zip(frame.planes, planes, strict=True):
        fill(plane, np.rint(values.clip(0, 1) * ((1 << depth) - 1)), "u1" if depth == 8 else "<u2")
    stream = b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])
    return tuple(split(stream))


def halved(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return (values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]) / 4


def fill(plane: av.video.plane.VideoPlane, values: NDArray[np.float64], dtype: str) -> None:
    """The values as rows of the plane, which may be longer than the picture is wide."""
    rows = np.zeros((plane.height, plane.line_size // np.dtype(dtype).itemsize), dtype)
    rows[:, : values.shape[1]] = values
    plane.update(rows.tobytes())


def split(stream: bytes) -> Iterator[bytes]:
    """The units between the marks of a stream."""
    for part in stream.split(b"\0\0\1")[1:]:
        yield part.rstrip(b"\0")
