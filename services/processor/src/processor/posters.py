"""Single pictures out of an open clip, as they are stored, with what is to be heeded when they are shown."""

import contextlib
import struct
from collections.abc import Iterator
from itertools import dropwhile, islice

import av
import numpy as np
import pyvips
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from processor import atoms, pictures, seeking, tones
from processor.clips import dots_of
from processor.probes import MATRICES, SD_LINES, UNSAID
from processor.tones import Coding
from processor.unreadable import Unreadable

Pixels = NDArray[np.uint8 | np.uint16]
CODECS = {
    *("h264", "hevc", "av1", "vp8", "vp9", "mpeg4", "mpeg2video", "mpeg1video", "h261", "h263", "h263p", "flv1"),
    *("mjpeg", "prores", "dnxhd", "dvvideo", "theora", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2", "wmv3"),
    *("vc1", "vp6", "vp6f", "vp6a", "svq1", "svq3", "cinepak", "ffv1", "huffyuv", "ffvhuff", "rawvideo", "qtrle"),
    *("rpza", "msvideo1", "msrle", "indeo2", "indeo3", "indeo4", "indeo5", "cfhd"),
}
MOST_PIXELS = 36_000_000
"""Of one picture: a decoder keeps up to seventeen."""
FURTHEST_PICTURES, FURTHEST_PACKETS = 120, 1000
"""How far behind a key frame a picture is looked for, and how much is passed over that is none."""
POSTER_SECONDS, POSTER_SHARE = 1.0, 0.1
LATER = (1, 3, 5)
"""Where pictures are tried, in multiples of the first place, until one is not dark."""
DARK = 12.0  # of 255
MATRIX = struct.Struct("=9i")
BT2020 = 9


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
    codec = stream.codec_context.codec.canonical_name
    if codec not in CODECS:
        raise Unreadable(f"this version cannot decode its pictures ({codec})")
    pictures.check_size(stream.width, stream.height)
    if stream.width * stream.height > MOST_PIXELS:
        raise Unreadable(f"{stream.width} x {stream.height} pixels are too many for a video")


def frame_at(container: InputContainer, stream: VideoStream, seconds: float) -> VideoFrame | None:
    """The first picture about so long after the start or later, or the last that could be decoded on the way there."""
    start = container.start_time or 0
    for stand in (seeking.stand_near, seeking.rewind):
        is_near, last = False, None
        with contextlib.suppress(av.FFmpegError):  # what cannot be sought is read on
            is_near = stand(container, stream, seconds)
        for frame in islice(decoded(container, stream, is_fresh=True), FURTHEST_PICTURES):
            last = frame
            if is_near or frame.time is None or frame.time - start / av.time_base >= seconds:
                break
        if last is not None:
            return last
    return None


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
    # every frame would have threads of its own, which soon are more than a confined process may have
    return np.asarray(frame.to_ndarray(format=kind, src_colorspace=space, width=width, height=height, threads=1))


def orientation_of(frame: VideoFrame) -> int:
    """How the picture is to be turned and flipped, as EXIF counts it.

    The library never frees a picture whose side data was looked at, so that of a tiny copy is.
    """
    copy = frame.reformat(width=2, height=2, threads=1)
    try:
        matrix = bytes(copy.side_data[SideData.DISPLAYMATRIX])  # type: ignore[typeddict-item]  # its stub is wrong
    except KeyError:
        return 1
    return atoms.orientation(MATRIX.unpack(matrix))


def is_dark(image: pyvips.Image) -> bool:
    """Whether there is next to nothing to be seen."""
    return bool(image.avg() < DARK * (257 if image.format == "ushort" else 1))


def decoded(container: InputContainer, stream: VideoStream, *, is_fresh: bool = False) -> Iterator[VideoFrame]:
    """The pictures from here on, after a seek from the next key frame on; what cannot be decoded is passed over."""
    try:
        packets = islice(container.demux(stream), FURTHEST_PACKETS)
        for packet in dropwhile(lambda packet: is_fresh and not packet.is_keyframe, packets):
            try:
                yield from map(_understood, packet.decode())
            except (av.InvalidDataError, av.PatchWelcomeError):
                continue
    except MemoryError:
        raise
    except av.FFmpegError:  # the rest of the file is damaged
        return


def _understood(frame: VideoFrame) -> VideoFrame:
    """The picture as if it said nothing of its colours, where the library cannot undo what it says."""
    if frame.colorspace not in MATRICES and not frame.format.is_rgb:
        frame.colorspace = BT2020 if frame.color_primaries == BT2020 else UNSAID
    return frame
