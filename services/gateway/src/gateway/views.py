"""Rows as clients see them."""

from datetime import datetime, timedelta, timezone
from typing import Any

from gateway import cursors, stacks
from gateway.queries.assets import Asset, Cursor, Rendition, StageState, Thumbnail
from gateway.queries.stacks import Member
from gateway.schemas import AssetDetail, AssetDTO, AssetList, RenditionDTO, State, ThumbnailDTO, Type

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


def page(found: list[Asset], *, limit: int, offset: int) -> AssetList:
    """A page, with the way to the page after it if there may be one."""
    end = Cursor(sort_at=found[-1].sort_at, asset_id=found[-1].asset_id) if len(found) == limit else None
    assets = [AssetDTO(**_fields(asset)) for asset in found]
    return AssetList(assets=assets, limit=limit, offset=offset, next=cursors.write(end))


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
        "is_deleted": asset.trashed_at is not None,
        "deleted_at": asset.trashed_at,
        "thumbhash": asset.thumbhash,
        "live_video_id": asset.live_video_id,
        "has_motion": asset.beside == "motion" or asset.live_video_id is not None,
        "has_preview": asset.beside == "preview",
        "has_waveform": asset.beside == "waveform",
        "specific_metadata": _specific(asset),
    }


def _status(asset: Asset) -> State:
    """All may be done and the original be gone since: that is nothing to be called complete."""
    if asset.has_failed or (asset.is_complete and asset.path is None):
        return "failed"
    return "complete" if asset.is_complete else "processing"


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
        url=f"/api/v1/assets/{asset.asset_id}/thumbnail?size={thumbnail.size}",
    )


def _rendition(asset: Asset, rendition: Rendition) -> RenditionDTO:
    return RenditionDTO(
        kind=rendition.kind,
        mime_type=rendition.mime_type,
        bytes=rendition.bytes,
        url=f"/api/v1/assets/{asset.asset_id}/{ROUTES.get(rendition.kind, f'{asset.kind}/{rendition.kind}')}",
    )
