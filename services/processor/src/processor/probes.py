"""What is in a video or a recording, as far as it is found in its container alone."""

from typing import BinaryIO, Literal

from msgspec import Struct

Hdr = Literal["pq", "hlg"]
PQ, HLG = 16, 18  # transfer characteristics, by the standard's numbers
UNSAID = 2
MATRICES = {1, 4, 5, 6, 7, 9}
"""How brightness and colours may be told apart that our libraries can undo; 0 is of red, green and blue."""
SD_LINES = 576
"""Up to this height pictures that do not say their colours have those of old television."""
MOST_STREAMS = 64
LONGEST_SECONDS = 30 * 24 * 60 * 60
"""What says that it goes on longer makes no sense."""
LOOKED_AT = {"probesize": "10000000", "analyzeduration": "2000000"}
"""How many bytes and microseconds tell which tracks there are; whoever counts them must look at as many."""
OF_DEMUXER = {"mov": {"enable_drefs": "0"}}
"""What else a reader is told: no other file is opened."""


class VideoTrack(Struct, frozen=True, kw_only=True):
    """The moving picture; width and height are those of the stored pixels, before they are turned."""

    index: int
    codec: str
    profile: str | None
    level: int | None = None
    """As the codec counts it: 42 is H.264's 4.2."""
    pixels: str | None
    """FFmpeg's name of how they are laid out, such as yuv420p."""
    width: int
    height: int
    dots: float = 1.0
    """How wide a pixel is that is one high."""
    orientation: int = 1
    """How the pictures are to be turned, as EXIF counts it; by other means than the container's it is not known yet."""
    frame_rate: float | None
    is_variable: bool = False
    """Whether pictures come at uneven times; the rate is their average then."""
    dolby_vision: int | None = None
    """Its profile."""
    hdr: Hdr | None
    primaries: int = UNSAID
    matrix: int = UNSAID
    """Which colours its numbers stand for, by the standard's numbers."""
    is_interlaced: bool | None = None
    """Whether each picture holds two moments; null where only the pictures tell."""
    has_remarks: bool = False
    """Whether the camera wrote between the pictures when, and maybe where, they were taken."""


class AudioTrack(Struct, frozen=True, kw_only=True):
    """The sound that is heard when nobody chooses another."""

    index: int
    codec: str
    profile: str | None
    channels: int
    sample_rate: int


class Probe(Struct, frozen=True, kw_only=True):
    """A container and the tracks of it that are played; `duration` in seconds."""

    demuxer: str
    mime: str
    duration: float | None
    bitrate: int | None = None
    """In bits a second, of everything in it."""
    video: VideoTrack | None
    audio: AudioTrack | None
    starts_fast: bool
    """Whether the index lies before the pictures and sounds, so that playing can begin at once."""
    notes: tuple[str, ...] = ()
    """What made no sense."""


def probe(file: BinaryIO, mime: str) -> Probe:
    """What a file of this type holds; `Unreadable` if not even its container makes sense."""
    from processor import clips  # in the sandbox only: the service itself needs no video library

    return clips.probed(file, mime)
