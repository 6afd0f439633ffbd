"""What the catalogue keeps of a photo: columns to sort and compare by, and the documented keys for clients."""

from common.readings import VERSION
from processor.images import Photo
from processor.metadata import Metadata
from processor.queries import Facts

SIGN_BIT = 1 << 63


def of_photo(photo: Photo) -> Facts:
    """A photo's facts; `specific` holds the outside contract's keys, absent where nothing is known."""
    seen = photo.metadata
    return Facts(
        width=photo.width,
        height=photo.height,
        taken_at=seen.taken_at,
        taken_source=seen.taken_from,
        taken_offset_minutes=seen.offset_minutes,
        taken_offset_source=seen.offset_from,
        thumbhash=photo.thumbhash,
        perceptual_hash=_signed(photo.phash),
        specific={key: value for key, value in _specific(photo, seen).items() if value not in (None, ())},
        notes=list(seen.notes),
        version=VERSION,
    )


def _specific(photo: Photo, seen: Metadata) -> dict[str, object]:
    return {
        "taken_time": seen.taken_at,
        "time_zone": seen.time_zone,
        "camera_make": seen.camera_make,
        "camera_model": seen.camera_model,
        "lens_model": seen.lens_model,
        "exposure_time": seen.exposure_time,
        "f_number": seen.f_number,
        "focal_length": seen.focal_length,
        "iso_speed": seen.iso_speed,
        "exposure": seen.exposure or 0.0,
        "dimensions": f"{photo.width}x{photo.height}",
        "stored_dimensions": f"{photo.stored_width}x{photo.stored_height}",
        "resolution": f"{round(photo.width * photo.height / 1_000_000)}MP",
        "gps_latitude": seen.gps_latitude,
        "gps_longitude": seen.gps_longitude,
        "altitude": seen.altitude,
        "country": seen.country,
        "country_code": seen.country_code,
        "region": seen.region,
        "city": seen.city,
        "title": seen.title,
        "description": seen.description,
        "keywords": seen.keywords,
        "rating": seen.rating,
        "faces": seen.faces,
        "projection": seen.projection,
        "content_identifier": seen.content_identifier,
        "decoder": photo.decoder,
        "is_animated": photo.frames > 1,
        "is_raw": photo.is_raw,
    }


def _signed(value: int) -> int:
    """The same 64 bits as Postgres counts them."""
    return value - (value & SIGN_BIT) * 2
