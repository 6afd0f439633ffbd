"""Rows as clients see them."""

import base64
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from gateway.errors import Invalid
from gateway.queries.assets import Asset, Cursor, StageState, Thumbnail
from gateway.schemas import AssetDetail, AssetDTO, AssetList, State, ThumbnailDTO, Type

TYPES: dict[str, Type] = {"photo": "PHOTO", "video": "VIDEO", "audio": "AUDIO"}


def page(found: list[Asset], *, limit: int, offset: int) -> AssetList:
    """A page, with the way to the page after it if there may be one."""
    following = write_cursor(found[-1]) if len(found) == limit else msgspec.UNSET
    return AssetList(assets=[AssetDTO(**_fields(asset)) for asset in found], limit=limit, offset=offset, next=following)


def detail(asset: Asset, thumbnails: list[Thumbnail], stages: list[StageState]) -> AssetDetail:
    """An asset with everything that is known of it."""
    return AssetDetail(
        **_fields(asset), thumbnails=[_thumbnail(asset, thumbnail) for thumbnail in thumbnails], stages=stages
    )


def write_cursor(asset: Asset) -> str:
    """Where a page ended, in a form that says nothing to clients."""
    place = Cursor(sort_at=asset.sort_at, asset_id=asset.asset_id)
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def read_cursor(text: str) -> Cursor:
    """A cursor that came back; Invalid for anything else."""
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(text), type=Cursor)
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise Invalid("`after` is not the `next` of a page") from None
    if place.sort_at.tzinfo is not None:
        raise Invalid("`after` is not the `next` of a page")
    return place


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
        "taken_time": _taken(asset.taken_at, asset.taken_offset_minutes),
        "is_deleted": asset.trashed_at is not None,
        "deleted_at": asset.trashed_at,
        "thumbhash": asset.thumbhash,
        "specific_metadata": asset.facts | asset.edits,
    }


def _status(asset: Asset) -> State:
    if asset.has_failed:
        return "failed"
    return "complete" if asset.is_complete else "processing"


def _taken(local: datetime | None, offset_minutes: int | None) -> datetime | None:
    """The time on the clock where it was taken, with its offset where the file knows it."""
    if local is None or offset_minutes is None:
        return local
    return local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))


def _thumbnail(asset: Asset, thumbnail: Thumbnail) -> ThumbnailDTO:
    return ThumbnailDTO(
        size=thumbnail.size,
        mime_type=thumbnail.mime_type,
        width=thumbnail.width,
        height=thumbnail.height,
        url=f"/api/v1/assets/{asset.asset_id}/thumbnail?size={thumbnail.size}",
    )
