"""Turns a video into a poster's thumbnails, its fingerprints, and what its container says of it."""

from typing import Any, BinaryIO, Literal

import msgspec
from msgspec import Struct, structs

from processor import images, metadata
from processor.images import Options, Size, Thumbnail
from processor.metadata import Blobs, Told, containers
from processor.pictures import TURNED, orientation
from processor.unreadable import Unreadable

Hdr = Literal["HDR10", "HLG", "Dolby Vision"]
HDR: dict[str | None, Hdr] = {"pq": "HDR10", "hlg": "HLG"}
DEGREES = {1: 0, 2: 0, 3: 180, 4: 180, 5: 270, 6: 90, 7: 90, 8: 270}
"""How far to the right each of EXIF's orientations turns, mirrors aside."""


class Video(Struct, frozen=True, kw_only=True):
    """All that is derived from a video: as displayed unless said to be as stored."""

    width: int
    height: int
    stored_width: int
    stored_height: int
    codec: str
    duration: float | None
    """In seconds."""
    rotation: int
    """How far it is turned to the right when it is shown, in degrees."""
    profile: str | None = None
    frame_rate: float | None
    is_variable_frame_rate: bool
    bitrate: int | None
    """In bits a second, of everything in it."""
    hdr: Hdr | None = None
    audio_codec: str | None = None
    audio_channels: int | None = None
    metadata: metadata.Metadata
    thumbnails: dict[Size, Thumbnail]
    thumbhash: bytes | None
    phash: int | None
    preview: bytes | None = None
    """A short animation of it, as WebP."""
    frames: dict[int, bytes]
    """Pictures spread over it, as JPEGs, by the milliseconds after its start."""
    trouble: str | None
    """Why nothing of it can be shown, if nothing can."""


def render(
    file: BinaryIO,
    mime: str,
    told: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    *beside: BinaryIO,
) -> Video:
    """What a video is and looks like; `Unreadable` if not even its container makes sense.

    The arguments are those of `images.render`.
    """
    from processor import (
        clips,
        frames,
        posters,
        previews,
    )  # in the sandbox only: the service itself needs no video library

    asked, known = msgspec.convert(options or {}, Options), msgspec.convert(told or {}, Told)
    patience = clips.Patience()
    with clips.opened(file, mime, patience) as container:
        stream = clips.stream_of(container)
        probe = clips.described(container, file, mime)
        assert probe.video is not None  # noqa: S101  # or there would be no stream
        look, turned, trouble, moving, spread = None, probe.video.orientation, None, None, {}
        try:
            with images.verdicts():
                poster = posters.poster(container, stream, probe.duration)
                large = images.shrunk(poster, asked.large)
                look, turned = images.look(large, asked), orientation(poster)
        except Unreadable as verdict:
            trouble = str(verdict)
        else:
            moving = previews.preview(container, stream, probe.duration)
            spread = frames.spread(container, stream, probe.duration, poster=large, patience=patience, asked=asked)
        said, notes = containers.read(clips.tags_of(container, stream, file))
    seen = metadata.read(Blobs(known=(said,)), known, orientation=1, beside=beside)
    track, sound = probe.video, probe.audio
    shown = round(track.width * track.dots), track.height
    width, height = shown[::-1] if turned in TURNED else shown
    return Video(
        width=width,
        height=height,
        stored_width=track.width,
        stored_height=track.height,
        rotation=DEGREES[turned],
        codec=track.codec,
        profile=track.profile,
        duration=None if probe.duration is None else round(probe.duration, 3),
        frame_rate=None if track.frame_rate is None else round(track.frame_rate, 3),
        is_variable_frame_rate=track.is_variable,
        bitrate=probe.bitrate,
        hdr="Dolby Vision" if track.dolby_vision is not None else HDR.get(track.hdr),
        audio_codec=sound.codec if sound else None,
        audio_channels=sound.channels if sound else None,
        metadata=structs.replace(seen, notes=(*seen.notes, *notes, *probe.notes)),
        thumbnails=look.thumbnails if look else {},
        thumbhash=look.thumbhash if look else None,
        phash=look.phash if look else None,
        preview=moving,
        frames=spread,
        trouble=trouble,
    )
