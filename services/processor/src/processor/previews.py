"""A short silent animation of a video, for grids.

Three seconds in a row from the poster on: what moves is what a person looks for in a clip, and cuts between moments of
it would show less of that. One pass over these seconds is all that it costs.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple

import av
import numpy as np
import pyvips
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from processor import clips, posters, tones
from processor.posters import DARK, Pixels
from processor.tones import Coding

SECONDS, RATE, EDGE = 3.0, 10, 480
MOST_BYTES = 500_000
TRIES = ((65, 1), (45, 1), (25, 1), (25, 2), (10, 3), (0, 5))
"""Until it is small enough: how well it is compressed, and every which picture it has."""
SAMPLE = 10
"""Every which picture is tried to know how large all would be."""
EFFORT = 2
WHOLE = {"kmin": 0, "kmax": 1}
"""Every picture on its own: what takes over parts of the one before leaves blocks of it behind, and is no smaller."""
SMOOTH = 20
"""Pictures a second from which on those that no other one needs are left out."""
PROCESSOR_SECONDS, WALL_SECONDS = 1.5, 10.0
"""What decoding may take; what there is by then is shown."""


class Still(NamedTuple):
    """An upright picture of the animation and when it is shown."""

    pixels: Pixels
    seconds: float
    coding: Coding

    def is_like(self, other: "Still") -> bool:
        """Whether both can stand in one animation, which is so unless a hostile file changes amid its clip."""
        return (self.pixels.shape, self.coding) == (other.pixels.shape, other.coding)


def preview(container: InputContainer, stream: VideoStream, duration: float | None) -> bytes | None:
    """An upright looping WebP of at most 3 s and 500 kB, from where the container was read to; None of a still.

    A clip that is not longer is shown from its beginning.
    """
    try:
        seen = [] if duration and duration <= SECONDS else taken(container, stream)
        if len(seen) < 2:
            container.seek(container.start_time or 0)
            seen = taken(container, stream)
        return fitted(lit(seen)) if len(seen) > 1 else None
    except (av.FFmpegError, pyvips.Error, MemoryError):
        pyvips.vips_lib.vips_error_clear()
        return None


def taken(container: InputContainer, stream: VideoStream) -> list[Still]:
    """Some ten pictures a second of the next three seconds, or as many as can be decoded in decent time."""
    rate = stream.average_rate or stream.guessed_rate
    stream.codec_context.skip_frame = "NONREF" if rate and rate >= SMOOTH else "DEFAULT"
    stills: list[Still] = []
    for seconds, frame in timed(container, stream, float(1 / (rate or RATE))):
        if seconds >= SECONDS:
            break
        if not stills or seconds >= next_after(stills[-1].seconds):
            stills.append(still(frame, stream, seconds))
    return [one for one in stills if one.is_like(stills[0])]


def next_after(seconds: float) -> float:
    """When the picture after this one is due."""
    return (int(seconds * RATE + 0.01) + 1) / RATE - 0.01 / RATE


def timed(container: InputContainer, stream: VideoStream, pause: float) -> Iterator[tuple[float, VideoFrame]]:
    """The pictures with their seconds since the first."""
    first, now = None, -pause
    for frame in decoded(container, stream):
        first = frame.time if first is None else first
        now = now + pause if first is None or frame.time is None else max(now, frame.time - first)
        yield now, frame


def decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """The pictures from here on until it took too long; what cannot be decoded costs time as well."""
    processor, wall = time.process_time() + PROCESSOR_SECONDS, time.monotonic() + WALL_SECONDS
    with contextlib.suppress(av.FFmpegError):  # the rest of the file is damaged
        for packet in container.demux(stream):
            with contextlib.suppress(av.InvalidDataError, av.PatchWelcomeError):
                yield from packet.decode()
            if time.process_time() > processor or time.monotonic() > wall:
                return


def still(frame: VideoFrame, stream: VideoStream, seconds: float, *, edge: int = EDGE) -> Still:
    """The picture, small, with square dots and upright."""
    coding = Coding(int(frame.color_primaries), int(frame.color_trc))
    pixels = posters.pixels_of(frame, *size_of(frame, stream, edge))
    return Still(turned(pixels, posters.orientation_of(frame)), seconds, coding)


def size_of(frame: VideoFrame, stream: VideoStream, edge: int) -> tuple[int, int]:
    """Width and height before it is turned."""
    width, height = frame.width * float(clips.dots_of(stream)), frame.height
    share = min(1.0, edge / max(width, height))
    return max(1, round(width * share)), max(1, round(height * share))


def turned(pixels: Pixels, orientation: int) -> Pixels:
    """The pixels as their EXIF orientation wants them shown."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels[:, ::-1] if orientation in (2, 3, 6, 7) else pixels


def lit(stills: list[Still]) -> list[Still]:
    """Without the dark ones before the first that is not, if there is any."""
    light = [number for number, one in enumerate(stills) if not is_dark(one.pixels)]
    return stills[light[0] :] if light and light[0] < len(stills) - 1 else stills


def is_dark(pixels: Pixels) -> bool:
    return bool(pixels.mean() < DARK * (257 if pixels.dtype == np.uint16 else 1))


def fitted(stills: list[Still]) -> bytes | None:
    """The animation as good as its size allows."""
    shown, seconds = toned(stills), [one.seconds for one in stills]
    for quality, step in TRIES:
        sample = encoded(shown, seconds, quality=quality, step=SAMPLE)
        if len(sample) * len(shown[::step]) / len(shown[::SAMPLE]) <= MOST_BYTES:
            data = encoded(shown, seconds, quality=quality, step=step)
            if len(data) <= MOST_BYTES:
                return data
    return None


def toned(stills: list[Still]) -> Pixels:
    """The pictures one below the other as 8-bit sRGB."""
    strip = pyvips.Image.new_from_array(np.concatenate([one.pixels for one in stills]), interpretation="multiband")
    strip = strip.copy(interpretation="rgb16" if stills[0].coding.is_bright else "srgb")
    strip = tones.coded(strip, stills[0].coding)
    shown: Pixels = (tones.displayed(strip) if tones.is_strange(strip) else strip).numpy()
    return shown.reshape(len(stills), -1, *shown.shape[1:])


def encoded(shown: Pixels, seconds: list[float], *, quality: int, step: int) -> bytes:
    """The pictures as an animation that never ends."""
    starts = [round(1000 * (one - seconds[0])) for one in seconds[::step]]
    end = min(round(1000 * SECONDS), starts[-1] + round(1000 * step / RATE))
    kept = shown[::step]
    strip = pyvips.Image.new_from_array(np.concatenate(kept), interpretation="srgb")
    strip.set_type(pyvips.GValue.gint_type, "page-height", kept.shape[1])
    strip.set_type(pyvips.GValue.gint_type, "loop", 0)
    strip.set_type(pyvips.GValue.array_int_type, "delay", np.diff([*starts, end]).tolist())
    data: bytes = strip.webpsave_buffer(Q=quality, effort=EFFORT, keep="none", **WHOLE)
    return data
