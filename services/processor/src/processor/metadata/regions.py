"""Where people said that faces are, and how such places turn with the picture."""

import math
from collections.abc import Iterator

from processor.metadata import packet
from processor.metadata.packet import Properties, Value
from processor.metadata.record import Face
from processor.metadata.text import short

MOST_FACES = 200
LEAST_SIDE = 1e-4
LARGEST_OVERHANG = 0.5
"""How far a face may reach beyond the edge of the picture, as a share of it."""


def read(properties: Properties) -> tuple[Face, ...]:
    """The faces in the picture as stored: those of the Metadata Working Group, else Microsoft's."""
    found = [*_of_working_group(properties.get("mwg-rs:Regions"))] or [*_of_microsoft(properties.get("MP:RegionInfo"))]
    return tuple(found[:MOST_FACES])


def face(name: str | None, left: float, top: float, width: float, height: float) -> Face | None:
    """A face as far as it lies in the picture, None if that is nowhere."""
    if not all(map(math.isfinite, (left, top, width, height))) or min(width, height) <= 0:
        return None
    right, bottom = left + width, top + height
    if min(left, top) < -LARGEST_OVERHANG or max(right, bottom) > 1 + LARGEST_OVERHANG:
        return None
    left, top, right, bottom = max(left, 0.0), max(top, 0.0), min(right, 1.0), min(bottom, 1.0)
    if min(right - left, bottom - top) < LEAST_SIDE:
        return None
    return _rounded(name, left, top, right - left, bottom - top, digits=9)


def turned(seen: Face, orientation: int) -> Face:
    """The same face in the upright picture, from a picture stored in this EXIF orientation.

    Rounded to what no turning can change: less than a tenth of a pixel.
    """
    left, top, width, height = seen.left, seen.top, seen.width, seen.height
    right, bottom = 1 - left - width, 1 - top - height
    corner = {
        2: (right, top),
        3: (right, bottom),
        4: (left, bottom),
        5: (top, left),
        6: (bottom, left),
        7: (bottom, right),
        8: (top, right),
    }.get(orientation, (left, top))
    size = (height, width) if orientation in range(5, 9) else (width, height)
    return _rounded(seen.name, *corner, *size, digits=5)


def _rounded(name: str | None, left: float, top: float, width: float, height: float, *, digits: int) -> Face:
    right, bottom = round(left + width, digits), round(top + height, digits)
    left, top = round(max(left, 0.0), digits), round(max(top, 0.0), digits)
    return Face(name=name, left=left, top=top, width=round(right - left, digits), height=round(bottom - top, digits))


def _of_working_group(regions: Value | None) -> Iterator[Face]:
    """Centres and sizes, as shares of the picture or in pixels of it."""
    whole = packet.inner(regions, "mwg-rs:AppliedToDimensions")
    for region in packet.items(packet.inner(regions, "mwg-rs:RegionList")):
        area, name = region.get("mwg-rs:Area"), _name(region.get("mwg-rs:Name"))
        kind = next(packet.texts(region.get("mwg-rs:Type")), "Face" if name else "")
        x, y, width, height = (_number(packet.inner(area, f"stArea:{side}")) for side in "xywh")
        if next(packet.texts(packet.inner(area, "stArea:unit")), "normalized").strip() == "pixel":
            across, down = (_number(packet.inner(whole, f"stDim:{side}")) or math.nan for side in "wh")
            x, y, width, height = x / across, y / down, width / across, height / down
        found = face(name, x - width / 2, y - height / 2, width, height)
        if found is not None and kind.strip() == "Face":
            yield found


def _of_microsoft(regions: Value | None) -> Iterator[Face]:
    """Left, top, width and height in one line."""
    for region in packet.items(packet.inner(regions, "MPRI:Regions")):
        written = next(packet.texts(region.get("MPReg:Rectangle")), "")
        sides = [_number(side) for side in written.split(",")]
        found = face(_name(region.get("MPReg:PersonDisplayName")), *sides) if len(sides) == 4 else None
        if found is not None:
            yield found


def _name(value: Value | None) -> str | None:
    return short(next(packet.texts(value), ""))


def _number(value: Value | None) -> float:
    """The number, or none that can be compared."""
    try:
        return float(next(packet.texts(value), ""))
    except ValueError:
        return math.nan
