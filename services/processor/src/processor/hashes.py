"""Two small fingerprints of a picture: one to paint while it loads, one to find it again when it was resized."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

THUMBHASH_SAMPLES = 100  # along the longest edge; more would change no wave that is kept
NOISE_DIGITS = 9  # beyond them two machines may differ, and a wave that is not there must be nought on both
PERCEPTUAL_SIDE, PERCEPTUAL_WAVES = 32, 8


def thumbhash(pixels: Pixels) -> bytes:
    """The ThumbHash (Evan Wallace's format) of height x width x 4 sRGB pixels with alpha."""
    step = max(1, max(pixels.shape) // THUMBHASH_SAMPLES)
    pixels = pixels[::step, ::step]
    height, width = pixels.shape[:2]
    lightness, yellow, red, alpha = channels(pixels)
    transparent = bool((pixels[..., 3] < 255).any())
    most = 5 if transparent else 7
    across = max(1, half_up(most * width / max(width, height)))
    down = max(1, half_up(most * height / max(width, height)))
    wide = bool(width > height)

    light = waves(lightness, max(3, across), max(3, down))
    chroma = [waves(yellow, 3, 3), waves(red, 3, 3)]
    veil = [waves(alpha, 5, 5)] if transparent else []

    (mean, peak, _), (yellow_mean, yellow_peak, _), (red_mean, red_peak, _) = light, *chroma
    colours = half_up(63 * mean) | half_up(31.5 + 31.5 * yellow_mean) << 6 | half_up(31.5 + 31.5 * red_mean) << 12
    colours |= half_up(31 * peak) << 18 | transparent << 23
    shape = (down if wide else across) | half_up(63 * yellow_peak) << 3 | half_up(63 * red_peak) << 9 | wide << 15
    cover = bytes(half_up(15 * mean) | half_up(15 * peak) << 4 for mean, peak, _ in veil)
    varying = np.concatenate([values for _, _, values in (light, *chroma, *veil)])
    return colours.to_bytes(3, "little") + shape.to_bytes(2, "little") + cover + nibbles(varying)


def perceptual(pixels: Pixels) -> int:
    """The 64-bit pHash of height x width x 3 sRGB pixels: few bits differ between versions of one picture."""
    height, width = pixels.shape[:2]
    grey = pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114], np.float64)
    square = shares(height, PERCEPTUAL_SIDE) @ grey @ shares(width, PERCEPTUAL_SIDE).T
    cosine = cosines(PERCEPTUAL_WAVES, PERCEPTUAL_SIDE)
    strengths = (cosine @ square @ cosine.T).round(NOISE_DIGITS)
    middle = np.sort(strengths, axis=None)[31:33].mean()
    bits = (strengths > middle).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def channels(pixels: Pixels) -> tuple[Floats, Floats, Floats, Floats]:
    """Lightness, yellow against blue, red against green, and alpha, over the picture's own mean colour."""
    alpha = pixels[..., 3:].astype(np.float64) / 255
    colour = pixels[..., :3].astype(np.float64) / 255 * alpha
    colour += (1 - alpha) * colour.sum((0, 1)) / max(float(alpha.sum()), 1e-6)
    red, green, blue = colour[..., 0], colour[..., 1], colour[..., 2]
    return (red + green + blue) / 3, (red + green) / 2 - blue, red - green, alpha[..., 0]


def waves(channel: Floats, across: int, down: int) -> tuple[float, float, Floats]:
    """A channel's mean, its strongest wave, and all its slow waves as shares of that between 0 and 1."""
    height, width = channel.shape
    strengths = cosines(down, height) @ channel @ cosines(across, width).T / (width * height)
    strengths = strengths.round(NOISE_DIGITS)
    rows, columns = np.indices((down, across))
    slow = strengths[columns * down < across * (down - rows)]
    peak = float(np.abs(slow[1:]).max())
    return float(slow[0]), peak, slow[1:] / (2 * peak) + 0.5 if peak else np.zeros_like(slow[1:])


def cosines(count: int, length: int) -> Floats:
    """The first waves of the cosine transform over so many samples, one a row."""
    positions = (np.arange(length) + 0.5) * np.pi / length
    return np.cos(np.arange(count)[:, None] * positions).astype(np.float64)


def shares(length: int, parts: int) -> Floats:
    """A matrix that averages so many samples into so many equal parts."""
    edges = np.linspace(0, length, parts + 1)
    samples = np.arange(length)
    overlap = np.minimum(edges[1:, None], samples + 1) - np.maximum(edges[:-1, None], samples)
    return (overlap.clip(0) * parts / length).astype(np.float64)


def nibbles(values: Floats) -> bytes:
    """Values from 0 to 1 in four bits each, the earlier in the lower half of its byte."""
    levels = np.floor(15 * values + 0.5).astype(np.uint8)
    pairs = np.pad(levels, (0, levels.size % 2)).reshape(-1, 2)
    return bytes(pairs[:, 0] | pairs[:, 1] << 4)


def half_up(value: float) -> int:
    """Rounded as the ThumbHash format does: halves go up."""
    return int(value + 0.5)
