"""Opens a camera's raw file: by the preview that the camera put into it, or by what its sensor saw."""

import os
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

import rawpy

from common import formats
from processor import pictures, raw_blobs, raw_previews
from processor.metadata import Blobs
from processor.pictures import TURNED, Picture, Unseen
from processor.raw_previews import REFUSALS, Preview
from processor.unreadable import Unreadable

LEAST_PREVIEW = 400
"""What is smaller was made for the camera's own screen, and no picture is better than that."""
MOST_BYTES = 1 << 29
"""LibRaw wants the whole file in memory."""
SRGB_CURVE = (2.4, 12.92)
ORIENTATIONS = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7, 90: 6, 180: 3, 270: 8}
"""EXIF's word for each of LibRaw's, which are three bits or degrees."""


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """The developed picture as stored: its size, and how it is to be turned."""

    width: int
    height: int
    orientation: int

    @property
    def edge(self) -> int:
        """Its longer side."""
        return max(self.width, self.height)


def open_picture(file: BinaryIO, mime: str, edge: int) -> Picture:
    """The picture in a raw file: its preview if that is large enough, else developed, else by any decent preview."""
    with closing(rawpy.RawPy()) as raw:
        sensor, reason = _sensor(raw, file)
        wanted = min(edge, sensor.edge) if sensor else edge
        # The preview comes first: LibRaw forgets the file when it unpacks what the sensor saw.
        preview = _preview(raw if sensor else None, file, mime, wanted)
        if sensor and (preview is None or preview.edge < wanted):
            try:
                return _developed(raw, sensor, edge, _blobs(file, mime, preview))
            except REFUSALS as error:
                reason = _reason(error)
    if preview is None or preview.edge < LEAST_PREVIEW:
        verdict = f"the raw file has no preview and cannot be developed: {reason}"
        raise Unseen(verdict, _unseen(sensor, _blobs(file, mime, preview)))
    shown = _shown(preview, sensor, _blobs(file, mime, preview))
    return replace(shown, instead=partial(_developed_after_all, file, edge, shown)) if sensor else shown


def _developed_after_all(file: BinaryIO, edge: int, shown: Picture) -> Picture:
    """What the sensor saw, where the pixels of the preview turn out to be damaged."""
    with closing(rawpy.RawPy()) as raw:
        sensor, reason = _sensor(raw, file)
        try:
            if sensor is not None:
                return _developed(raw, sensor, edge, shown.blobs)
        except REFUSALS as error:
            reason = _reason(error)
    raise Unseen(f"the raw file's preview is damaged and it cannot be developed: {reason}", shown)


def _unseen(sensor: Sensor | None, blobs: Blobs) -> Picture:
    """A raw file of which only what stands beside its pixels can be read."""
    return Picture(
        pixels=pictures.nothing(),
        width=sensor.width if sensor else 0,
        height=sensor.height if sensor else 0,
        decoder="libraw",
        blobs=blobs,
        is_raw=True,
        stored=sensor.orientation if sensor else None,
    )


def _sensor(raw: rawpy.RawPy, file: BinaryIO) -> tuple[Sensor | None, str]:
    """What LibRaw makes of a file, or why nothing."""
    if os.fstat(file.fileno()).st_size > MOST_BYTES:
        return None, f"it is longer than {MOST_BYTES >> 20} MB"
    try:
        file.seek(0)
        raw.open_buffer(file)
        sizes = raw.sizes
        width, height = _square_dots(sizes.width, sizes.height, sizes.pixel_aspect)
        pictures.check_size(width, height)
    except REFUSALS as error:
        return None, _reason(error)
    except Unreadable as verdict:
        return None, str(verdict)
    return Sensor(width=width, height=height, orientation=ORIENTATIONS.get(sizes.flip, 1)), ""


def _square_dots(width: int, height: int, aspect: float) -> tuple[int, int]:
    """The size of a picture whose dots are so many times wider than high, once they are square."""
    if not 0.1 < aspect < 10:
        return width, height
    return round(width * max(1, aspect)), round(height / min(1, aspect))


def _preview(raw: rawpy.RawPy | None, file: BinaryIO, mime: str, wanted: int) -> Preview | None:
    """The largest picture inside the file; one that LibRaw does not know of is looked for only if it is missed."""
    known = raw_previews.of_libraw(raw) if raw else None
    if raw and mime == formats.DNG.mime_type:
        return known  # other JPEGs in a DNG may be tiles of what the sensor saw
    if known and known.edge >= wanted:
        return known
    return raw_previews.hidden(file, larger_than=known.edge if known else 0) or known


def _developed(raw: rawpy.RawPy, sensor: Sensor, edge: int, blobs: Blobs) -> Picture:
    """What the sensor saw, by the white balance of the camera."""
    pixels = raw.postprocess(
        half_size=sensor.edge // 2 >= edge,
        demosaic_algorithm=rawpy.DemosaicAlgorithm.PPG,  # twice as fast as the default
        use_camera_wb=True,
        gamma=SRGB_CURVE,
        user_flip=0,
        output_bps=8,
    )
    return Picture(
        pixels=pictures.described(raw_previews.image(pixels), orientation=sensor.orientation),
        width=sensor.width,
        height=sensor.height,
        decoder="libraw",
        blobs=replace(blobs, known=(*blobs.known, raw_blobs.known_to(raw))),
        is_raw=True,
    )


def _shown(preview: Preview, sensor: Sensor | None, blobs: Blobs) -> Picture:
    """The preview in place of the picture."""
    pixels = preview.pixels
    says = pictures.orientation(pixels) if pixels.get_typeof(pictures.ORIENTATION) else None
    if sensor is None:
        turn = stored = says or raw_blobs.orientation(blobs.exif) or 1
    else:
        turn, stored = _turn(preview, sensor, says), sensor.orientation
    profile = b"" if pixels.get_typeof(pictures.PROFILE) else raw_blobs.profile(blobs.exif)
    return Picture(
        pixels=pictures.described(pixels, orientation=turn, profile=profile),
        width=sensor.width if sensor else pixels.width,
        height=sensor.height if sensor else pixels.height,
        decoder="libraw preview" if sensor else "preview",
        blobs=blobs,
        jpeg=preview.jpeg,
        is_raw=True,
        stored=stored,
    )


def _turn(preview: Preview, sensor: Sensor, says: int | None) -> int:
    """How the preview is to be turned: as it says, as the sensor says, or not at all; whichever makes it alike."""
    is_wide = _is_wide(sensor.width, sensor.height, sensor.orientation)
    width, height = preview.pixels.width, preview.pixels.height
    turns = [turn for turn in (says, sensor.orientation, 1) if turn is not None]
    return next((turn for turn in turns if _is_wide(width, height, turn) == is_wide), sensor.orientation)


def _is_wide(width: int, height: int, orientation: int) -> bool:
    return height >= width if orientation in TURNED else width >= height


def _blobs(file: BinaryIO, mime: str, preview: Preview | None) -> Blobs:
    return raw_blobs.read(file, mime, preview.blobs if preview else Blobs())


def _reason(error: Exception) -> str:
    """What LibRaw says against a file."""
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
