"""What the catalogue keeps of an asset: columns to sort and compare by, and the documented keys for clients."""

from msgspec import structs

from common.readings import VERSION
from processor.audios import Audio
from processor.images import Photo
from processor.metadata import Metadata
from processor.queries import Facts
from processor.videos import Video

SIGN_BIT = 1 << 63


def of(media: Photo | Video | Audio) -> Facts:
    """The facts of an asset; `specific` holds the outside contract's keys, absent where nothing is known."""
    seen = media.metadata
    return Facts(
        width=None if isinstance(media, Audio) else media.width or None,
        height=None if isinstance(media, Audio) else media.height or None,
        taken_at=seen.taken_at,
        taken_source=seen.taken_from,
        taken_offset_minutes=seen.offset_minutes,
        taken_offset_source=seen.offset_from,
        thumbhash=media.thumbhash,
        perceptual_hash=None if media.phash is None else _signed(media.phash),
        specific={key: value for key, value in _specific(media, seen).items() if value not in (None, ())},
        notes=list(seen.notes),
        version=VERSION,
    )


def _specific(media: Photo | Video | Audio, seen: Metadata) -> dict[str, object]:
    match media:
        case Photo():
            return _of_photo(media, seen)
        case Video():
            return _of_video(media, seen)
        case Audio():
            return _of_audio(media, seen)


def _of_photo(photo: Photo, seen: Metadata) -> dict[str, object]:
    return (
        _shared(seen)
        | _sized(photo)
        | {
            "taken_time": seen.taken_at,
            "lens_model": seen.lens_model,
            "exposure_time": seen.exposure_time,
            "f_number": seen.f_number,
            "focal_length": seen.focal_length,
            "iso_speed": seen.iso_speed,
            "exposure": seen.exposure or 0.0,
            "resolution": _resolution(photo.width * photo.height),
            "faces": seen.faces,
            "projection": seen.projection,
            "decoder": photo.decoder,
            "is_animated": photo.frames > 1,
            "is_raw": photo.is_raw,
        }
    )


def _resolution(pixels: int) -> str | None:
    """In megapixels; those of small pictures with a digit after the point, and none of what has not even that."""
    megapixels = pixels / 1_000_000
    shown = round(megapixels) if megapixels >= 1 else round(megapixels, 1)
    return f"{shown}MP" if shown else None


def _of_video(video: Video, seen: Metadata) -> dict[str, object]:
    return (
        _shared(seen)
        | _sized(video)
        | {
            "recorded_time": seen.taken_at,
            "codec": video.codec,
            "profile": video.profile,
            "bitrate": video.bitrate,
            "frame_rate": video.frame_rate,
            "is_variable_frame_rate": video.is_variable_frame_rate,
            "rotation": video.rotation,
            "hdr": video.hdr,
            "has_audio": video.audio_codec is not None,
            "audio_codec": video.audio_codec,
            "audio_channels": video.audio_channels,
            "duration": video.duration,
        }
    )


def _of_audio(audio: Audio, seen: Metadata) -> dict[str, object]:
    return _shared(seen) | {
        "codec": audio.codec,
        "bitrate": audio.bitrate,
        "duration": audio.duration,
        "sample_rate": audio.sample_rate,
        "channels": audio.channels,
        "bits_per_sample": audio.bits_per_sample,
        "is_lossless": audio.is_lossless,
        "recorded_time": seen.taken_at,
        **structs.asdict(audio.music),
    }


def _sized(media: Photo | Video) -> dict[str, object]:
    return {
        "dimensions": f"{media.width}x{media.height}" if media.width else None,
        "stored_dimensions": f"{media.stored_width}x{media.stored_height}" if media.width else None,
    }


def _shared(seen: Metadata) -> dict[str, object]:
    return {
        "time_zone": seen.time_zone,
        "camera_make": seen.camera_make,
        "camera_model": seen.camera_model,
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
