"""Listens to a recording from its beginning to its end, however damaged it is in between."""

import re
import time
from collections.abc import Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from msgspec import Struct

from processor import waveforms
from processor.clips import MOST_BITS
from processor.probes import LONGEST_SECONDS
from processor.unreadable import Unreadable
from processor.waveforms import Peaks, Samples, Waveform

KINDS = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
"""How a sample is stored, by FFmpeg's names."""
CODECS = {
    *("mp3", "mp2", "mp1", "aac", "aac_latm", "ac3", "eac3", "dts", "vorbis", "opus", "speex", "amr_nb", "amr_wb"),
    *("flac", "alac", "wavpack", "ape", "tta", "wmav1", "wmav2", "wmapro", "wmalossless", "wmavoice", "gsm", "gsm_ms"),
    *("qcelp", "qdm2", "mace3", "mace6", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "adpcm_g726"),
}
"""What is decoded, beside plain samples."""
PLAIN = re.compile(r"pcm_[sfu](\d+)")
LOSSLESS = {"flac", "alac", "wavpack", "ape", "tta", "wmalossless"}
TELEPHONE = {"pcm_mulaw", "pcm_alaw"}
ADDED_SECONDS = 0.1
MOST_FAILURES = 1000
"""In a row, of a container that makes no sense in the middle."""


class Heard(Struct, kw_only=True):
    """What came out of the decoder; it is whole where nothing was left out for want of time."""

    peaks: Peaks
    sample_rate: int = 0
    channels: int = 0
    duration: float = 0.0
    """In seconds."""
    length: int = 0
    """In bytes, as it was encoded."""
    damaged: int = 0
    """Pieces that could not be decoded."""
    is_whole: bool = True


class Sound(Struct, frozen=True, kw_only=True):
    """What is heard in a recording, and what its container says of it."""

    codec: str
    duration: float | None
    bitrate: int | None
    sample_rate: int
    channels: int
    bits: int | None
    """Of a plain sample."""
    is_lossless: bool
    words: dict[str, str]
    waveform: Waveform | None
    notes: tuple[str, ...]
    trouble: str | None


def of(container: InputContainer, *, seconds: float) -> Sound:
    """The sound that is heard when nobody chooses another, listened to for so many seconds."""
    stream = stream_of(container)
    codec = stream.codec_context.codec.canonical_name
    plain = PLAIN.match(codec)
    is_known = codec in CODECS or plain is not None or codec in TELEPHONE
    heard = listen(container, stream, seconds=seconds) if is_known else Heard(peaks=Peaks(), is_whole=False)
    duration = duration_of(container, heard)
    return Sound(
        codec=codec,
        duration=duration,
        bitrate=bitrate_of(container, stream, heard),
        sample_rate=heard.sample_rate or stream.codec_context.sample_rate,
        channels=heard.channels or stream.codec_context.channels,
        bits=int(plain[1]) if plain else None,
        is_lossless=codec in LOSSLESS or plain is not None,
        words=dict(container.metadata) | dict(stream.metadata),
        waveform=_waveform(heard, duration),
        notes=tuple(_notes(heard)) if is_known else (),
        trouble=_trouble(heard, codec, is_known=is_known),
    )


def stream_of(container: InputContainer) -> AudioStream:
    """The track that is listened to."""
    stream = container.streams.best("audio")
    if not isinstance(stream, AudioStream) or not stream.codec_context:
        known = " that this version knows" if container.streams.audio else ""
        raise Unreadable(f"there is no sound in it{known}")
    return stream


def duration_of(container: InputContainer, heard: Heard) -> float | None:
    """Seconds, as many as were heard; an ISO container knows better how much silence the encoder added."""
    said = (container.duration or 0) / av.time_base
    is_exact = "mp4" in container.format.name.split(",") and abs(said - heard.duration) <= ADDED_SECONDS
    if heard.is_whole and not is_exact:
        said = heard.duration
    return round(said, 3) if 0 < said <= LONGEST_SECONDS else None


def bitrate_of(container: InputContainer, stream: AudioStream, heard: Heard) -> int | None:
    """Bits a second: those that were there, if all of them were seen."""
    if heard.is_whole and heard.duration:
        return round(8 * heard.length / heard.duration)
    found = stream.bit_rate or container.bit_rate
    return found if found and 0 < found < MOST_BITS else None


def _waveform(heard: Heard, duration: float | None) -> Waveform | None:
    if not heard.is_whole or not heard.peaks.samples:
        return None
    return waveforms.waveform(heard.peaks, sample_rate=heard.sample_rate, duration=duration or 0.0)


def _notes(heard: Heard) -> Iterator[str]:
    if not heard.is_whole:
        yield "it takes too long to listen to all of it, so it has no waveform"
    if heard.damaged and heard.peaks.samples:
        yield f"{heard.damaged} pieces of its sound are damaged and were left out"


def _trouble(heard: Heard, codec: str, *, is_known: bool) -> str | None:
    if not is_known:
        return f"this version cannot decode its sound ({codec})"
    return None if heard.peaks.samples else "none of its sound can be decoded"


def listen(container: InputContainer, stream: AudioStream, *, seconds: float) -> Heard:
    """All of the track that can be decoded in so many seconds."""
    stream.codec_context.thread_count = 1
    heard, end = Heard(peaks=Peaks()), time.monotonic() + seconds
    for packet in _packets(container, stream, heard):
        heard.length += packet.size
        for frame in _frames(packet, heard):
            heard.sample_rate = heard.sample_rate or frame.sample_rate
            heard.channels = heard.channels or frame.layout.nb_channels
            heard.duration += frame.samples / frame.sample_rate
            heard.peaks.add(samples(frame))
        if time.monotonic() > end:
            heard.is_whole = False
            break
    return heard


def samples(frame: AudioFrame) -> Samples:
    """A row for every channel, in the memory of the frame."""
    kind, channels = KINDS[frame.format.name.removesuffix("p")], frame.layout.nb_channels
    if frame.format.is_packed:
        packed: Samples = np.frombuffer(frame.planes[0], kind, count=frame.samples * channels)  # type: ignore[call-overload]
        return packed.reshape(-1, channels).T
    return np.stack([np.frombuffer(plane, kind, count=frame.samples) for plane in frame.planes])  # type: ignore[call-overload]


def _packets(container: InputContainer, stream: AudioStream, heard: Heard) -> Iterator["Packet[AudioStream]"]:
    """Those of the track; what makes no sense between them is passed over."""
    failures = 0
    while failures < MOST_FAILURES:
        try:
            for packet in container.demux(stream):
                yield packet
                failures = 0
        except MemoryError:
            raise
        except av.FFmpegError:
            failures += 1
            heard.damaged += 1
        else:
            return


def _frames(packet: "Packet[AudioStream]", heard: Heard) -> Iterator[AudioFrame]:
    try:
        yield from (frame for frame in packet.decode() if frame.sample_rate)
    except MemoryError:
        raise
    except av.EOFError:  # it was told to end already
        return
    except av.FFmpegError:
        heard.damaged += 1
