"""What encodes pictures as H.264: in software, which works everywhere, and in hardware, which may be there."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Options = Mapping[str, object]
Hardware = Literal["auto", "none", "h264_nvenc", "h264_qsv", "h264_vaapi", "h264_amf"]

MOST_BITS, BUFFERED_BITS = "5M", "10M"
USUAL_BITS = "4M"
"""What hardware is told to aim at where it has no measure of quality that it shares with others."""
RENDER_NODES, GRAPHICS_CARDS, NVIDIA = "/dev/dri/renderD*", "/dev/nvidia[0-9]*", "/dev/nvidia*"


class Encoder(Struct, frozen=True, kw_only=True):
    """An encoder by ffmpeg's name of it, how it is told what we want, and what it needs to run."""

    name: str
    options: Options
    pixels: str = "yuv420p"
    devices: tuple[str, ...] = ()
    """Where the files of /dev are that it is spoken to through, as patterns; it cannot run without the first."""
    opening: str | None = None
    """The option of ffmpeg that opens the first device."""
    is_uploaded: bool = False
    """Whether pictures are brought to the device before they are encoded."""


SOFTWARE = Encoder(name="libx264", options={"preset": "veryfast", "crf": 23, "profile:v": "high"})
HARDWARE = (
    Encoder(
        name="h264_nvenc",
        options={"preset": "p4", "rc": "vbr", "cq": 23, "b:v": 0, "profile:v": "high", "forced-idr": 1},
        devices=(GRAPHICS_CARDS, NVIDIA),
    ),
    Encoder(
        name="h264_qsv",
        options={"preset": "fast", "b:v": USUAL_BITS, "profile:v": "high", "forced_idr": 1},
        pixels="nv12",
        devices=(RENDER_NODES,),
    ),
    Encoder(
        name="h264_vaapi",
        options={"b:v": USUAL_BITS, "profile:v": "high"},
        pixels="nv12",
        devices=(RENDER_NODES,),
        opening="vaapi_device",
        is_uploaded=True,
    ),
    Encoder(
        name="h264_amf",
        options={"rc": "vbr_peak", "b:v": USUAL_BITS, "profile:v": "high", "forced_idr": 1},
        pixels="nv12",
        devices=(RENDER_NODES,),
    ),
)
"""In the order in which they are tried."""
