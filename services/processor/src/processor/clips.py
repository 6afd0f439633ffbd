"""An open MP4 or QuickTime file: what its container says, and single pictures out of it."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import islice
from typing import BinaryIO, NamedTuple

import av
import av.subtitles.stream  # the library would import it late, where nothing can be imported any more
import numpy as np
import pyvips
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from common.boxes import Read, boxes
from processor import containers, pictures, tones
from processor.probes import HLG, LOOKED_AT, PQ, UNSAID, AudioTrack, Hdr, Probe, VideoTrack
from processor.tones import Coding
from processor.unreadable import Unreadable

Pixels = NDArray[np.uint8 | np.uint16]
DEMUXERS = {
    **dict.fromkeys(("video/mp4", "video/quicktime", "video/3gpp", "audio/mp4"), "mov"),
    **dict.fromkeys(("video/x-matroska", "video/webm", "audio/x-matroska", "audio/webm"), "matroska"),
    **dict.fromkeys(("video/x-ms-wmv", "audio/x-ms-wma"), "asf"),
    **dict.fromkeys(("video/ogg", "audio/ogg"), "ogg"),
    "video/x-msvideo": "avi",
    "video/mp2t": "mpegts",
    "video/mpeg": "mpeg",
    "video/x-flv": "flv",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/wav": "wav",
    "audio/aiff": "aiff",
}
"""The one reader of each type; none of them opens other files, whatever a file asks for."""
OF_DEMUXER = {"mov": {"enable_drefs": "0"}}
CODECS = {
    *("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "mpeg1video", "h263"),
    *("mjpeg", "prores", "dnxhd", "dvvideo"),
}
MOST_STREAMS = 64
MOST_PIXELS = 36_000_000
"""Of one picture: a decoder keeps up to seventeen."""
LONGEST_SECONDS, FASTEST, MOST_BITS = 30 * 24 * 60 * 60, 1000, 10**11
FURTHEST_PICTURES = 120
"""How far behind a key frame a picture is looked for."""
POSTER_SECONDS, POSTER_SHARE = 1.0, 0.1
LATER = (1, 3, 5)
"""Where pictures are tried, in multiples of the first place, until one is not dark."""
HDR: dict[int, Hdr] = {PQ: "pq", HLG: "hlg"}
DARK = 12.0  # of 255
SD_LINES = 576
MATRIX = struct.Struct("=9i")
UNKNOWN, PROGRESSIVE = 0, 1  # orders of fields
UPRIGHT = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
"""The EXIF orientation that a display matrix stands for."""


class Clip(NamedTuple):
    """What a container says of its video; width and height with square dots, before it is turned."""

    width: int
    height: int
    stored_width: int
    stored_height: int
    codec: str
    duration: float | None
    frame_rate: float | None
    bitrate: int | None
    notes: tuple[str, ...]


@contextmanager
def opened(file: BinaryIO, mime: str) -> Iterator[InputContainer]:
    """The container; whatever the library has to say against it or its pictures is a verdict."""
    demuxer = DEMUXERS[mime]
    options = LOOKED_AT | OF_DEMUXER.get(demuxer, {})
    try:
        with av.open(file, "r", format=demuxer, options=options, metadata_errors="replace") as container:
            yield container
    except MemoryError:
        raise Unreadable("it asks for more memory than a video may take") from None
    except av.FFmpegError as error:
        raise Unreadable(f"the file is damaged: {error.strerror}") from None


def stream_of(container: InputContainer) -> VideoStream:
    """The moving picture in the container; covers and thumbnails are none."""
    if len(container.streams) > MOST_STREAMS:
        raise Unreadable(f"it has more than {MOST_STREAMS} tracks")
    found = moving(container)
    if not found:
        raise Unreadable(f"it has no video in it{' that this version knows' if container.streams.video else ''}")
    return found[0]


def probed(file: BinaryIO, mime: str) -> Probe:
    """What decides whether a browser plays the file."""
    with opened(file, mime) as container:
        videos = moving(container) if mime.startswith("video/") else []
        sound = container.streams.best("audio")
        seconds = (container.duration or 0) / av.time_base
        return Probe(
            demuxer=DEMUXERS[mime],
            mime=mime,
            duration=seconds if 0 < seconds <= LONGEST_SECONDS else None,
            video=_video_track(videos[0]) if videos else None,
            audio=_audio_track(sound) if isinstance(sound, AudioStream) and sound.codec_context else None,
            starts_fast=DEMUXERS[mime] != "mov" or index_is_first(containers.reader(file), containers.size(file)),
        )


def moving(container: InputContainer) -> list[VideoStream]:
    """The moving pictures whose codec is known; covers and thumbnails are none."""
    still = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    return [one for one in container.streams.video if not one.disposition & still and one.codec_context]


def index_is_first(read: Read, size: int) -> bool:
    """Whether an ISO container's index lies before its data."""
    found = next((box.kind for box in boxes(read, 0, size) if box.kind in {b"moov", b"mdat"}), None)
    return found == b"moov"


def _video_track(stream: VideoStream) -> VideoTrack:
    rate, context = stream.average_rate or stream.guessed_rate, stream.codec_context
    return VideoTrack(
        index=stream.index,
        codec=codec_of(stream),
        profile=stream.profile,
        level=context.level if context.level > 0 else None,
        pixels=context.pix_fmt,
        width=stream.width,
        height=stream.height,
        frame_rate=float(rate) if rate else None,
        hdr=HDR.get(context.color_trc),
        primaries=context.color_primaries,
        matrix=context.colorspace,
        is_interlaced=None if context.field_order == UNKNOWN else context.field_order != PROGRESSIVE,
    )


def _audio_track(stream: AudioStream) -> AudioTrack:
    return AudioTrack(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        profile=stream.profile,
        channels=stream.codec_context.channels,
        sample_rate=stream.codec_context.sample_rate,
        bitrate=stream.bit_rate or None,
    )


def described(container: InputContainer, stream: VideoStream) -> Clip:
    """What the container says of the video, as far as it makes sense."""
    seconds = (container.duration or 0) / av.time_base
    is_sane = 0 < seconds <= LONGEST_SECONDS
    rate = stream.average_rate or stream.guessed_rate
    return Clip(
        width=round(stream.width * dots_of(stream)),
        height=stream.height,
        stored_width=stream.width,
        stored_height=stream.height,
        codec=codec_of(stream),
        duration=round(seconds, 3) if is_sane else None,
        frame_rate=round(float(rate), 3) if rate and 0 < rate <= FASTEST else None,
        bitrate=container.bit_rate if is_sane and 0 < container.bit_rate < MOST_BITS else None,
        notes=() if is_sane else ("the duration made no sense",),
    )


def codec_of(stream: VideoStream) -> str:
    """The name of how its pictures are encoded."""
    return stream.codec_context.codec.canonical_name


def dots_of(stream: VideoStream) -> Fraction:
    """How wide a dot is that is one high."""
    dots = stream.sample_aspect_ratio or Fraction(1)
    return dots if Fraction(1, 4) <= dots <= 4 else Fraction(1)


def poster(container: InputContainer, stream: VideoStream, duration: float | None) -> pyvips.Image:
    """A picture that is not dark if there is one near the start, its orientation said but not heeded."""
    check(stream)
    stream.thread_count = 1
    first = min(POSTER_SECONDS, POSTER_SHARE * (duration or 0))
    found = None
    for times in LATER:
        frame = frame_at(container, stream, first * times)
        if frame is not None:
            picture = as_image(frame, stream)
            if not is_dark(picture):
                return picture
            found = found or picture
    if found is None:
        raise Unreadable("none of its pictures can be decoded")
    return found


def check(stream: VideoStream) -> None:
    """Refuse what nobody should decode."""
    if codec_of(stream) not in CODECS:
        raise Unreadable(f"this version cannot decode its pictures ({codec_of(stream)})")
    pictures.check_size(stream.width, stream.height)
    if stream.width * stream.height > MOST_PIXELS:
        raise Unreadable(f"{stream.width} x {stream.height} pixels are too many for a video")


def frame_at(container: InputContainer, stream: VideoStream, seconds: float) -> VideoFrame | None:
    """The first picture at or after a time, or the last that could be decoded on the way there."""
    last = None
    try:
        container.seek(round(seconds * av.time_base))
        for frame in islice(container.decode(stream), FURTHEST_PICTURES):
            last = frame
            if frame.time is None or frame.time >= seconds:
                break
    except av.FFmpegError:
        if last is None and seconds:
            return frame_at(container, stream, 0)
    return last


def as_image(frame: VideoFrame, stream: VideoStream) -> pyvips.Image:
    """The picture with square dots, what its numbers stand for, and how it is to be turned."""
    coding = Coding(int(frame.color_primaries), int(frame.color_trc))
    image = tones.coded(pyvips.Image.new_from_array(pixels_of(frame), interpretation="multiband"), coding)
    image = image.copy(interpretation="rgb16" if coding.is_bright else "srgb")
    if dots_of(stream) != 1:
        image = image.resize(float(dots_of(stream)), vscale=1)
    return pictures.described(image, orientation=orientation_of(frame))


def pixels_of(frame: VideoFrame, width: int | None = None, height: int | None = None) -> Pixels:
    """Red, green and blue of each pixel, of 16 bits where the picture has light that a plain screen has not."""
    is_bright = Coding(int(frame.color_primaries), int(frame.color_trc)).is_bright
    space = "ITU709" if frame.colorspace == UNSAID and frame.height > SD_LINES else None
    kind = "rgb48le" if is_bright else "rgb24"
    return np.asarray(frame.to_ndarray(format=kind, src_colorspace=space, width=width, height=height))


def orientation_of(frame: VideoFrame) -> int:
    """How the picture is to be turned and flipped, as EXIF counts it; other angles than right ones are not heeded."""
    try:
        matrix = bytes(frame.side_data[SideData.DISPLAYMATRIX])  # type: ignore[typeddict-item]  # its stub is wrong
    except KeyError:
        return 1
    a, b, _, c, d, *_ = MATRIX.unpack(matrix)
    return UPRIGHT.get((sign(a), sign(b), sign(c), sign(d)), 1)


def sign(value: int) -> int:
    return (value > 0) - (value < 0)


def is_dark(image: pyvips.Image) -> bool:
    return bool(image.avg() < DARK * (257 if image.format == "ushort" else 1))
