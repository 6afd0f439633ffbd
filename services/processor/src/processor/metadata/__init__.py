"""What is known of a photo beside its pixels, from every source that speaks of it, in the order of trust."""

from collections.abc import Sequence
from typing import Any, BinaryIO

from processor.metadata import exif, times
from processor.metadata.record import Blobs, Face, Metadata, Moment, Said, Told, Values

__all__ = ["Blobs", "Face", "Metadata", "Moment", "Said", "Told", "read"]

WORDS = ("title", "description", "rating")
FACTS = (
    *("camera_make", "camera_model", "lens_model", "exposure_time", "f_number", "iso_speed", "focal_length"),
    *("exposure", "projection", "content_identifier", "burst_identifier", "motion_length"),
)


def read(blobs: Blobs, told: Told, *, orientation: int, beside: Sequence[BinaryIO] = ()) -> Metadata:  # noqa: ARG001
    """All that can be true of what the sources say; never fails. A person's sidecar is believed before the camera."""
    notes: list[str] = []
    embedded, remarks = exif.read(blobs.exif)
    notes += remarks
    sources = [embedded, *blobs.known]
    return Metadata(
        **times.decide(sources, told, notes),
        **_place(sources),
        **{name: _first(sources, name) for name in (*WORDS, *FACTS)},
        keywords=tuple(dict.fromkeys(word for said in sources for word in said.keywords)),
        notes=tuple(notes),
    )


def _first(sources: Sequence[Said], name: str) -> Any:
    return next((value for said in sources if (value := getattr(said, name)) is not None), None)


def _place(sources: Sequence[Said]) -> Values:
    """The position of the first source that has one; half a position is none."""
    for said in sources:
        if said.latitude is not None and said.longitude is not None:
            return {"gps_latitude": said.latitude, "gps_longitude": said.longitude, "altitude": said.altitude}
    return {}
