"""Makes recordings of every codec and container: a tone of 440 Hz, as loud as it is told to be."""

import subprocess
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import NamedTuple

import av
import imageio_ffmpeg
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
PIECE = 4096
LOSSY = {"wmav2", "aac", "libmp3lame", "mp2", "ac3"}
TONE, LOUDNESS = 440.0, 0.5


class Kind(NamedTuple):
    """How recordings of a kind are written: by which muxer, by which encoder, and with which options of the muxer."""

    muxer: str
    encoder: str
    muxing: dict[str, str] = {}  # noqa: RUF012  # nobody changes it
    then: tuple[str, ...] = ()
    """What the bundled ffmpeg is to make of that."""


KINDS = {
    "mp3": Kind("mp3", "libmp3lame"),
    "flac": Kind("flac", "flac"),
    "vorbis": Kind("wav", "pcm_s16le", {}, ("-c:a", "libvorbis", "-f", "ogg")),
    "opus": Kind("ogg", "libopus"),
    "ogg flac": Kind("ogg", "flac"),
    "m4a": Kind("ipod", "aac"),
    "alac": Kind("ipod", "alac"),
    "aac": Kind("adts", "aac"),
    "wav": Kind("wav", "pcm_s16le"),
    "wav 24": Kind("wav", "pcm_s24le"),
    "wav float": Kind("wav", "pcm_f32le"),
    "rf64": Kind("wav", "pcm_s16le", {"rf64": "always"}),
    "aiff": Kind("aiff", "pcm_s16be"),
    "aifc": Kind("aiff", "pcm_f32be"),
    "mp4": Kind("mp4", "aac"),
    "3gp": Kind("3gp", "aac"),
    "amr": Kind("3gp", "libopencore_amrnb"),
    "mov": Kind("mov", "aac"),
    "webm": Kind("webm", "libopus"),
    "mkv": Kind("matroska", "flac"),
    "wma": Kind("asf", "wmav2"),
}

Loudness = Callable[[float], float]
"""How loud it is at a second, 0 to 1."""


def recording(
    kind: str = "mp3",
    *,
    seconds: float = 2,
    channels: int = 2,
    rate: int = 48_000,
    loudness: float | Loudness = LOUDNESS,
    tags: Mapping[str, str] | None = None,
) -> bytes:
    """A recording of one of `KINDS`; `tags` are title, artist and so on as FFmpeg calls them."""
    how, buffer = KINDS[kind], BytesIO()
    with av.open(buffer, "w", format=how.muxer, options=how.muxing) as made:
        made.metadata.update(tags or {})
        speak(made, track(made, how.encoder, channels, rate), seconds, loudness)
    return converted(buffer.getvalue(), *how.then) if how.then else buffer.getvalue()


def converted(content: bytes, *arguments: str) -> bytes:
    """What the bundled ffmpeg makes of a file with these arguments, where the library has no encoder for it."""
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", "pipe:", *arguments, "pipe:"]
    return subprocess.run(program, input=content, capture_output=True, check=True).stdout


def track(made: OutputContainer, encoder: str, channels: int, rate: int = 48_000) -> AudioStream:
    """A new track for sound in a container."""
    stream = made.add_stream(encoder, rate=rate, layout=LAYOUTS[channels])
    assert isinstance(stream, AudioStream)
    if encoder in LOSSY:
        stream.bit_rate = 96_000
    return stream


def speak(made: OutputContainer, stream: AudioStream, seconds: float, loudness: float | Loudness = LOUDNESS) -> None:
    """Let a track of a container sound for so long."""
    made.start_encoding()
    rate, channels = stream.rate, stream.codec_context.channels
    for start in range(0, round(seconds * rate), PIECE):
        times = np.arange(start, min(start + PIECE, round(seconds * rate))) / rate
        loud = loudness(start / rate) if callable(loudness) else loudness
        tone = (np.sin(2 * np.pi * TONE * times) * loud).astype(np.float32)
        frame = AudioFrame.from_ndarray(np.tile(tone, (channels, 1)), format="fltp", layout=LAYOUTS[channels])
        frame.sample_rate, frame.pts = rate, start
        made.mux(stream.encode(frame))
    made.mux(stream.encode() if seconds else [])
