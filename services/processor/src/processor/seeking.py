"""Finds the picture near a time that costs least: the decoder has to begin at a key frame, wherever that is."""

import av
from av.container import InputContainer
from av.video.stream import VideoStream

NEAR = 0.25
"""How far from a time a key frame may be to do as well, as a share of the time; most cameras write one a second."""

AHEAD = 10.0
"""So many seconds before the start is sought what lies at it: where there is no index, a seek may end a bit late."""


def stand_near(container: InputContainer, stream: VideoStream, seconds: float) -> bool:
    """Whether the container now stands before a key frame that is as good as the time after its start.

    If not, it stands before the last key frame that is earlier. Whatever follows is decoded with as few pictures
    as lead there.
    """
    is_near = any(_is_near(container, stream, seconds, backward=earlier) for earlier in (True, False))
    if not is_near:
        _seek(container, seconds)
    stream.codec_context.skip_frame = "NONREF" if seconds and not is_near else "DEFAULT"
    return is_near


def rewind(container: InputContainer, stream: VideoStream, _: float = 0) -> bool:
    """Stand at the very start, which is near nothing: everything from there on is decoded."""
    stream.codec_context.skip_frame = "DEFAULT"
    _seek(container, -AHEAD)
    return False


def _is_near(container: InputContainer, stream: VideoStream, seconds: float, *, backward: bool) -> bool:
    """Whether the container stands before the key frame on this side of the time, for that one is near."""
    try:
        _seek(container, seconds, backward=backward)
        found = next(container.demux(stream))
    except av.FFmpegError:  # there is nothing on that side
        return False
    if not found.is_keyframe or found.pts is None or found.time_base is None:
        return False
    at = float(found.pts * found.time_base) - (container.start_time or 0) / av.time_base
    if abs(at - seconds) > NEAR * seconds:
        return False
    _seek(container, seconds, backward=backward)
    return True


def _seek(container: InputContainer, seconds: float, *, backward: bool = True) -> None:
    container.seek(round(seconds * av.time_base) + (container.start_time or 0), backward=backward)
