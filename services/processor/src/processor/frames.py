"""Pictures spread over a video, from which models know what it shows.

Only key frames are decoded, so that a film of two hours costs no more of it than one of a minute.
"""

import contextlib
import time
from collections.abc import Iterator
from itertools import dropwhile, islice

import av
import numpy as np
import pyvips
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from common.layout import MOST_FRAMES
from processor import images, previews
from processor.clips import Patience
from processor.images import Options
from processor.posters import FURTHEST_PACKETS

APART_SECONDS = 2.0
NEAREST_SECONDS = 1.5
"""Key frames lie somewhat before the times that are looked for."""
PROCESSOR_SECONDS, WALL_SECONDS = 1.0, 5.0
"""What all of them may take; what there is by then is kept."""
TILES, UNLIKE = 16, 10
"""Two pictures are unlike if one of so many tiles in each direction is so much lighter or darker, of 255."""

Tiles = NDArray[np.int16]


def spread(
    container: InputContainer,
    stream: VideoStream,
    duration: float | None,
    *,
    poster: pyvips.Image,
    patience: Patience,
    asked: Options,
) -> dict[int, bytes]:
    """At most eight upright JPEGs as large as the small thumbnail, by the milliseconds after the start.

    They are neither dark nor like the poster or each other. Nothing can be read from the container afterwards.
    """
    patience.ends = time.monotonic() + WALL_SECONDS
    found: dict[int, bytes] = {}
    try:
        seen = [tiles(poster)]
        for seconds, frame in moments(container, stream, duration or 0, patience):
            still = previews.still(frame, stream, seconds, edge=asked.small)
            image = pyvips.Image.new_from_array(previews.toned([still])[0], interpretation="srgb")
            if previews.is_dark(still.pixels) or any(alike(tiles(image), one) for one in seen):
                continue
            seen.append(tiles(image))
            found[round(1000 * seconds)] = images.jpeg(image, asked.quality).data
    except (av.FFmpegError, pyvips.Error, MemoryError):  # an asset is complete without them
        pyvips.vips_lib.vips_error_clear()
    return found


def moments(
    container: InputContainer, stream: VideoStream, duration: float, patience: Patience
) -> Iterator[tuple[float, VideoFrame]]:
    """The key frames nearest to evenly spread times, and when they are shown; none is near the start or another."""
    ends, last = time.process_time() + PROCESSOR_SECONDS, 0.0
    for wanted in times(duration):
        for backward in (True, False):
            packet = key_packet(container, stream, wanted, backward=backward)
            seconds = seconds_of(packet, container) if packet else None
            if packet is None or seconds is None or seconds < last + NEAREST_SECONDS:
                continue
            if frame := decoded(packet, stream):
                last = seconds
                yield seconds, frame
            break
        if time.process_time() > ends or patience.is_over:
            return


def times(duration: float) -> list[float]:
    """Evenly spread over so many seconds, neither at the start nor at the end."""
    count = min(MOST_FRAMES, int(duration / APART_SECONDS) - 1)
    return [duration * number / (count + 1) for number in range(1, count + 1)]


def key_packet(
    container: InputContainer, stream: VideoStream, seconds: float, *, backward: bool
) -> "Packet[VideoStream] | None":
    """The bytes of the last key frame before a time after the start, or of the first behind it."""
    with contextlib.suppress(av.FFmpegError):  # there is nothing on that side, or it cannot be sought
        container.seek(round(seconds * av.time_base) + (container.start_time or 0), backward=backward)
        packets = islice(container.demux(stream), FURTHEST_PACKETS)
        return next(dropwhile(lambda packet: not packet.is_keyframe, packets), None)
    return None


def seconds_of(packet: "Packet[VideoStream]", container: InputContainer) -> float | None:
    """How long after the start a packet's picture is shown."""
    at = packet.dts if packet.pts is None else packet.pts
    if at is None or packet.time_base is None:
        return None
    return float(at * packet.time_base) - (container.start_time or 0) / av.time_base


def decoded(packet: "Packet[VideoStream]", stream: VideoStream) -> VideoFrame | None:
    """A key frame's picture at once, although a decoder would wait for what comes before it; None of a damaged one."""
    stream.codec_context.skip_frame = "DEFAULT"
    with contextlib.suppress(av.FFmpegError):
        frames = [*stream.decode(packet), *stream.decode(None)]
        return next((frame for frame in frames if not frame.is_corrupt), None)
    return None


def tiles(image: pyvips.Image) -> Tiles:
    """How light a picture is in its tiles."""
    grey = image.thumbnail_image(TILES, height=TILES, size="force").colourspace("b-w")
    return np.asarray(grey.numpy(), np.int16)


def alike(one: Tiles, other: Tiles) -> bool:
    """Whether nobody would look at both."""
    return bool(np.abs(one - other).max() <= UNLIKE)
