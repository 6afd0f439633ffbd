"""How the version for browsers is made, if one is needed: rules over a probe, and nothing else."""

from typing import Literal

from msgspec import Struct

from common.rendering import Policy
from processor import mp3
from processor.filters import LONG_SIDE, SHORT_SIDE
from processor.probes import AudioTrack, Probe, VideoTrack

Way = Literal["copy", "encode"]
VERSION = 2
"""Counted up when renditions would come out otherwise than before: those that stand are then made anew."""
MP4 = "video/mp4"
COPIED_FROM = {"mov", "matroska", "flv", "mpegts"}
"""Containers whose timestamps can be believed; those of AVI count pictures, whatever was dropped while recording."""
PROFILES = {"Baseline", "Constrained Baseline", "Main", "High"}
HIGHEST_LEVEL = 52
MOST_CHANNELS = 6


class Recipe(Struct, frozen=True, kw_only=True):
    """What becomes of each track, null where there is none."""

    mime: str
    video: Way | None
    audio: Way | None

    @property
    def name(self) -> str:
        """What a rendition remembers; one of the same name would be the same, whoever encodes it."""
        return f"{VERSION} {self.mime} video={self.video} audio={self.audio}"


def choose(probe: Probe, policy: Policy) -> Recipe | None:
    """How to make it; None where the original is to be played as it is."""
    if policy == "never" or (policy == "smart" and plays(probe)):
        return None
    if probe.video is None:
        way = mp3.way(probe.audio) if probe.audio else None
        return Recipe(mime=mp3.MIME, video=None, audio=way) if way else None
    is_kept, is_seen = probe.demuxer in COPIED_FROM, plays_video(probe.video) and not probe.video.has_remarks
    return Recipe(
        mime=MP4,
        video="copy" if is_kept and is_seen and policy != "always" else "encode",
        audio=_sound(probe.audio, is_kept=is_kept),
    )


def _sound(track: AudioTrack | None, *, is_kept: bool) -> Way | None:
    """What becomes of a video's sound; a track in which nothing was found is none."""
    if track is None or not track.channels or not track.sample_rate:
        return None
    return "copy" if is_kept and plays_audio(track) else "encode"


def plays(probe: Probe) -> bool:
    """Whether every browser plays the file as it is, at once."""
    if probe.video is None:
        return probe.audio is not None and not mp3.is_needed(probe, probe.audio)
    return (
        probe.mime == MP4
        and probe.starts_fast
        and plays_video(probe.video)
        and (probe.audio is None or plays_audio(probe.audio))
    )


def plays_video(track: VideoTrack) -> bool:
    """Whether every browser shows these pictures as they are meant; it heeds turns and dots."""
    long, short = max(track.width, track.height), min(track.width, track.height)
    return (
        track.codec == "h264"
        and track.profile in PROFILES
        and (track.level is None or track.level <= HIGHEST_LEVEL)
        and track.pixels == "yuv420p"
        and (long <= LONG_SIDE and short <= SHORT_SIDE)
        and track.hdr is None
        and not track.is_interlaced
    )


def plays_audio(track: AudioTrack) -> bool:
    """Whether every browser plays this sound; it mixes six channels down itself."""
    is_aac = track.codec == "aac" and track.profile in mp3.AAC and track.channels <= MOST_CHANNELS
    return is_aac or track.codec == "mp3"
