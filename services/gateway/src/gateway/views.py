"""Rows as clients see them."""

from datetime import datetime, timedelta, timezone
from typing import Any

from gateway import media, stacks
from gateway.asset_schemas import AssetDetail, AssetDTO, RenditionDTO, State, ThumbnailDTO
from gateway.filter_schemas import Type
from gateway.queries.assets import Asset, Rendition, StageState, Thumbnail
from gateway.queries.stacks import Member

CALLED = {"tags": "keywords"}
OF_A_PLACE = {"altitude", "country", "country_code", "region", "city", "time_zone"}
ROUTES = {
    "motion": "motion",
    "preview": "preview",
    "waveform": "waveform",
    "waveform_image": "waveform?format=png",
}
"""Where each rendition is asked for; the web version has a route for each kind of asset."""
TYPES: dict[str, Type] = {"photo": "PHOTO", "video": "VIDEO", "audio": "AUDIO"}


def card(asset: Asset) -> AssetDTO:
    """An asset as lists have it."""
    return AssetDTO(**_fields(asset))


def detail(
    asset: Asset,
    thumbnails: list[Thumbnail],
    renditions: list[Rendition],
    stages: list[StageState],
    members: list[Member],
) -> AssetDetail:
    """An asset with everything that is known of it."""
    return AssetDetail(
        **_fields(asset),
        edited=sorted(asset.edits),
        thumbnails=[_thumbnail(asset, thumbnail) for thumbnail in thumbnails],
        renditions=[_rendition(asset, rendition) for rendition in renditions],
        web_policy=asset.web_policy,
        stages=stages,
        stacks=list(stacks.of(members)),
    )


def _fields(asset: Asset) -> dict[str, Any]:
    specific = _specific(asset)
    return {
        "asset_id": asset.asset_id,
        "owner_id": asset.owner_id,
        "repository_id": asset.repository_id,
        "type": TYPES[asset.kind],
        "status": _status(asset),
        "original_filename": asset.original_filename,
        "storage_path": (asset.path or b"").decode(errors="replace"),
        "mime_type": asset.mime_type,
        "file_size": asset.size,
        "hash": asset.content_hash.hex(),
        "width": asset.width,
        "height": asset.height,
        "duration": asset.facts.get("duration"),
        "upload_time": asset.uploaded_at,
        "taken_time": _taken(asset.edited_taken_at or asset.taken_at, _offset(asset)),
        "title": specific.get("title"),
        "description": specific.get("description"),
        "rating": asset.rating,
        "liked": asset.liked,
        "archived_at": asset.archived_at,
        "is_deleted": asset.trashed_at is not None,
        "deleted_at": asset.trashed_at,
        "missing_since": asset.missing_since,
        "thumbhash": asset.thumbhash,
        "live_video_id": asset.live_video_id,
        "has_motion": asset.beside == "motion" or asset.live_video_id is not None,
        "has_preview": asset.beside == "preview",
        "has_waveform": asset.beside == "waveform",
        "specific_metadata": specific,
    }


def _status(asset: Asset) -> State:
    """All may be done and the original not be there any more: that is nothing to be called complete."""
    if asset.has_failed:
        return "failed"
    if not asset.is_complete:
        return "processing"
    return "complete" if asset.path is not None else "warning"


def _taken(local: datetime | None, offset_minutes: int | None) -> datetime | None:
    """The time on the clock where it was taken, with its offset where the file knows it."""
    if local is None or offset_minutes is None:
        return local
    return local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))


def _offset(asset: Asset) -> int | None:
    found: int | None = asset.edits.get("offset_minutes", asset.taken_offset_minutes)
    return found


def _specific(asset: Asset) -> dict[str, Any]:
    """What is believed in the end: a person's word before the file's, and nothing where a person wants nothing."""
    said = {CALLED.get(name, name): value for name, value in asset.edits.items() if name != "offset_minutes"}
    facts = asset.facts
    if "gps_latitude" in said:  # what the file says of its own position tells nothing of another one
        facts = {name: value for name, value in facts.items() if name not in OF_A_PLACE} | (asset.edited_place or {})
    return {name: value for name, value in (facts | said).items() if value is not None}


def _thumbnail(asset: Asset, thumbnail: Thumbnail) -> ThumbnailDTO:
    return ThumbnailDTO(
        size=thumbnail.size,
        mime_type=thumbnail.mime_type,
        width=thumbnail.width,
        height=thumbnail.height,
        url=f"/api/v1/assets/{asset.asset_id}/thumbnail?size={thumbnail.size}&v={media.version(thumbnail.hash)}",
    )


def _rendition(asset: Asset, rendition: Rendition) -> RenditionDTO:
    return RenditionDTO(
        kind=rendition.kind,
        mime_type=rendition.mime_type,
        bytes=rendition.bytes,
        url=f"/api/v1/assets/{asset.asset_id}/{ROUTES.get(rendition.kind, f'{asset.kind}/{rendition.kind}')}",
    )
