"""How the version for browsers is made, if one is needed: rules over a probe, and nothing else."""

from typing import Literal

from msgspec import Struct

from common.rendering import Policy
from processor import listening
from processor.probes import AudioTrack, Probe, VideoTrack

Way = Literal["copy", "encode"]
LONG_SIDE, SHORT_SIDE = 1920, 1080
WEB_AUDIO = {("aac", "LC"), ("mp3", None)}


class Recipe(Struct, frozen=True, kw_only=True):
    """What becomes of each track, null where there is none."""

    mime: str
    video: Way | None
    audio: Way | None

    @property
    def name(self) -> str:
        """What a rendition remembers; one of the same name would be the same."""
        return f"1 {self.mime} video={self.video} audio={self.audio}"


def choose(probe: Probe, policy: Policy) -> Recipe | None:
    """How to make it; None where the original is to be played as it is."""
    if policy == "never" or (policy == "smart" and plays(probe)):
        return None
    if probe.video is None:
        way = listening.way(probe.audio) if probe.audio else None
        return Recipe(mime=listening.MIME, video=None, audio=way) if way else None
    is_wanted = policy == "always"
    return Recipe(
        mime="video/mp4",
        video="copy" if plays_video(probe.video) and not is_wanted else "encode",
        audio=None if probe.audio is None else "copy" if plays_audio(probe.audio) else "encode",
    )


def plays(probe: Probe) -> bool:
    """Whether every browser plays the file as it is, at once."""
    if probe.video is None and probe.audio is not None:
        return listening.plays(probe, probe.audio)
    return (
        probe.demuxer == "mov"
        and probe.starts_fast
        and (probe.video is None or plays_video(probe.video))
        and (probe.audio is None or plays_audio(probe.audio))
    )


def plays_video(track: VideoTrack) -> bool:
    long, short = max(track.width, track.height), min(track.width, track.height)
    return track.codec == "h264" and track.pixels == "yuv420p" and long <= LONG_SIDE and short <= SHORT_SIDE


def plays_audio(track: AudioTrack) -> bool:
    return (track.codec, track.profile) in WEB_AUDIO and track.channels <= 2
