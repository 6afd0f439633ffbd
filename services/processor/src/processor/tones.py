"""Pictures whose numbers mean more than sRGB can show: wide or bright video colours, and measurements."""

import functools
import struct
from typing import NamedTuple

import numpy as np
import pyvips
from numpy.typing import NDArray

from processor import pictures
from processor.pictures import PROFILE

Numbers = NDArray[np.float64]

PRIMARIES, TRANSFER = "colour-primaries", "colour-transfer"
LINEAR, GAMMA_22, PQ, HLG = 8, 4, 16, 18
"""Transfer characteristics as ITU-T H.273 numbers them; every other one is shown as sRGB."""
REFERENCE_WHITE, PEAK = 203.0, 1000.0  # nits, by ITU-R BT.2408
STEPS = 1 << 16
GAMUTS = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),  # BT.2020
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),  # Display P3
}
D65 = (0.3127, 0.3290)
INTEGERS, FRACTIONS = ("uint", "int", "short", "char"), ("float", "double")


class Coding(NamedTuple):
    """Which colours and which light a picture's numbers stand for, as ITU-T H.273 numbers both."""

    primaries: int
    transfer: int

    @property
    def is_bright(self) -> bool:
        """Whether it holds light that a plain screen has not."""
        return self.transfer in (PQ, HLG)

    @property
    def is_plain(self) -> bool:
        """Whether it means sRGB, or nobody knows better."""
        return self.primaries not in (9, 12) and self.transfer not in (LINEAR, GAMMA_22, PQ, HLG)


def coded(image: pyvips.Image, coding: Coding) -> pyvips.Image:
    """The picture with what its numbers stand for."""
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, PRIMARIES, coding.primaries)
    image.set_type(pyvips.GValue.gint_type, TRANSFER, coding.transfer)
    return image


def coding(image: pyvips.Image) -> Coding | None:
    """What a picture's numbers stand for where no colour profile can tell; None where one can."""
    profile = pictures.blob(image, PROFILE)
    if profile:
        found = in_profile(profile)
        return found if found and found.is_bright else None
    if not image.get_typeof(TRANSFER):
        return None
    found = Coding(int(image.get(PRIMARIES)), int(image.get(TRANSFER)))
    return None if found.is_plain else found


@functools.lru_cache(maxsize=8)
def in_profile(profile: bytes) -> Coding | None:
    """What a colour profile says of video colours, which its curves can only hint at."""
    (count,) = struct.unpack_from(">I", profile.ljust(132, b"\0"), 128)
    for at in range(132, min(132 + 12 * min(count, 100), len(profile) - 11), 12):
        name, start, length = struct.unpack_from(">4sII", profile, at)
        if name == b"cicp" and length >= 10 and start + 10 <= len(profile):
            return Coding(profile[start + 8], profile[start + 9])
    return None


def is_strange(image: pyvips.Image) -> bool:
    """Whether the numbers have to be brought to what a screen shows before anything else is done with them."""
    return coding(image) is not None or is_measured(image)


def is_measured(image: pyvips.Image) -> bool:
    """Whether the numbers have no agreed white, as those of instruments have none."""
    return image.format in INTEGERS or (image.format in FRACTIONS and image.interpretation in ("b-w", "multiband"))


def displayed(image: pyvips.Image) -> pyvips.Image:
    """8-bit sRGB pixels of a strange picture that is small by now; they are still to be turned as the file says."""
    meant = coding(image)
    shown = stretched(image) if meant is None else toned(image, meant)
    shown = shown.copy()
    for name in (PROFILE, PRIMARIES, TRANSFER):
        shown.remove(name)
    return shown.copy_memory()


def stretched(image: pyvips.Image) -> pyvips.Image:
    """Measurements from their least as black to their most as white; shares from 0 to 1 are light."""
    pixels = np.nan_to_num(image.numpy().astype(np.float64), posinf=0, neginf=0)
    least, most = pixels.min(), pixels.max()
    is_light = image.format in FRACTIONS and least >= 0 and most <= 1
    shares = curve(pixels) if is_light else (pixels - least) / max(most - least, 1e-9)
    grey = pyvips.Image.new_from_array(np.rint(shares * 255).astype(np.uint8))
    grey = grey.copy(interpretation="srgb" if image.bands >= 3 else "b-w")
    return pictures.described(grey, orientation=pictures.orientation(image))


def toned(image: pyvips.Image, meant: Coding) -> pyvips.Image:
    """The colours as sRGB has them; light that a screen does not have is bent to fit below its white."""
    colours, alpha = parted(image)
    light = colours.maplut(light_of(meant.transfer, 256 if colours.format == "uchar" else STEPS))
    if meant.transfer == HLG:
        light *= light.recomb([luminance(meant.primaries)]).clamp(min=1e-6, max=1) ** 0.2  # the screen's own bend
    white = PEAK / REFERENCE_WHITE if meant.is_bright else 1.0
    if meant.transfer == HLG:
        light *= white
    seen = light.recomb(to_srgb(meant.primaries).tolist()).clamp(min=0, max=white)
    steps = ((seen / white) ** 0.5 * (STEPS - 1)).rint().cast("ushort")
    shown = steps.maplut(shown_as(bright=meant.is_bright)).copy(interpretation="srgb")
    return shown if alpha is None else shown.bandjoin(alpha)


def parted(image: pyvips.Image) -> tuple[pyvips.Image, pyvips.Image | None]:
    """Three bands of colour, and 8 bits of what is transparent if anything is."""
    if not image.hasalpha():
        return (image if image.bands >= 3 else image[0].bandjoin([image[0]] * 2)), None
    alpha = image[image.bands - 1]
    alpha = (alpha >> 8 if alpha.format == "ushort" else alpha).cast("uchar")
    return parted(image.extract_band(0, n=image.bands - 1).copy(interpretation="multiband"))[0], alpha


@functools.cache
def light_of(transfer: int, steps: int) -> pyvips.Image:
    """A table of the light that each number stands for: of sRGB's and PQ's in reference whites, of HLG's as a share."""
    share = np.linspace(0, 1, steps)
    light = {
        LINEAR: lambda: share,
        GAMMA_22: lambda: share**2.2,
        PQ: lambda: from_pq(share) / REFERENCE_WHITE,
        HLG: lambda: from_hlg(share),
    }.get(transfer, lambda: from_srgb(share))()
    return pyvips.Image.new_from_array(light[np.newaxis].astype(np.float32))


@functools.cache
def shown_as(*, bright: bool) -> pyvips.Image:
    """A table of the sRGB number of each light; the table's steps are the square roots of light."""
    root = np.linspace(0, 1, STEPS)
    light = bent(root**2 * PEAK) / REFERENCE_WHITE if bright else root**2
    return pyvips.Image.new_from_array(np.rint(curve(light) * 255).astype(np.uint8)[np.newaxis])


def bent(nits: Numbers) -> Numbers:
    """Light up to the peak as a screen shows it whose white is the reference: the knee of ITU-R BT.2390."""
    most = to_pq(REFERENCE_WHITE) / to_pq(PEAK)
    knee = 1.5 * most - 0.5
    seen = to_pq(nits) / to_pq(PEAK)
    t = np.clip((seen - knee) / (1 - knee), 0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return from_pq(np.where(seen < knee, seen, spline) * to_pq(PEAK))


M1, M2, C1, C2, C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128  # SMPTE ST 2084


def from_pq(share: Numbers) -> Numbers:
    """Nits by their PQ numbers."""
    root = np.asarray(share) ** (1 / M2)
    nits: Numbers = 10_000 * (np.maximum(root - C1, 0) / (C2 - C3 * root)) ** (1 / M1)
    return nits


def to_pq(nits: Numbers | float) -> Numbers:
    """PQ numbers of nits."""
    root = (np.asarray(nits) / 10_000) ** M1
    share: Numbers = ((C1 + C2 * root) / (1 + C3 * root)) ** M2
    return share


def from_hlg(share: Numbers) -> Numbers:
    """Light of the scene by its HLG numbers, by ITU-R BT.2100."""
    return np.where(share <= 0.5, share**2 / 3, (np.exp((share - 0.55991073) / 0.17883277) + 0.28466892) / 12)


def from_srgb(share: Numbers) -> Numbers:
    """Light by its sRGB numbers."""
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def curve(light: Numbers) -> Numbers:
    """SRGB numbers of light from 0 to 1."""
    share = np.clip(light, 0, 1)
    return np.where(share <= 0.0031308, share * 12.92, 1.055 * share ** (1 / 2.4) - 0.055)


@functools.cache
def to_xyz(primaries: int) -> Numbers:
    """The matrix from these primaries' red, green and blue to CIE XYZ."""
    corners = np.array([(x / y, 1, (1 - x - y) / y) for x, y in GAMUTS.get(primaries, GAMUTS[1])]).T
    white = np.array((D65[0] / D65[1], 1, (1 - sum(D65)) / D65[1]))
    matrix: Numbers = np.asarray(corners * np.linalg.solve(corners, white), np.float64)
    return matrix


def to_srgb(primaries: int) -> Numbers:
    """The matrix from these primaries to sRGB's."""
    matrix: Numbers = np.asarray(np.linalg.solve(to_xyz(1), to_xyz(primaries)), np.float64)
    return matrix


def luminance(primaries: int) -> list[float]:
    """How much each primary adds to what the eye takes for lightness."""
    return [float(part) for part in to_xyz(primaries)[1]]
