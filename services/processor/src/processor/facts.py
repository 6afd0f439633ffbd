"""What the catalogue keeps of a photo or video: columns to sort and compare by, and the documented keys for clients."""

from common.readings import VERSION
from processor.images import Photo
from processor.metadata import Metadata
from processor.queries import Facts
from processor.videos import Video

SIGN_BIT = 1 << 63


def of(media: Photo | Video) -> Facts:
    """The facts of a photo or video; `specific` holds the outside contract's keys, absent where nothing is known."""
    seen = media.metadata
    specific = _of_photo(media, seen) if isinstance(media, Photo) else _of_video(media, seen)
    return Facts(
        width=media.width or None,
        height=media.height or None,
        taken_at=seen.taken_at,
        taken_source=seen.taken_from,
        taken_offset_minutes=seen.offset_minutes,
        taken_offset_source=seen.offset_from,
        thumbhash=media.thumbhash,
        perceptual_hash=None if media.phash is None else _signed(media.phash),
        specific={key: value for key, value in specific.items() if value not in (None, ())},
        notes=list(seen.notes),
        version=VERSION,
    )


def _of_photo(photo: Photo, seen: Metadata) -> dict[str, object]:
    return _shared(photo, seen) | {
        "taken_time": seen.taken_at,
        "lens_model": seen.lens_model,
        "exposure_time": seen.exposure_time,
        "f_number": seen.f_number,
        "focal_length": seen.focal_length,
        "iso_speed": seen.iso_speed,
        "exposure": seen.exposure or 0.0,
        "resolution": f"{round(photo.width * photo.height / 1_000_000)}MP" if photo.width else None,
        "faces": seen.faces,
        "projection": seen.projection,
        "decoder": photo.decoder,
        "is_animated": photo.frames > 1,
        "is_raw": photo.is_raw,
    }


def _of_video(video: Video, seen: Metadata) -> dict[str, object]:
    return _shared(video, seen) | {
        "recorded_time": seen.taken_at,
        "codec": video.codec,
        "bitrate": video.bitrate,
        "frame_rate": video.frame_rate,
        "duration": video.duration,
    }


def _shared(media: Photo | Video, seen: Metadata) -> dict[str, object]:
    return {
        "time_zone": seen.time_zone,
        "camera_make": seen.camera_make,
        "camera_model": seen.camera_model,
        "dimensions": f"{media.width}x{media.height}" if media.width else None,
        "stored_dimensions": f"{media.stored_width}x{media.stored_height}" if media.width else None,
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
        "content_identifier": seen.content_identifier,
    }


def _signed(value: int) -> int:
    """The same 64 bits as Postgres counts them."""
    return value - (value & SIGN_BIT) * 2
