"""Whether a recording needs an MP3 that every browser plays, and how that is made: rules over its track."""

from typing import Literal

from processor.probes import AudioTrack, Probe

MIME = "audio/mpeg"
MOST_PCM = 64_000_000
"""Bytes of plain samples that a browser should have to fetch; more of them are played as MP3."""
AAC = ("LC", "HE-AAC", "HE-AACv2")
PLAYED: dict[str, set[tuple[str, str | None]]] = {
    "mp3": {("mp3", None)},
    "mov": {*(("aac", profile) for profile in AAC), ("mp3", None)},
    "aac": {("aac", profile) for profile in AAC},
    "flac": {("flac", None)},
    "wav": {("pcm_u8", None), ("pcm_s16le", None)},
}
"""What every browser plays, by container. Ogg is not here: Safari reads it since 18.4 only."""
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""What an MP3 can have."""


def is_needed(probe: Probe, track: AudioTrack) -> bool:
    """Whether some browser does not play the recording as it is; an index at its end only costs one more request."""
    is_played = (track.codec, track.profile) in PLAYED.get(probe.demuxer, set()) and track.channels <= 2
    return not is_played or is_bulky(probe, track)


def is_bulky(probe: Probe, track: AudioTrack) -> bool:
    """Whether it is plain samples, and far more of them than are worth sending."""
    bytes_a_second = track.sample_rate * track.channels * (1 if track.codec == "pcm_u8" else 2)
    return track.codec.startswith("pcm_") and (probe.duration or 0) * bytes_a_second > MOST_PCM


def way(track: AudioTrack) -> Literal["copy", "encode"]:
    """How it becomes an MP3: what is one already loses nothing."""
    return "copy" if track.codec == "mp3" else "encode"


def encoding(track: AudioTrack) -> dict[str, object]:
    """The encoder's options: a variable rate, about 190 kbit/s of stereo music, less of speech and of one channel."""
    return {"c:a": "libmp3lame", "q:a": 2, "ac": min(track.channels, 2), "ar": rate(track.sample_rate)}


def rate(sample_rate: int) -> int:
    """Its own rate if an MP3 can have it; else one that it is a multiple of, or the next above it."""
    if sample_rate in RATES:
        return sample_rate
    if sample_rate > RATES[-1]:
        return 44100 if sample_rate % 44100 == 0 else 48000
    return next(one for one in RATES if one > sample_rate)
