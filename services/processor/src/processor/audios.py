"""Turns a recording into what its tags say of it, its cover's thumbnails, and a picture of its loudness."""

import os
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct, structs

from processor import metadata
from processor.images import Options, Size, Thumbnail
from processor.metadata import Blobs, Said, Told, containers, recordings
from processor.metadata.recordings import Music
from processor.waveforms import Waveform

SHORT_FILE = 4 << 20
"""Of speech that is less than two hours, which is heard in seconds."""
SHORT_SECONDS, LONG_SECONDS = 60.0, 600.0
SHARE_OF_LISTENING = 0.8
IN_BOXES = "audio/mp4"
"""The type whose container says when and where it was recorded."""


class Audio(Struct, frozen=True, kw_only=True):
    """All that is derived from a recording; thumbnails are of its cover, none where it has none."""

    codec: str
    duration: float | None
    """In seconds."""
    bitrate: int | None
    """In bits a second, of the sound."""
    sample_rate: int
    channels: int
    bits_per_sample: int | None = None
    """Of a recording that has lost nothing."""
    is_lossless: bool = False
    metadata: metadata.Metadata
    music: Music
    waveform: Waveform | None
    thumbnails: dict[Size, Thumbnail]
    thumbhash: bytes | None
    phash: int | None
    trouble: str | None
    """Why nothing of it can be heard, if nothing can."""


def seconds_for(length: int) -> float:
    """How long a recording of so many bytes may take: all of it is listened to."""
    return SHORT_SECONDS if length <= SHORT_FILE else LONG_SECONDS


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
    from processor import clips, covers, sounds, tags  # in the sandbox only: the service needs no such library

    asked, known = msgspec.convert(options or {}, Options), msgspec.convert(told or {}, Told)
    seconds = SHARE_OF_LISTENING * seconds_for(os.fstat(file.fileno()).st_size)
    with clips.opened(file, mime) as container:
        sound = sounds.of(container, seconds=seconds)
    tagged = tags.read(file, mime, sound.codec)
    look, notes = covers.shown(tagged.covers, asked)
    said, music, remarks = recordings.read([tagged.words, sound.words])
    placed, doubts = containers.read(recordings.of_container(sound.words)) if mime == IN_BOXES else (Said(), [])
    seen = metadata.read(Blobs(known=(said, placed)), known, orientation=1, beside=beside)
    return Audio(
        codec=sound.codec,
        duration=sound.duration,
        bitrate=sound.bitrate,
        sample_rate=sound.sample_rate,
        channels=sound.channels,
        bits_per_sample=(sound.bits or tagged.bits) if sound.is_lossless else None,
        is_lossless=sound.is_lossless,
        metadata=structs.replace(seen, notes=(*seen.notes, *tagged.notes, *notes, *remarks, *doubts, *sound.notes)),
        music=music,
        waveform=sound.waveform,
        thumbnails=look.thumbnails if look else {},
        thumbhash=look.thumbhash if look else None,
        phash=look.phash if look else None,
        trouble=sound.trouble,
    )
