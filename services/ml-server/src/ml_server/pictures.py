"""From a picture's bytes to the numbers that a model takes; pure, and slow enough for a thread."""

from io import BytesIO
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from PIL import Image, ImageOps

Numbers = NDArray[np.float32]
Triple = tuple[float, float, float]

FORMATS = ("JPEG", "PNG", "WEBP")
MIMES = ("image/jpeg", "image/png", "image/webp")
LARGEST_SIDE = 2048
MOST_PIXELS = 32_000_000
CARE = 2
"""A JPEG is decoded at no less than so many times the wanted size, for its own way to shrink is a coarse one."""
RESAMPLING = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
    "random": Image.Resampling.BICUBIC,
}


class Unreadable(Exception):
    """Bytes that are no picture for us, and why."""


class Preprocess(Struct, frozen=True, kw_only=True):
    """How a model wants its pictures; `shortest` and `longest` keep their shape, `squash` does not."""

    size: int | tuple[int, int] = 224
    mean: Triple = (0.48145466, 0.4578275, 0.40821073)
    std: Triple = (0.26862954, 0.26130258, 0.27577711)
    interpolation: Literal["bicubic", "bilinear", "nearest", "random"] = "bicubic"
    resize_mode: Literal["shortest", "longest", "squash"] = "shortest"
    fill_color: int | tuple[int, int, int] = 0

    def __post_init__(self) -> None:
        if not all(1 <= side <= LARGEST_SIDE for side in self.width_height):
            raise ValueError(f"`size` is 1 to {LARGEST_SIDE} pixels")
        if not all(self.std):
            raise ValueError("`std` divides, and must not be 0")

    @property
    def width_height(self) -> tuple[int, int]:
        """In the order of pictures; files of settings have the height first."""
        return (self.size, self.size) if isinstance(self.size, int) else (self.size[1], self.size[0])


def prepare(payload: bytes, wanted: Preprocess) -> Numbers:
    """The picture as (3, height, width), upright, resized and normalised; Unreadable if it is none."""
    try:
        with Image.open(BytesIO(payload), formats=FORMATS) as image:
            return _normalised(_framed(_decoded(image, wanted), wanted), wanted)
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001  # decoders raise whatever they like over what strangers send
        raise Unreadable(f"the picture cannot be read: {error or type(error).__name__}") from None


def _decoded(image: Image.Image, wanted: Preprocess) -> Image.Image:
    if image.width * image.height > MOST_PIXELS:
        raise Unreadable(f"the picture has {image.width} x {image.height} pixels: send one of at most {MOST_PIXELS}")
    width, height = wanted.width_height
    image.draft("RGB", (width * CARE, height * CARE))
    return ImageOps.exif_transpose(image).convert("RGB")


def _framed(image: Image.Image, wanted: Preprocess) -> Image.Image:
    size, resampling = wanted.width_height, RESAMPLING[wanted.interpolation]
    if wanted.resize_mode == "longest":
        fill = (wanted.fill_color,) * 3 if isinstance(wanted.fill_color, int) else wanted.fill_color
        return ImageOps.pad(image, size, resampling, color=fill)
    box = _middle(image.size, size) if wanted.resize_mode == "shortest" else None
    return image.resize(size, resampling, box)


def _middle(given: tuple[int, int], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest part in the middle that has the shape of `size`."""
    scale = min(given[0] / size[0], given[1] / size[1])
    left, top = (given[0] - size[0] * scale) / 2, (given[1] - size[1] * scale) / 2
    return left, top, left + size[0] * scale, top + size[1] * scale


def _normalised(image: Image.Image, wanted: Preprocess) -> Numbers:
    std = np.array(wanted.std, dtype=np.float32)
    scale, shift = 1 / (255 * std), np.array(wanted.mean, dtype=np.float32) / std
    return np.ascontiguousarray((np.asarray(image) * scale - shift).transpose(2, 0, 1), dtype=np.float32)
