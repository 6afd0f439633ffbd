"""Makes the videos that tests need: upright or turned, dark at first, with any tags, damaged or monstrous."""

import struct
from collections.abc import Callable, Mapping
from io import BytesIO

import av
import numpy as np
from av.video.stream import VideoStream
from PIL import Image

from tests.support import media
from tests.support.boxes import box, boxes

ONE = 1 << 16
INSIDE = {b"moov", b"trak", b"mdia"}

Edit = Callable[[bytes, bytes], bytes]
"""What to write instead of a box of this kind with this content."""


def clip(
    *,
    kind: str = "mov",
    tags: Mapping[str, str] | None = None,
    matrix: tuple[int, int, int, int] | None = None,
    picture: Image.Image | None = None,
    frames: int = 30,
    dark: int = 0,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    options: Mapping[str, str] | None = None,
) -> bytes:
    """A second of one picture, by default of the quadrants, after some that are black."""
    shown, buffer = picture or media.quadrants(), BytesIO()
    with av.open(buffer, "w", format=kind, options={"movflags": "use_metadata_tags"} if kind == "mov" else {}) as made:
        made.metadata.update(tags or {})
        stream = made.add_stream(codec, rate=30, options=dict(options or {}))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = shown.width, shown.height, pixels
        if matrix is not None:
            a, b, c, d = (ONE * value for value in matrix)
            stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        for number in range(frames):
            seen = np.asarray(shown) * (number >= dark)
            frame = av.VideoFrame.from_ndarray(seen.astype(np.uint8), format="rgb24")
            frame.pts = number
            made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return buffer.getvalue()


def edited(content: bytes, edit: Edit) -> bytes:
    """The same container with its boxes edited, also those inside the ones that describe tracks."""
    return b"".join(edit(kind, edited(inside, edit) if kind in INSIDE else inside) for kind, inside in boxes(content))


def crowded(content: bytes, tracks: int) -> bytes:
    """The clip with its track said so many times."""
    return edited(content, lambda kind, inside: box(kind, inside) * (tracks if kind == b"trak" else 1))


def endless(content: bytes) -> bytes:
    """The clip with a duration that no number holds."""
    timed = {b"mvhd": 80, b"mdhd": 4}

    def edit(kind: bytes, inside: bytes) -> bytes:
        if kind not in timed:
            return box(kind, inside)
        (scale,) = struct.unpack_from(">I", inside, 12)
        return box(kind, struct.pack(">IQQIQ", 1 << 24, 0, 0, scale, 1 << 63) + inside[-timed[kind] :])

    return edited(content, edit)


def unshowable(content: bytes) -> bytes:
    """The clip with noise for pictures."""
    noise = np.random.default_rng(0).bytes
    return edited(content, lambda kind, inside: box(kind, noise(len(inside)) if kind == b"mdat" else inside))


def in_dolby_vision(content: bytes, *, profile: int) -> bytes:
    """The clip with the box that makes it Dolby Vision of this profile; its pictures are what they were."""
    told = box(b"dvcC", bytes([1, 0, profile << 1, 0x2D]) + bytes(20))

    def edit(kind: bytes, inside: bytes) -> bytes:
        if kind in {b"minf", b"stbl"}:
            return box(kind, edited(inside, edit))
        if kind != b"stsd":
            return box(kind, inside)
        ((entry, described),) = boxes(inside[8:])
        return box(kind, inside[:8] + box(entry, described + told))

    return edited(content, edit)
