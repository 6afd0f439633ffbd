"""An open picture, whatever its format: its pixels, how they are to be turned, and what its file says beside them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

import pyvips

from common.formats import BY_MIME
from processor.metadata import Blobs
from processor.unreadable import Unreadable

MOST_PIXELS = 250_000_000
LONGEST_SIDE = 65_535
MOST_AT_ONCE = 384 << 20
"""Bytes of picture that a decoder may have to hold at once, where a format cannot be read line by line."""
TURNED = range(5, 9)  # the EXIF orientations that lay a picture on its side
PROFILE, ORIENTATION = "icc-profile-data", "orientation"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Pixels that carry their colour profile and EXIF orientation; `width` and `height` are the original's as stored.

    Both are 0 of a picture that cannot be seen, if nothing tells them.

    `jpeg` is where the quick way may read the same picture once more. A raw file's pixels may be a smaller preview's.
    """

    pixels: pyvips.Image
    width: int
    height: int
    decoder: str
    blobs: Blobs = field(default_factory=Blobs)
    jpeg: BinaryIO | bytes | None = None
    is_raw: bool = False
    frames: int = 1
    """Of an animation; 1 for every other picture."""
    stored: int | None = None
    """The orientation of the original where the pixels, a preview's, have one of their own."""
    instead: Callable[[], "Picture"] | None = None
    """Another way to the same picture, for pixels that turn out to be damaged."""
    owner: object = None
    """Whose memory the pixels lie in, where that is a decoder's own: the pixels go with it."""

    @property
    def orientation(self) -> int:
        """How the original as stored is to be turned and flipped, as EXIF counts it."""
        return self.stored or orientation(self.pixels)


class Unseen(Unreadable):
    """The pixels of a picture cannot be decoded; what its header says is known all the same."""

    def __init__(self, verdict: str, header: "Picture") -> None:
        super().__init__(verdict)
        self.header = header


@contextmanager
def headed(*, width: int, height: int, decoder: str, blobs: Blobs) -> Iterator[None]:
    """A verdict on the pixels of an upright picture does not lose what its header says."""
    try:
        yield
    except Unreadable as verdict:
        header = Picture(pixels=nothing(), width=width, height=height, decoder=decoder, blobs=blobs)
        raise Unseen(str(verdict), header) from verdict


def nothing() -> pyvips.Image:
    """What stands for pixels that nobody can read."""
    return pyvips.Image.black(1, 1)


def check_size(width: int, height: int) -> None:
    """Refuse pictures too large to be worth their memory."""
    size = f"{width} x {height} pixels"
    if min(width, height) < 1:
        raise Unreadable(f"{size} are no picture")
    if max(width, height) > LONGEST_SIDE:
        raise Unreadable(f"{size}: no side may be longer than {LONGEST_SIDE}")
    if width * height > MOST_PIXELS:
        raise Unreadable(f"{size} are more than the {MOST_PIXELS // 1_000_000} megapixels allowed")


def check_held(held: float, width: int, height: int, mime: str) -> None:
    """Refuse a picture of which a decoder would have to hold so many bytes at once, if they are too many."""
    if held > MOST_AT_ONCE:
        raise Unreadable(
            f"{width} x {height} pixels are too many for a {BY_MIME[mime].name} that has to be decoded as a whole"
        )


def orientation(image: pyvips.Image) -> int:
    """The EXIF orientation that an image carries, 1 when it carries none."""
    found = int(image.get(ORIENTATION)) if image.get_typeof(ORIENTATION) else 1
    return found if 1 <= found <= 8 else 1


def blob(image: pyvips.Image, name: str) -> bytes:
    """A block of bytes that an image carries, empty when it carries none."""
    return bytes(image.get(name)) if image.get_typeof(name) else b""


def described(image: pyvips.Image, *, orientation: int, profile: bytes = b"") -> pyvips.Image:
    """The pixels of a decoder that knows nothing else, with what is to be heeded when they are shown."""
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, ORIENTATION, orientation)
    if profile:
        image.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return image
