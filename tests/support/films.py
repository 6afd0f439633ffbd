"""Makes videos of every codec and container: four colours, a white square that wanders, and a tone."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Literal, NamedTuple

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.support import media, recordings
from tests.support.clips import ONE
from tests.support.media import Pixels

Hdr = Literal["pq", "hlg"]


class Container(NamedTuple):
    """How a container is written: by which muxer with which options, and how its sound is encoded by default."""

    muxer: str
    sound: str
    options: dict[str, str] = {}  # noqa: RUF012  # nobody changes it


class Codec(NamedTuple):
    """How pictures are encoded: by which encoder with which options, and with which pixels by default."""

    encoder: str
    options: dict[str, str] = {}  # noqa: RUF012  # nobody changes it
    pixels: str = "yuv420p"
    tag: str | None = None
    """What MP4 and QuickTime call it, where that is to be said."""


ISO = {"movflags": "use_metadata_tags"}
CONTAINERS = {
    "mp4": Container("mp4", "aac", ISO),
    "mov": Container("mov", "aac", ISO),
    "3gp": Container("3gp", "aac"),
    "mkv": Container("matroska", "aac"),
    "webm": Container("webm", "libopus"),
    "avi": Container("avi", "libmp3lame"),
    "ts": Container("mpegts", "aac"),
    "m2ts": Container("mpegts", "ac3", {"mpegts_m2ts_mode": "1"}),
    "mpg": Container("dvd", "mp2"),
    "wmv": Container("asf", "wmav2"),
    "flv": Container("flv", "aac"),
}
CODECS = {
    "h264": Codec("libx264", {"preset": "ultrafast"}),
    "hevc": Codec("libx265", {"preset": "ultrafast", "x265-params": "log-level=none"}, tag="hvc1"),
    "av1": Codec("libsvtav1", {"preset": "12", "svtav1-params": "lp=1"}),
    "vp9": Codec("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
    "vp8": Codec("libvpx", {"deadline": "realtime", "cpu-used": "8"}),
    "prores": Codec("prores", pixels="yuv422p10le"),
    "mpeg4": Codec("mpeg4"),
    "msmpeg4v3": Codec("msmpeg4"),
    "mpeg2video": Codec("mpeg2video"),
    "mpeg1video": Codec("mpeg1video"),
    "mjpeg": Codec("mjpeg", pixels="yuvj420p"),
    "h263": Codec("h263"),
    "wmv2": Codec("wmv2"),
    "flv1": Codec("flv"),
    "ffv1": Codec("ffv1"),
    "huffyuv": Codec("huffyuv", pixels="yuv422p"),
    "cinepak": Codec("cinepak", pixels="rgb24"),
    "svq1": Codec("svq1", pixels="yuv410p"),
    "wmv1": Codec("wmv1"),
    "msmpeg4v2": Codec("msmpeg4v2"),
}
MATRICES = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
UNTURNED = {90: 6, 180: 3, 270: 8}
"""The EXIF orientation that a player's turning by so many degrees to the right stands for."""
TRANSFERS = {"pq": "smpte2084", "hlg": "arib-std-b67"}
TRANSFER_NUMBERS = {"pq": 16, "hlg": 18}
BT2020, BT2020_MATRIX = 9, 9
MASTERED = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
SQUARE = 16
TICKS = 1000


@contextmanager
def unhurried() -> Iterator[None]:
    """Undo what the AV1 encoder does to whoever calls it as root: it makes their thread more urgent than all others."""
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, param)


@unhurried()
def film(
    container: str = "mp4",
    codec: str = "h264",
    *,
    size: tuple[int, int] = (320, 240),
    seconds: float = 2,
    rate: int = 30,
    is_variable: bool = False,
    turned: int = 0,
    channels: int = 0,
    sound: str | None = None,
    hdr: Hdr | None = None,
    pixels: str | None = None,
    starts_fast: bool = False,
    dark: float = 0,
    tags: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    muxing: Mapping[str, str] | None = None,
) -> bytes:
    """A video that looks, upright, like `media.quadrants(*size)` with a white square that wanders through its middle.

    It has no sound unless told how many `channels` (1, 2, 6), encoded as its container likes it or by the encoder
    `sound`; `turned` is how far a player turns the stored picture to the right; `dark` are black seconds at its start;
    no `seconds` make a container without a single picture; `options` are the encoder's, `muxing` the muxer's.
    """
    written, encoded = CONTAINERS[container], CODECS[codec]
    how = written.options | _moved(seconds, starts_fast=starts_fast) | dict(muxing or {})
    with tempfile.NamedTemporaryFile() as file, av.open(file.name, "w", format=written.muxer, options=how) as made:
        made.metadata.update(tags or {})
        stream = made.add_stream(encoded.encoder, rate=rate, options=_options(encoded, hdr) | dict(options or {}))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size if turned % 180 == 0 else size[::-1]
        stream.codec_context.thread_count = 1
        stream.pix_fmt = pixels or _pixels(encoded, size, hdr)
        if encoded.tag and written.muxer in {"mp4", "mov"}:
            stream.codec_context.codec_tag = encoded.tag
        if hdr:
            stream.codec_context.color_primaries, stream.codec_context.colorspace = BT2020, BT2020_MATRIX
            stream.codec_context.color_trc = TRANSFER_NUMBERS[hdr]
        if turned:
            a, b, c, d = (ONE * value for value in MATRICES[turned])
            stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        voice = recordings.track(made, sound or written.sound, channels) if channels else None
        made.start_encoding()
        for frame in _frames(stream, size, round(seconds * rate), is_variable, turned, dark):
            made.mux(stream.encode(frame))
        made.mux(stream.encode() if seconds else [])
        if voice is not None:
            recordings.speak(made, voice, seconds)
        made.close()
        return Path(file.name).read_bytes()


def cut(content: bytes, share: float) -> bytes:
    """What there is of a file whose copying stopped early."""
    return content[: round(len(content) * share)]


def _moved(seconds: float, *, starts_fast: bool) -> dict[str, str]:
    """Where an ISO container has its index; without pictures its tracks are told only where it comes first."""
    flags = "+empty_moov" * (not seconds) + "+faststart" * starts_fast
    return {"movflags": f"use_metadata_tags{flags}"} if flags else {}


def _options(codec: Codec, hdr: Hdr | None) -> dict[str, str]:
    if hdr is None or codec.encoder != "libx265":
        return codec.options
    coded = f"colorprim=bt2020:transfer={TRANSFERS[hdr]}:colormatrix=bt2020nc"
    mastered = f":hdr10=1:{MASTERED}" if hdr == "pq" else ""
    return codec.options | {"x265-params": f"log-level=none:{coded}{mastered}"}


def _pixels(codec: Codec, size: tuple[int, int], hdr: Hdr | None) -> str:
    is_odd = size[0] % 2 or size[1] % 2
    plain = "yuv444p" if is_odd and codec.encoder in {"libx264", "libx265"} else codec.pixels
    return f"{plain}10le" if hdr else plain


def _frames(
    stream: VideoStream, size: tuple[int, int], count: int, is_variable: bool, turned: int, dark: float
) -> Iterator[VideoFrame]:
    """The pictures as they are stored; of those that come irregularly, every third comes half a picture late."""
    rate = Fraction(stream.average_rate or 30)
    if is_variable:
        stream.codec_context.time_base = Fraction(1, TICKS)
    upright = np.asarray(media.quadrants(*size))
    for number in range(count):
        shown = _with_square(upright, number) if number >= dark * rate else np.zeros_like(upright)
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(shown, turned // 90)), format="rgb24")
        late = Fraction(number % 3 == 2 and is_variable) / 2
        frame.time_base = Fraction(1, TICKS) if is_variable else 1 / rate
        frame.pts = round((number + late) / rate / frame.time_base)
        yield frame


def _with_square(upright: Pixels, number: int) -> Pixels:
    shown, (height, width, _) = upright.copy(), upright.shape
    top, left = height // 2 - SQUARE // 2, number * 4 % max(width - SQUARE, 1)
    shown[top : top + SQUARE, left : left + SQUARE] = 255
    return shown
