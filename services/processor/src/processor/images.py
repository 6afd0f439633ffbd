"""Turns a photo into its thumbnails, its fingerprints and its metadata, with one decode."""

import functools
from typing import BinaryIO, Literal

import pyvips
from msgspec import Struct

from processor import hashes, metadata
from processor.decoders import PROFILE, Mime, check, exif, load, orientation, reason_of, wants_memory
from processor.unreadable import Unreadable

Size = Literal["small", "medium", "large"]

EDGES: dict[Size, int] = {"large": 1920, "medium": 800, "small": 400}
WHITE = [255, 255, 255]
SAMPLES, UNSEEN = 6, 2  # a side of the cube of colours, and a difference that nobody sees
TURNED = range(5, 9)  # the EXIF orientations that lay a picture on its side


class Thumbnail(Struct, frozen=True, kw_only=True):
    """A small upright sRGB copy of the picture, encoded."""

    data: bytes
    mime: str
    width: int
    height: int


class Photo(Struct, frozen=True, kw_only=True):
    """All that is derived from a photo: as displayed, that is upright, unless said to be as stored."""

    width: int
    height: int
    stored_width: int
    stored_height: int
    thumbnails: dict[Size, Thumbnail]
    thumbhash: bytes
    phash: int
    metadata: metadata.Metadata


def render(file: BinaryIO, mime: Mime) -> Photo:
    """A photo's thumbnails, fingerprints and metadata; `Unreadable` if it is damaged, too large or another format."""
    try:
        header = load(file, mime)
        check(header, mime)
        large = largest(header, file, mime)
        medium = shrunk(large, EDGES["medium"])
        small = shrunk(medium, EDGES["small"])
        thumbnails: dict[Size, Thumbnail] = {"small": webp(small), "medium": webp(medium), "large": jpeg(large)}
    except pyvips.Error as error:
        if wants_memory(error):
            raise MemoryError from error
        raise Unreadable(f"the file is damaged: {reason_of(error)}") from error
    except UnicodeDecodeError as error:  # the decoder repeated what it found in the file
        pyvips.vips_lib.vips_error_clear()  # or the next picture would fail by the same remark
        raise Unreadable("the file is damaged: it has nonsense where names should be") from error
    sideways = orientation(header) in TURNED
    return Photo(
        width=header.height if sideways else header.width,
        height=header.width if sideways else header.height,
        stored_width=header.width,
        stored_height=header.height,
        thumbnails=thumbnails,
        thumbhash=hashes.thumbhash(with_alpha(small).numpy()),
        phash=hashes.perceptual(opaque(small).numpy()),
        metadata=metadata.read(file if mime == "image/tiff" else exif(header)),  # a TIFF is an EXIF block itself
    )


def largest(header: pyvips.Image, file: BinaryIO, mime: Mime) -> pyvips.Image:
    """The pixels of the largest thumbnail, from which the others are made."""
    from processor import turbo  # in the sandbox only: the service itself needs no second picture library

    edge, shrink = EDGES["large"], shrink_on_load(header, mime)
    quick = turbo.decoded(header, file, shrink=shrink, edge=edge) if mime == "image/jpeg" else None
    if quick is not None:
        return quick if is_finished(quick, edge) else shrunk(quick, edge)
    return shrunk(load(file, mime, shrink=shrink) if shrink > 1 else header, edge)


def is_finished(image: pyvips.Image, edge: int) -> bool:
    """Whether pixels in memory are upright, sRGB and small enough already."""
    return orientation(image) == 1 and not profiles(image) and max(image.width, image.height) <= edge


def shrink_on_load(header: pyvips.Image, mime: Mime) -> int:
    """How many times smaller the JPEG decoder itself may make the picture without loss to the largest thumbnail."""
    if mime != "image/jpeg":
        return 1
    longest = max(header.width, header.height)
    return max(factor for factor in (1, 2, 4, 8) if factor == 1 or longest // factor >= EDGES["large"])


def shrunk(image: pyvips.Image, edge: int) -> pyvips.Image:
    """An upright 8-bit sRGB copy in memory whose longest edge is at most this."""
    small = image.thumbnail_image(edge, height=edge, size="down", **profiles(image))
    return small.colourspace("srgb").cast("uchar").copy_memory()


def profiles(image: pyvips.Image) -> dict[str, str]:
    """The colour profiles to convert by; none where that would change no colour and only take time."""
    if image.interpretation == "cmyk":
        return {"input_profile": "cmyk", "output_profile": "srgb"}
    if not image.get_typeof(PROFILE):
        return {}
    is_plain = image.interpretation == "srgb" and image.bands == 3 and changes_nothing(bytes(image.get(PROFILE)))
    return {} if is_plain else {"output_profile": "srgb"}


@functools.lru_cache(maxsize=8)
def changes_nothing(profile: bytes) -> bool:
    """Whether a profile is sRGB by what it does to colours from all over the space, whatever it calls itself."""
    colours = pyvips.Image.identity(bands=1, size=SAMPLES**3).cast("ushort")
    axes = [colours // SAMPLES**place % SAMPLES * (255 // (SAMPLES - 1)) for place in range(3)]
    cube = axes[0].bandjoin(axes[1:]).cast("uchar").copy(interpretation="srgb").copy_memory()
    cube.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return bool((cube.icc_transform("srgb", embedded=True) - cube).abs().max() <= UNSEEN)


def webp(image: pyvips.Image) -> Thumbnail:
    data = image.webpsave_buffer(Q=80, effort=2, keep="none")
    return Thumbnail(data=data, mime="image/webp", width=image.width, height=image.height)


def jpeg(image: pyvips.Image) -> Thumbnail:
    data = opaque(image).jpegsave_buffer(Q=85, keep="none")
    return Thumbnail(data=data, mime="image/jpeg", width=image.width, height=image.height)


def opaque(image: pyvips.Image) -> pyvips.Image:
    """The picture as it looks on white paper."""
    return image.flatten(background=WHITE) if image.hasalpha() else image


def with_alpha(image: pyvips.Image) -> pyvips.Image:
    return image if image.hasalpha() else image.addalpha()
