"""What can be known of a photo beside its pixels: what one source says, and what is believed in the end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Literal

from msgspec import Struct


@dataclass(frozen=True, kw_only=True)
class Blobs:
    """The blocks of metadata that a picture's file holds, as they are; a TIFF is an EXIF block itself."""

    exif: bytes | BinaryIO = b""
    xmp: bytes = b""
    iptc: bytes = b""
    known: tuple["Said", ...] = ()
    """What the decoder says of the file, believed after all of these."""


class Told(Struct, frozen=True, kw_only=True):
    """What is known of a file from outside: its name, when it was last changed, and which files lie beside it.

    `modified` is a UTC time without zone, None when it says nothing of the picture. `beside` says what each of the
    files is that come along, the most trusted first: an XMP sidecar or the folder's `.picasa.ini`. Beside them the file
    is called `stored_name`.
    """

    file_name: str = ""
    stored_name: str = ""
    modified: datetime | None = None
    beside: tuple[Literal["xmp", "picasa"], ...] = ()


class Moment(Struct, frozen=True, kw_only=True):
    """A time as one source gives it: by the clock on the wall there, minutes east of Greenwich if it says so."""

    at: datetime
    source: str
    offset_minutes: int | None = None
    offset_source: str | None = None
    until: datetime | None = None
    """Where what a date may mean ends, if it lacks a part."""


class Face(Struct, frozen=True, kw_only=True):
    """Where in the upright picture a face is, as shares of its width and height from the left and top corner."""

    name: str | None
    left: float
    top: float
    width: float
    height: float


class Description(Struct, frozen=True, kw_only=True):
    """What can be said of a photo beside when and where it was taken; None and empty for what nobody says."""

    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    rating: int | None = None
    """From 1 to 5 stars; 0 is a picture that somebody looked at and gave none, -1 one that somebody rejected."""
    faces: tuple[Face, ...] = ()
    camera_make: str | None = None
    camera_model: str | None = None
    lens_model: str | None = None
    exposure_time: str | None = None
    """In seconds as people write it, `1/250`."""
    f_number: float | None = None
    iso_speed: int | None = None
    focal_length: float | None = None
    """In millimetres."""
    exposure: float | None = None
    """The correction in EV."""
    projection: str | None = None
    """Of a panorama: `equirectangular` is one that looks all around."""
    content_identifier: str | None = None
    """What a Live Photo's still and its video have in common."""
    burst_identifier: str | None = None
    motion_length: int | None = None
    """The bytes at the end of the file that are a motion photo's video."""
    altitude: float | None = None
    """In metres above the sea."""


class Said(Description, frozen=True, kw_only=True):
    """What one source says and what can be true.

    `faces` lie in the picture as stored. `moments` are in the order of trust, `instant` is the satellites' clock.
    """

    moments: tuple[Moment, ...] = ()
    instant: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    orientation: int | None = None
    """How the camera was held, as EXIF counts it, whether or not the pixels are to be turned still."""


class Metadata(Description, frozen=True, kw_only=True):
    """What was believed, and a note for whatever was there and was not believed; nobody's rating is -1 here."""

    taken_at: datetime | None = None
    """By the clock on the wall where it was taken, without a zone."""
    taken_from: str | None = None
    offset_minutes: int | None = None
    """Of that clock, east of Greenwich."""
    offset_from: str | None = None
    time_zone: str | None = None
    """The zone of the position, `Europe/Paris`."""
    gps_latitude: float | None = None
    gps_longitude: float | None = None
    country: str | None = None
    country_code: str | None = None
    region: str | None = None
    city: str | None = None
    notes: tuple[str, ...] = ()


Values = dict[str, Any]
