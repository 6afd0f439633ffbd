"""What camcorders write between H.264's pictures: the time, settings, and of some the place."""

from itertools import islice

import av
from av.container import InputContainer
from av.video.stream import VideoStream

MARK = b"MDPM"
LOOKED_AT = 8
"""How many pictures; it stands at every one to which players seek, so at the first."""


def are_in(container: InputContainer, stream: VideoStream) -> bool:
    """Whether there are such remarks; afterwards the container is no longer at its start."""
    if stream.codec_context.codec.canonical_name != "h264":
        return False
    try:
        container.seek(0)
        return any(MARK in bytes(packet) for packet in islice(container.demux(stream), LOOKED_AT))
    except av.FFmpegError:
        return False
