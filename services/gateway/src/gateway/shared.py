"""What visitors of a share see: the pictures of one album by addresses of their own, and what the link allows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.db import Connection
from gateway import album_views, cursors, signing, views
from gateway.addresses import Signer
from gateway.errors import NotFound
from gateway.queries import album_assets, signed
from gateway.queries import shared as queries
from gateway.queries.album_assets import Cursor, Entry
from gateway.queries.assets import Asset
from gateway.queries.shares import Opened
from gateway.share_schemas import Location, SharedAlbum, SharedAsset, SharedAssetList
from gateway.variants import Variant

PICTURES: tuple[Variant, ...] = ("small", "medium", "large")
OTHERS: dict[str, Variant] = {"motion": "motion", "preview": "preview", "waveform": "waveform"}


@dataclass(frozen=True)
class Known:
    """The assets of a page, with all that may be said of them and the addresses of all their variants."""

    assets: dict[UUID, Asset]
    urls: dict[UUID, dict[Variant, str]]
    silent: set[UUID]
    """What says nothing of where it was taken: its bytes were read, and hold no place."""
    remade: set[UUID]


async def head(conn: Connection, opened: Opened) -> SharedAlbum:
    """The album that a link leads to."""
    return SharedAlbum(
        album_name=opened.album_name,
        description=opened.description,
        asset_count=await album_assets.count_assets(conn, opened.album_id),
        allow_download=opened.allow_download,
        show_location=opened.show_location,
        expires_at=opened.expires_at,
    )


async def page(conn: Connection, signer: Signer, opened: Opened, *, after: str | None, limit: int) -> SharedAssetList:
    """What the album shows after the page before, in the album's own order."""
    place = cursors.read(after, Cursor) if after else None
    found = await album_assets.list_page(
        conn, opened.album_id, sort="position", is_descending=False, after=place, limit=limit, offset=0
    )
    return SharedAssetList(
        assets=await _show(conn, signer, opened, found),
        total=await album_assets.count_assets(conn, opened.album_id),
        limit=limit,
        next=cursors.write(album_assets.end(found, first=place.place + 1 if place else 0, limit=limit)),
    )


async def one(conn: Connection, signer: Signer, opened: Opened, asset_id: UUID) -> SharedAsset:
    """One asset of the album; any other does not exist for visitors of this link."""
    found = await queries.find_entry(conn, opened.album_id, asset_id)
    shown = await _show(conn, signer, opened, [found] if found else [])
    if not shown:
        raise NotFound(f"no asset {asset_id} in this album")
    return shown[0]


async def _show(conn: Connection, signer: Signer, opened: Opened, found: Sequence[Entry]) -> list[SharedAsset]:
    known = await _learn(conn, signer, opened, found)
    return [_view(known, opened, entry.asset_id) for entry in found if entry.asset_id in known.assets]


async def _learn(conn: Connection, signer: Signer, opened: Opened, found: Sequence[Entry]) -> Known:
    """Addresses are signed for all that there could be; which of them are told is decided asset by asset."""
    ids = [entry.asset_id for entry in found]
    signable = await signed.list_signable(conn, ids, user=opened.owner_id)
    every: list[Variant] = [*PICTURES, *OTHERS.values(), "video", "audio", "original"]
    until = signing.expiry(opened.now)
    assets = await album_views.assets_of(conn, found)
    played = [*ids, *(asset.live_video_id for asset in assets.values() if asset.live_video_id)]
    return Known(
        assets=assets,
        urls=signer.urls(signable, every, who=signing.share(opened.share_id), until=until),
        silent=await queries.list_silent(conn, played),
        remade=await queries.list_remade(conn, played),
    )


def _view(known: Known, opened: Opened, asset_id: UUID) -> SharedAsset:
    asset = known.assets[asset_id]
    card = views.card(asset)
    urls = known.urls.get(asset_id, {})
    allowed = set(_allowed(asset, opened, known))
    return SharedAsset(
        asset_id=asset_id,
        type=card.type,
        original_filename=card.original_filename,
        mime_type=card.mime_type,
        width=card.width,
        height=card.height,
        duration=card.duration,
        taken_time=card.taken_time,
        thumbhash=card.thumbhash,
        location=_location(card.specific_metadata) if opened.show_location else None,
        urls={variant: url for variant, url in urls.items() if variant in allowed},
    )


def _allowed(asset: Asset, opened: Opened, known: Known) -> Iterator[Variant]:
    """Which variants visitors may fetch; what was not made by the server may tell where it was taken."""
    yield from PICTURES
    may_tell = opened.allow_download or opened.show_location
    harmless = known.silent | known.remade
    if asset.beside in {"preview", "waveform"}:
        yield OTHERS[asset.beside]
    if _moves(asset) and (may_tell or _moves(asset) in harmless):
        yield "motion"
    if asset.kind in {"video", "audio"} and (may_tell or asset.asset_id in harmless):
        yield "video" if asset.kind == "video" else "audio"
    if opened.allow_download:
        yield "original"


def _moves(asset: Asset) -> UUID | None:
    """Whose bytes are shown as what moves in a photo: its own, or those of the video that belongs to it."""
    return asset.asset_id if asset.beside == "motion" else asset.live_video_id


def _location(said: dict[str, Any]) -> Location:
    return Location(
        latitude=said.get("gps_latitude"),
        longitude=said.get("gps_longitude"),
        country=said.get("country"),
        city=said.get("city"),
    )
