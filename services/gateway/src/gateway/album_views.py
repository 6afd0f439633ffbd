"""Albums and what is in them as clients see them, and assets as they are shown to others than their owner."""

from collections.abc import Container, Iterable, Iterator
from typing import TypeVar
from uuid import UUID

from msgspec import structs

from common.db import Connection
from gateway import views
from gateway.album_schemas import AlbumAsset, AlbumOf
from gateway.asset_schemas import AssetDetail, AssetDTO, StackDTO
from gateway.queries import assets
from gateway.queries.album_assets import Entry, Membership
from gateway.queries.albums import Album
from gateway.queries.assets import Asset

Shown = TypeVar("Shown", bound=AssetDTO)


def hidden(shown: Shown) -> Shown:
    """An asset as others see it: not where its file lies, and no other asset that they may not see."""
    return structs.replace(shown, repository_id=None, storage_path="", live_video_id=None)


def detail_for_others(shown: AssetDetail, seen: Container[UUID]) -> AssetDetail:
    """All of an asset that others see: not how the server gets on with it, and of its stacks only what they may see."""
    return structs.replace(hidden(shown), stages=[], web_policy=None, stacks=list(_seen(shown.stacks, seen)))


def _seen(stacks: list[StackDTO], seen: Container[UUID]) -> Iterator[StackDTO]:
    """Those stacks of which more than one asset may be seen."""
    for stack in stacks:
        members = [one for one in stack.members if one.asset_id in seen]
        cover = stack.cover_asset_id
        if len(members) > 1:
            yield structs.replace(
                stack, members=members, cover_asset_id=cover if cover in seen else members[0].asset_id
            )


async def entries(conn: Connection, found: list[Entry], *, user: int, first: int) -> list[AlbumAsset]:
    """The assets of a page, of which the first stands at this place of the list."""
    known = await assets_of(conn, found)
    return [
        _entry(entry, known[entry.asset_id], place, is_own=entry.owner_id == user)
        for place, entry in enumerate(found, first)
        if entry.asset_id in known
    ]


async def assets_of(conn: Connection, found: Iterable[Entry]) -> dict[UUID, Asset]:
    """All that is known of the assets of a page, asked for owner by owner."""
    owners: dict[int, list[UUID]] = {}
    for entry in found:
        owners.setdefault(entry.owner_id, []).append(entry.asset_id)
    return {
        asset.asset_id: asset
        for owner, ids in owners.items()
        for asset in await assets.list_assets(conn, ids, owner=owner)
    }


def album_of(album: Album, membership: Membership) -> AlbumOf:
    """An album with the place that an asset has in it."""
    return AlbumOf(**structs.asdict(album), position=membership.position, added_time=membership.added_at)


def _entry(entry: Entry, asset: Asset, place: int, *, is_own: bool) -> AlbumAsset:
    card = views.card(asset) if is_own else hidden(views.card(asset))
    return AlbumAsset(**structs.asdict(card), position=place, added_time=entry.added_at, added_by=entry.added_by)
