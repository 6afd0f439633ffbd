"""Colours as a screen shows them: which profile a picture is converted by, and when that would change nothing."""

import functools
import struct

import pyvips

from processor.pictures import PROFILE

ICC_HEADER = 128  # bytes
ABSOLUTE = ("lab", "labs", "labq", "xyz", "scrgb")  # their numbers are colours, whatever profile lies beside them
SAMPLES, UNSEEN = 6, 2  # a side of the cube of colours, and a difference that nobody sees


def profiles(image: pyvips.Image) -> dict[str, str]:
    """The colour profiles to convert by; none where that would change no colour and only take time."""
    if image.interpretation == "cmyk":
        return {"input_profile": "cmyk", "output_profile": "srgb"}
    if not image.get_typeof(PROFILE) or image.interpretation in ABSOLUTE:
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


@functools.cache
def adobe_rgb() -> bytes:
    """The colour profile of Adobe RGB (1998), which cameras name and do not embed."""
    curve = struct.pack(">4s4xIH2x", b"curv", 1, 563)  # a gamma of 2.2, in units of 1/256
    blocks = {
        b"desc": struct.pack(">4s4xI10s78x", b"desc", 10, b"Adobe RGB"),
        b"wtpt": _xyz(0.9505, 1, 1.0891),
        b"rXYZ": _xyz(0.60974, 0.31111, 0.01947),
        b"rTRC": curve,
        b"gXYZ": _xyz(0.20528, 0.62567, 0.06087),
        b"gTRC": curve,
        b"bXYZ": _xyz(0.14919, 0.06322, 0.74457),
        b"bTRC": curve,
    }
    table, data, start = struct.pack(">I", len(blocks)), b"", ICC_HEADER + 4 + 12 * len(blocks)
    for name, block in blocks.items():
        table += struct.pack(">4sII", name, start + len(data), len(block))
        data += block
    white = _xyz(0.9642, 1, 0.8249)[8:]
    head = struct.pack(">I4xI12s12x4s28x12s", start + len(data), 0x02100000, b"mntrRGB XYZ ", b"acsp", white)
    return head.ljust(ICC_HEADER, b"\0") + table + data


def _xyz(*values: float) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(value * 65536) for value in values))
