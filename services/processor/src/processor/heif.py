"""Opens HEIC, the pictures of phones: pieces of HEVC video in a container that says how to lay and turn them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pi_heif
import pyvips

from processor import containers, pictures, tones
from processor.metadata import Blobs
from processor.metadata.text import cleaned
from processor.pictures import Picture
from processor.tones import Coding
from processor.unreadable import Unreadable

# Work at import time: nobody may decode with threads, or parts of a file that nobody shows.
pi_heif.options.DECODE_THREADS = 1
pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False

COPIES = 1.8
"""How many times the picture's bytes the decoder takes."""
COPIES_CUT = 2.6
"""The same where it cuts a picture of more than 8 bits down to 8."""
BANDS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
ABSURD = ("limit", "Invalid")  # in what the decoder says of memory that no file needs
FOREIGN = ("has not been built in", "Unsupported codec", "no decoding plugin")


def open_picture(file: BinaryIO, mime: str, _edge: int) -> Picture:
    """The primary picture, its size checked; it is upright already, whatever its EXIF says."""
    with damage():
        still = affordable(file, mime)
        (width, height), blobs = still.size, Blobs(exif=still.info["exif"] or b"", xmp=still.info.get("xmp") or b"")
        with pictures.headed(width=width, height=height, decoder="libheif", blobs=blobs), damage():
            if containers.end_of_items(file) > containers.size(file):
                raise Unreadable("the file is damaged: it ends too early")  # the decoder would leave tiles black
            pixels = decoded(still)
        return Picture(
            pixels=described(pixels, still),
            width=pixels.width,
            height=pixels.height,
            decoder="libheif",
            blobs=blobs,
            frames=containers.frames_of_sequence(file),
            owner=still,
        )


def affordable(file: BinaryIO, mime: str) -> pi_heif.HeifImage:
    """The header of the primary picture with all of its bits, or with 8 where there is no memory for more."""
    still = primary(file)
    width, height = still.size
    pictures.check_size(width, height)
    held = width * height * bands_of(still)
    if not is_deep(still):
        pictures.check_held(COPIES * held, width, height, mime)
    elif 2 * COPIES * held > pictures.MOST_AT_ONCE:
        pictures.check_held(COPIES_CUT * held, width, height, mime)
        return primary(file, to_8_bits=True)
    return still


def coding(file: BinaryIO) -> Coding | None:
    """What the numbers of an AVIF or HEIC stand for by its container, None if it says nothing or has a profile."""
    try:
        with damage():
            return _coding(primary(file))
    except Unreadable:
        return None


def primary(file: BinaryIO, *, to_8_bits: bool = False) -> pi_heif.HeifImage:
    """The header of the picture that the container is about."""
    opened = pi_heif.open_heif(file, convert_hdr_to_8bit=to_8_bits)
    return opened[opened.primary_index]


def bands_of(still: pi_heif.HeifImage) -> int:
    return BANDS[still.mode.partition(";")[0].upper()]


def is_deep(still: pi_heif.HeifImage) -> bool:
    """Whether it comes with 16 bits a channel, however many of them count."""
    return ";16" in still.mode


def decoded(still: pi_heif.HeifImage) -> pyvips.Image:
    """The pixels, in the memory of the decoder, which ends with `still`."""
    data = still.data
    width, height = still.size
    kind, grey, colour = ("ushort", "grey16", "rgb16") if is_deep(still) else ("uchar", "b-w", "srgb")
    image = pyvips.Image.new_from_memory(data, width, height, bands_of(still), kind)
    image = image.copy(interpretation=colour if image.bands >= 3 else grey)
    return image.unpremultiply().cast(kind) if still.premultiplied_alpha else image


def described(pixels: pyvips.Image, still: pi_heif.HeifImage) -> pyvips.Image:
    """The pixels with what their numbers stand for."""
    image = pictures.described(pixels, orientation=1, profile=still.info.get("icc_profile") or b"")
    meant = _coding(still)
    return tones.coded(image, meant) if meant else image


def _coding(still: pi_heif.HeifImage) -> Coding | None:
    box = still.info.get("nclx_profile")
    if not box or still.info.get("icc_profile"):
        return None
    return Coding(int(box["color_primaries"]), int(box["transfer_characteristics"]))


@contextmanager
def damage() -> Iterator[None]:
    """What the decoder says against a file, as a verdict on it."""
    try:
        yield
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError, LookupError) as error:
        remark = cleaned(str(error))[:200]  # it may repeat what it found in the file
        if "memory" in remark.lower() and not any(claim in remark for claim in ABSURD):
            raise MemoryError from error
        if any(sign in remark for sign in FOREIGN):
            raise Unreadable("this version has no decoder for the way its picture is coded") from error
        raise Unreadable(f"the file is damaged: {remark or 'it has no readable header'}") from error
