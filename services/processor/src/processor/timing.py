"""How long a clip is, and whether its pictures come at even times."""

from collections.abc import Iterator
from itertools import islice, pairwise

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from processor.probes import LONGEST_SECONDS

MOST_WALKED = 2 << 30
"""So many bytes are read for a duration that no header tells."""
LOOKED_AT, STREAMED = 2000, 120
"""How many pictures are looked at where there is an index of them, and where they have to be read."""
OUT_OF_ORDER = 16
UNEVEN, FEW_UNEVEN = 0.1, 0.02
FINE_TICKS = 10


def seconds(container: InputContainer) -> float | None:
    """How long it plays, as its header says, its tracks', or else its packets do; None where nothing makes sense."""
    for find in (_said, _longest_track, _walked):
        found = find(container)
        if found is not None and 0 < found <= LONGEST_SECONDS:
            return found
    return None


def is_variable(container: InputContainer, stream: VideoStream) -> bool:
    """Whether more than a few pictures are shown for another time than most."""
    if container.format.name == "avi":  # counts pictures
        return False
    times = sorted(_indexed(container, stream) or islice(_read(container, stream), STREAMED))[:-OUT_OF_ORDER]
    gaps = sorted(later - earlier for earlier, later in pairwise(times))
    usual = gaps[len(gaps) // 2] if gaps else 0
    slack = UNEVEN * usual + (usual > FINE_TICKS)
    uneven = sum(abs(gap - usual) > slack for gap in gaps)
    return uneven > max(1, FEW_UNEVEN * len(gaps))


def _said(container: InputContainer) -> float | None:
    return None if container.duration is None else container.duration / av.time_base


def _longest_track(container: InputContainer) -> float | None:
    timed = [float(one.duration * one.time_base) for one in container.streams if one.duration and one.time_base]
    return max(timed, default=None)


def _walked(container: InputContainer) -> float | None:
    """From the first packet's time to the last one's end; nothing is decoded."""
    first, last, walked = None, 0.0, 0
    try:
        for packet in container.demux():
            if packet.pts is None or packet.time_base is None:
                continue
            walked += packet.size
            if walked > MOST_WALKED:
                return None
            at = float(packet.pts * packet.time_base)
            first = at if first is None else min(first, at)
            last = max(last, at + float((packet.duration or 0) * packet.time_base))
    except av.FFmpegError:
        pass  # as far as it goes
    return None if first is None else last - first


def _indexed(container: InputContainer, stream: VideoStream) -> list[int]:
    """The times of the first pictures, where a container has an index of every picture."""
    if not container.format.name.startswith("mov"):
        return []
    return [entry.timestamp for entry in islice(stream.index_entries, LOOKED_AT)]


def _read(container: InputContainer, stream: VideoStream) -> Iterator[int]:
    try:
        for packet in container.demux(stream):
            if packet.pts is not None:
                yield packet.pts
    except av.FFmpegError:
        return
