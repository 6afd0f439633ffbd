"""Turns a photo into its thumbnails, its fingerprints and its metadata, with one decode."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Literal

import msgspec
import pyvips
from msgspec import Struct

from common.rendering import Format, Large, Medium, Quality, Small
from processor import decoders, hashes, metadata, motion, opening, tones
from processor.colours import profiles
from processor.decoders import reason_of, wants_memory
from processor.metadata import Told
from processor.motion import Motion
from processor.pictures import PROFILE, TURNED, Picture, Unseen, blob, described, orientation
from processor.unreadable import Unreadable

Size = Literal["small", "medium", "large"]

WHITE = [255, 255, 255]


class Options(Struct, frozen=True, kw_only=True):
    """How thumbnails are made: the longest edge of each in pixels, and how well they are compressed."""

    small: Small = 400
    medium: Medium = 800
    large: Large = 1920
    format: Format = "webp"
    """Of the small and the medium one; the large one is always JPEG."""
    quality: Quality = 80
    large_quality: Quality = 85


class Thumbnail(Struct, frozen=True, kw_only=True):
    """A small upright sRGB copy of the picture, encoded."""

    data: bytes
    mime: str
    width: int
    height: int


class Look(Struct, frozen=True, kw_only=True):
    """What a picture looks like: its thumbnails and its fingerprints."""

    thumbnails: dict[Size, Thumbnail]
    thumbhash: bytes
    phash: int


class Photo(Struct, frozen=True, kw_only=True):
    """All that is derived from a photo: as displayed, that is upright, unless said to be as stored.

    Its sizes are 0 where nothing of it can be shown and nothing tells them.
    """

    width: int
    height: int
    stored_width: int
    stored_height: int
    thumbnails: dict[Size, Thumbnail]
    thumbhash: bytes | None
    phash: int | None
    metadata: metadata.Metadata
    decoder: str
    is_raw: bool = False
    frames: int = 1
    motion: Motion | None = None
    trouble: str | None = None
    """Why nothing of it can be shown, if nothing can."""


def render(
    file: BinaryIO,
    mime: str,
    told: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
    *beside: BinaryIO,
) -> Photo:
    """A photo's thumbnails, fingerprints and metadata; `Unreadable` if not even its header makes sense.

    `told` is a `Told` and `options` are `Options`, in plain values; `beside` are the files that `told` names.
    """
    asked = msgspec.convert(options or {}, Options)
    picture, seen, trouble = shown(lambda: opening.open_picture(file, mime, asked.large), asked)
    sideways = picture.orientation in TURNED
    width, height = (picture.height, picture.width) if sideways else (picture.width, picture.height)
    known = metadata.read(
        picture.blobs, msgspec.convert(told or {}, Told), orientation=picture.orientation, beside=beside
    )
    return Photo(
        width=width,
        height=height,
        stored_width=picture.width,
        stored_height=picture.height,
        thumbnails=seen.thumbnails if seen else {},
        thumbhash=seen.thumbhash if seen else None,
        phash=seen.phash if seen else None,
        metadata=known,
        decoder=picture.decoder,
        is_raw=picture.is_raw,
        frames=picture.frames,
        motion=motion.find(file, mime, known.motion_length),
        trouble=trouble,
    )


def shown(opened: Callable[[], Picture], asked: Options) -> tuple[Picture, Look | None, str | None]:
    """A picture and what it looks like, or why nothing of it can be shown although its header makes sense."""
    header = None
    try:
        with verdicts():
            header = opened()
            return header, look(largest(header, asked.large), asked), None
    except Unseen as verdict:
        return verdict.header, None, str(verdict)
    except Unreadable as verdict:
        if header is None:
            raise
        return shown(header.instead, asked) if header.instead else (header, None, str(verdict))


def look(large: pyvips.Image, asked: Options) -> Look:
    """The thumbnails and fingerprints of an upright sRGB picture that is as large as the largest of them."""
    medium = shrunk(large, asked.medium)
    small = shrunk(medium, asked.small)
    return Look(
        thumbnails=encoded(small, medium, large, asked),
        thumbhash=hashes.thumbhash(with_alpha(small).numpy()),
        phash=hashes.perceptual(opaque(small).numpy()),
    )


@contextmanager
def verdicts() -> Iterator[None]:
    """What a decoder says against a file, as a verdict on it."""
    try:
        yield
    except pyvips.Error as error:
        if wants_memory(error):
            raise MemoryError from error
        raise Unreadable(f"the file is damaged: {reason_of(error)}") from error
    except UnicodeDecodeError as error:  # the decoder repeated what it found in the file
        pyvips.vips_lib.vips_error_clear()  # or the next picture would fail by the same remark
        raise Unreadable("the file is damaged: it has nonsense where names should be") from error


def largest(picture: Picture, edge: int) -> pyvips.Image:
    """The pixels of the largest thumbnail, from which the others are made."""
    from processor import turbo  # in the sandbox only: the service itself needs no second picture library

    if picture.jpeg is None:
        return shrunk(picture.pixels, edge)
    shrink = shrink_on_load(picture.pixels, edge)
    quick = turbo.decoded(picture.pixels, picture.jpeg, shrink=shrink, edge=edge)
    if quick is not None:
        return quick if is_finished(quick, edge) else shrunk(quick, edge)
    if shrink == 1:
        return shrunk(picture.pixels, edge)
    again = decoders.load(picture.jpeg, "image/jpeg", shrink=shrink)
    meant = described(again, orientation=orientation(picture.pixels), profile=blob(picture.pixels, PROFILE))
    return shrunk(meant, edge)


def is_finished(image: pyvips.Image, edge: int) -> bool:
    """Whether pixels in memory are upright, sRGB and small enough already."""
    is_plain = orientation(image) == 1 and not profiles(image) and not tones.is_strange(image)
    return is_plain and max(image.width, image.height) <= edge


def shrink_on_load(header: pyvips.Image, edge: int) -> int:
    """How many times smaller the JPEG decoder itself may make the picture without loss to the largest thumbnail."""
    longest = max(header.width, header.height)
    return max(factor for factor in (1, 2, 4, 8) if factor == 1 or longest // factor >= edge)


def shrunk(image: pyvips.Image, edge: int) -> pyvips.Image:
    """An upright 8-bit sRGB copy in memory whose longest edge is at most this."""
    if tones.is_strange(image):
        image = tones.displayed(image.resize(min(1, edge / max(image.width, image.height))))
    small = image.thumbnail_image(edge, height=edge, size="down", **profiles(image))
    return small.colourspace("srgb").cast("uchar").copy_memory()


def encoded(small: pyvips.Image, medium: pyvips.Image, large: pyvips.Image, asked: Options) -> dict[Size, Thumbnail]:
    """The three thumbnails as files."""
    encode = webp if asked.format == "webp" else jpeg
    return {
        "small": encode(small, asked.quality),
        "medium": encode(medium, asked.quality),
        "large": jpeg(large, asked.large_quality),
    }


def webp(image: pyvips.Image, quality: int) -> Thumbnail:
    data = image.webpsave_buffer(Q=quality, effort=2, keep="none")
    return Thumbnail(data=data, mime="image/webp", width=image.width, height=image.height)


def jpeg(image: pyvips.Image, quality: int) -> Thumbnail:
    data = opaque(image).jpegsave_buffer(Q=quality, keep="none")
    return Thumbnail(data=data, mime="image/jpeg", width=image.width, height=image.height)


def opaque(image: pyvips.Image) -> pyvips.Image:
    """The picture as it looks on white paper."""
    return image.flatten(background=WHITE) if image.hasalpha() else image


def with_alpha(image: pyvips.Image) -> pyvips.Image:
    return image if image.hasalpha() else image.addalpha()
