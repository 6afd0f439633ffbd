"""Turns a video into a poster's thumbnails, its fingerprints, and what its container says of it."""

from typing import Any, BinaryIO

import msgspec
from msgspec import Struct, structs

from processor import images, metadata
from processor.images import Options, Size, Thumbnail
from processor.metadata import Blobs, Told, containers
from processor.pictures import TURNED, orientation
from processor.unreadable import Unreadable


class Video(Struct, frozen=True, kw_only=True):
    """All that is derived from a video: as displayed unless said to be as stored."""

    width: int
    height: int
    stored_width: int
    stored_height: int
    codec: str
    duration: float | None
    """In seconds."""
    frame_rate: float | None
    bitrate: int | None
    """In bits a second, of everything in it."""
    metadata: metadata.Metadata
    thumbnails: dict[Size, Thumbnail]
    thumbhash: bytes | None
    phash: int | None
    preview: bytes | None = None
    """A short animation of it, as WebP."""
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
    from processor import clips, previews  # in the sandbox only: the service itself needs no video library

    asked, known = msgspec.convert(options or {}, Options), msgspec.convert(told or {}, Told)
    with clips.opened(file, mime) as container:
        stream = clips.stream_of(container)
        clip = clips.described(container, stream)
        look, is_sideways, trouble = None, False, None
        try:
            with images.verdicts():
                poster = clips.poster(container, stream, clip.duration)
                look = images.look(images.shrunk(poster, asked.large), asked)
                is_sideways = orientation(poster) in TURNED
        except Unreadable as verdict:
            trouble = str(verdict)
        moving = previews.preview(container, stream, clip.duration) if look else None
        said, notes = containers.read(container.metadata)
    seen = metadata.read(Blobs(known=(said,)), known, orientation=1, beside=beside)
    return Video(
        width=clip.height if is_sideways else clip.width,
        height=clip.width if is_sideways else clip.height,
        stored_width=clip.stored_width,
        stored_height=clip.stored_height,
        codec=clip.codec,
        duration=clip.duration,
        frame_rate=clip.frame_rate,
        bitrate=clip.bitrate,
        metadata=structs.replace(seen, notes=(*seen.notes, *notes, *clip.notes)),
        thumbnails=look.thumbnails if look else {},
        thumbhash=look.thumbhash if look else None,
        phash=look.phash if look else None,
        preview=moving,
        trouble=trouble,
    )
