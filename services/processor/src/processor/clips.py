"""An open video or recording, and what its container says of it; nothing is decoded."""

import errno
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

import av
import av.subtitles.codeccontext  # the library would import both late, where nothing can be any more
import av.subtitles.stream
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from common.boxes import Read, boxes
from processor import atoms, complaints, containers, remarks, timing
from processor.atoms import Atoms
from processor.complaints import NO_INDEX
from processor.metadata import containers as metadata
from processor.probes import HLG, LOOKED_AT, MOST_STREAMS, OF_DEMUXER, PQ, AudioTrack, Hdr, Probe, VideoTrack
from processor.unreadable import Unreadable

DEMUXERS = {
    **dict.fromkeys(("video/mp4", "video/quicktime", "video/3gpp", "audio/mp4"), "mov"),
    **dict.fromkeys(("video/x-matroska", "video/webm", "audio/x-matroska", "audio/webm"), "matroska"),
    **dict.fromkeys(("video/x-ms-wmv", "audio/x-ms-wma"), "asf"),
    **dict.fromkeys(("video/ogg", "audio/ogg"), "ogg"),
    "video/x-msvideo": "avi",
    "video/mp2t": "mpegts",
    "video/mpeg": "mpeg",
    "video/x-flv": "flv",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/wav": "wav",
    "audio/aiff": "aiff",
}
"""The one reader of each type; none of them opens other files, whatever a file asks for."""
FASTEST, MOST_BITS = 1000, 10**11
STILL = Disposition.attached_pic | Disposition.timed_thumbnails
UNSHOWABLE_DOLBY = 5
OF_TRACK = ("creation_time", "handler_name")
HDR: dict[int, Hdr] = {PQ: "pq", HLG: "hlg"}
UNKNOWN, PROGRESSIVE = 0, 1  # orders of fields


@dataclass
class Patience:
    """When reading is to have ended, by the clock that only goes forward; behind that, files seem to have ended."""

    ends: float = math.inf

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends


class _Handed:
    """A file as FFmpeg wants it: asked to go where no file can, it answers with an error's number, as its own do."""

    def __init__(self, file: BinaryIO, patience: Patience) -> None:
        self._read, self.tell, self._seek, self._patience = file.read, file.tell, file.seek, patience

    def read(self, length: int) -> bytes:
        return b"" if self._patience.is_over else self._read(length)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._seek(offset, whence)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return -errno.EINVAL


@contextmanager
def opened(file: BinaryIO, mime: str, patience: Patience | None = None) -> Iterator[InputContainer]:
    """The container; whatever the library has to say against it or its pictures is a verdict."""
    demuxer = DEMUXERS[mime]
    options = LOOKED_AT | {"max_streams": str(MOST_STREAMS + 1)} | OF_DEMUXER.get(demuxer, {})
    try:
        with av.open(
            _Handed(file, patience or Patience()), "r", format=demuxer, options=options, metadata_errors="replace"
        ) as container:
            if len(container.streams) > MOST_STREAMS:
                raise Unreadable(f"it has more than {MOST_STREAMS} tracks")
            yield container
    except MemoryError:
        raise Unreadable(
            f"it has more than {MOST_STREAMS} tracks, or asks for more memory than a video may take"
        ) from None
    except av.BlockingIOError:  # the machine had no thread to spare, which says nothing of the file
        raise
    except av.FFmpegError as error:
        raise Unreadable(
            complaints.explained(NO_INDEX if _lacks_index(file, demuxer) else error.strerror or "")
        ) from None


def _lacks_index(file: BinaryIO, demuxer: str) -> bool:
    """Whether it is an ISO file that was cut off before its index, which is all that the library says of it."""
    read, size = containers.reader(file), containers.size(file)
    return demuxer == "mov" and all(box.kind != b"moov" for box in boxes(read, 0, size))


def stream_of(container: InputContainer) -> VideoStream:
    """The moving picture in the container; covers and thumbnails are none."""
    found = moving(container)
    if not found:
        raise Unreadable(f"it has no video in it{' that this version knows' if container.streams.video else ''}")
    return next((one for one in found if one.disposition & Disposition.default), found[0])


def probed(file: BinaryIO, mime: str) -> Probe:
    """What is in the file, as its container says; of a recording without its cover."""
    with opened(file, mime) as container:
        return described(container, file, mime)


def described(container: InputContainer, file: BinaryIO, mime: str) -> Probe:
    """What is in the open container; afterwards it has been read from, and is no longer at its start."""
    read, size, is_iso = containers.reader(file), containers.size(file), DEMUXERS[mime] == "mov"
    moves, sound = mime.startswith("video/") and bool(moving(container)), container.streams.best("audio")
    stream = stream_of(container) if moves else None
    duration = timing.seconds(container)
    marks = atoms.of_track(read, size, stream.id) if stream is not None and is_iso else Atoms()
    return Probe(
        demuxer=DEMUXERS[mime],
        mime=mime,
        duration=duration,
        bitrate=_bitrate(container, duration, size),
        video=None if stream is None else _video_track(container, stream, marks),
        audio=_audio_track(sound) if isinstance(sound, AudioStream) and sound.codec_context else None,
        starts_fast=not is_iso or index_is_first(read, size),
        notes=tuple(_notes(duration, marks)),
    )


def tags_of(container: InputContainer, stream: VideoStream, file: BinaryIO) -> dict[str, str]:
    """What the container says in words, and where it says nothing its track, or a camera's own record beside both."""
    track = {name: stream.metadata[name] for name in OF_TRACK if name in stream.metadata}
    is_iso = container.format.name.startswith("mov")
    record = atoms.record(containers.reader(file), containers.size(file)) if is_iso else b""
    return track | metadata.of_sony(record) | container.metadata


def moving(container: InputContainer) -> list[VideoStream]:
    """The moving pictures whose codec is known; covers and thumbnails are none."""
    return [one for one in container.streams.video if not one.disposition & STILL and one.codec_context]


def index_is_first(read: Read, size: int) -> bool:
    """Whether an ISO container's index lies before its data."""
    found = next((box.kind for box in boxes(read, 0, size) if box.kind in {b"moov", b"mdat"}), None)
    return found == b"moov"


def _video_track(container: InputContainer, stream: VideoStream, marks: Atoms) -> VideoTrack:
    rate, context = stream.average_rate or stream.guessed_rate, stream.codec_context
    return VideoTrack(
        index=stream.index,
        codec=context.codec.canonical_name,
        profile=stream.profile,
        level=context.level if context.level > 0 else None,
        pixels=context.pix_fmt,
        width=stream.width,
        height=stream.height,
        dots=float(dots_of(stream)),
        orientation=marks.orientation,
        frame_rate=float(rate) if rate and 0 < rate <= FASTEST else None,
        is_variable=timing.is_variable(container, stream),
        dolby_vision=marks.dolby_vision,
        hdr=HDR.get(context.color_trc),
        primaries=context.color_primaries,
        matrix=context.colorspace,
        is_interlaced=None if context.field_order == UNKNOWN else context.field_order != PROGRESSIVE,
        has_remarks=remarks.are_in(container, stream),
    )


def _audio_track(stream: AudioStream) -> AudioTrack:
    return AudioTrack(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        profile=stream.profile,
        channels=stream.codec_context.channels,
        sample_rate=stream.codec_context.sample_rate,
    )


def _bitrate(container: InputContainer, duration: float | None, size: int) -> int | None:
    """In bits a second, of everything in it."""
    if duration is None:
        return None
    said = container.bit_rate or round(size * 8 / duration)
    return said if 0 < said < MOST_BITS else None


def _notes(duration: float | None, marks: Atoms) -> Iterator[str]:
    if duration is None:
        yield "the duration made no sense"
    if marks.dolby_vision == UNSHOWABLE_DOLBY:
        yield "its colours are those of Dolby Vision alone, which this version cannot show"


def dots_of(stream: VideoStream) -> Fraction:
    """How wide a dot is that is one high."""
    dots = stream.sample_aspect_ratio or Fraction(1)
    return dots if Fraction(1, 4) <= dots <= 4 else Fraction(1)
