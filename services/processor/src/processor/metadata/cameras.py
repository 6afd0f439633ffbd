"""Cameras and lenses by the names that people use for them."""

from collections.abc import Iterable
from typing import Any

MAKES = {
    "apple": "Apple",
    "asahi optical": "Pentax",
    "canon": "Canon",
    "casio": "Casio",
    "dji": "DJI",
    "eastman kodak": "Kodak",
    "fuji": "Fujifilm",
    "google": "Google",
    "gopro": "GoPro",
    "hasselblad": "Hasselblad",
    "hewlett-packard": "HP",
    "huawei": "Huawei",
    "kodak": "Kodak",
    "konica minolta": "Konica Minolta",
    "leica": "Leica",
    "lg electronics": "LG",
    "lge": "LG",
    "minolta": "Minolta",
    "motorola": "Motorola",
    "nikon": "Nikon",
    "nokia": "Nokia",
    "olympus": "Olympus",
    "om digital": "OM System",
    "oneplus": "OnePlus",
    "panasonic": "Panasonic",
    "pentax": "Pentax",
    "phase one": "Phase One",
    "ricoh": "Ricoh",
    "samsung": "Samsung",
    "sigma": "Sigma",
    "sony ericsson": "Sony Ericsson",
    "sony": "Sony",
    "xiaomi": "Xiaomi",
}
"""What a maker writes into its photos, as far as it is always the same, and what it is called."""

LONGEST = 10_000
NO_LENS = {"", "-", "--", "----", "n/a", "none", "unknown", "unknown lens", "0.0 mm f/0.0", "0 mm f/0", "manual lens"}


def make(written: str | None) -> str | None:
    """A maker without its legal form and its capitals, `Nikon`; one that we do not know stays as it is written."""
    if written is None:
        return None
    lowered = written.lower()
    return next((name for start, name in MAKES.items() if lowered.startswith(start)), written)


def model(written: str | None, maker: str | None) -> str | None:
    """A model; where it begins with its maker, that is spelt as above: `Nikon D750`."""
    if written is None or maker is None or not written.lower().startswith(maker.lower() + " "):
        return written
    return maker + written[len(maker) :]


def lens(written: str | None) -> str | None:
    """A lens, None for what cameras write when they know of none."""
    return None if written is None or written.lower() in NO_LENS else written


def lens_of(specification: Iterable[Any]) -> str | None:
    """A lens by its shortest and longest focal length in millimetres and its f-number at each: `24-105mm f/4`."""
    shortest, longest, at_shortest, at_longest = (float(value) for value in specification)
    if not 0 < shortest <= longest < LONGEST:
        return None
    lengths = f"{shortest:g}mm" if shortest == longest else f"{shortest:g}-{longest:g}mm"
    openings = [f"{number:g}" for number in dict.fromkeys((at_shortest, at_longest)) if number > 0]
    return f"{lengths} f/{'-'.join(openings)}" if openings else lengths
