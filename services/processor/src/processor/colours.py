"""Colours as a screen shows them: which profile a picture is converted by, and when that would change nothing."""

import functools

import pyvips

from processor.pictures import PROFILE

SAMPLES, UNSEEN = 6, 2  # a side of the cube of colours, and a difference that nobody sees


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
