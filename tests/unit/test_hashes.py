"""Fingerprints, against their definitions."""

import numpy as np
import pytest

from processor import hashes


def reversed_thumbhash(code: bytes) -> tuple[bool, float, float, float]:
    """Transparency and mean lightness, yellow and red that a ThumbHash stands for."""
    bits = int.from_bytes(code[:3], "little")
    return bool(bits >> 23), (bits & 63) / 63, (bits >> 6 & 63) / 31.5 - 1, (bits >> 12 & 63) / 31.5 - 1


def test_thumbhash_of_one_colour() -> None:
    """The first bytes of a ThumbHash are the mean colour, and one colour has no waves."""
    pixels = np.full((60, 80, 4), (255, 128, 0, 255), np.uint8)

    transparent, lightness, yellow, red = reversed_thumbhash(hashes.thumbhash(pixels))

    assert not transparent
    assert lightness == pytest.approx((255 + 128) / 765, abs=0.01)
    assert yellow == pytest.approx((255 + 128) / 510, abs=0.02)
    assert red == pytest.approx(127 / 255, abs=0.02)


def test_thumbhash_knows_shape_and_transparency() -> None:
    """A ThumbHash says which side is longer and by how much, and whether one can see through."""
    wide, tall = np.full((50, 100, 4), 255, np.uint8), np.full((100, 50, 4), 255, np.uint8)
    glass = np.full((50, 100, 4), 128, np.uint8)

    shapes = [int.from_bytes(hashes.thumbhash(pixels)[3:5], "little") for pixels in (wide, tall)]

    assert [(shape >> 15, shape & 7) for shape in shapes] == [(1, 4), (0, 4)]
    assert reversed_thumbhash(hashes.thumbhash(glass))[0]
    assert not reversed_thumbhash(hashes.thumbhash(wide))[0]


def test_thumbhash_is_the_known_one() -> None:
    """A picture with all waves gives, bit for bit, what a plain reading of the format's definition gives."""
    y, x = np.mgrid[:24, :32]
    pixels = np.stack(
        [(x * x * a + x * y * b + y * y * c) % 256 for a, b, c in ((1, 2, 1), (3, 1, 0), (0, 1, 2), (1, 0, 3))], axis=2
    ).astype(np.uint8)

    assert hashes.thumbhash(pixels).hex() == "1df88114840740147078a1495ae2f8fc851611183235302104"
