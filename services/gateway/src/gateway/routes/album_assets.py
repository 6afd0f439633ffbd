"""What is in an album: listed, added, moved and taken out."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET

from common.db import Connection
from gateway import album_views, albums, cursors
from gateway.album_schemas import AddAsset, AddAssets, AlbumAssetList, AlbumsOf, MoveAsset
from gateway.errors import NotFound
from gateway.policies import EDIT, READ
from gateway.queries import album_assets as queries
from gateway.queries import albums as album_queries
from gateway.queries import reach
from gateway.queries.album_assets import Cursor, Sort
from gateway.queries.users import User
from gateway.schemas import Envelope, Message

MOST = 100


@get("/albums/{album_id:int}/assets", opt=READ)
async def list_album_assets(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    album_id: FromPath[int],
    sort: FromQuery[Sort] = "position",
    sort_order: FromQuery[Literal["asc", "desc"]] = "asc",
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = MOST,
    offset: Annotated[int, QueryParameter(ge=0, le=1_000_000)] = 0,
    after: FromQuery[str | None] = None,
) -> Envelope[AlbumAssetList]:
    """What an album shows, in its own order or by the time something was taken or added."""
    await albums.part(conn, album_id, user=user.user_id)
    place = cursors.read(after, Cursor) if after else None
    first = place.place + 1 if place else offset
    found = await queries.list_page(
        conn,
        album_id,
        sort=sort,
        is_descending=sort_order == "desc",
        after=place,
        limit=limit,
        offset=0 if place else offset,
    )
    shown = await album_views.entries(conn, found, user=user.user_id, first=first)
    return Envelope(
        data=AlbumAssetList(
            album_id=album_id,
            assets=shown,
            count=len(shown),
            total=UNSET if place else await queries.count_assets(conn, album_id),
            limit=limit,
            offset=first,
            next=cursors.write(queries.end(found, first=first, limit=limit)),
        )
    )


@post("/albums/{album_id:int}/assets", status_code=200, opt=EDIT)
async def add_assets(
    conn: NamedDependency[Connection], user: NamedDependency[User], album_id: FromPath[int], data: JSONBody[AddAssets]
) -> Envelope[Message]:
    """Put up to 10,000 assets of the caller's own into an album, in their order: all, or none if one is unknown."""
    await albums.add(conn, album_id, data.asset_ids, user=user.user_id, place=data.position)
    return Envelope(data=Message(message="the assets are in the album"))


@post("/albums/{album_id:int}/assets/{asset_id:uuid}", status_code=200, opt=EDIT)
async def add_asset(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    album_id: FromPath[int],
    asset_id: FromPath[UUID],
    data: JSONBody[AddAsset | None] = None,
) -> Envelope[Message]:
    """Put an asset of the caller's own into an album; one that is in it stays where it is. The body may be left out."""
    place = data.position if data else None
    await albums.add(conn, album_id, [asset_id], user=user.user_id, place=place)
    return Envelope(data=Message(message="the asset is in the album"))


@post("/assets/{asset_id:uuid}/albums/{album_id:int}", status_code=200, opt=EDIT)
async def add_to_album(
    conn: NamedDependency[Connection], user: NamedDependency[User], asset_id: FromPath[UUID], album_id: FromPath[int]
) -> Envelope[Message]:
    """The same from the side of the asset: it goes to the end of the album."""
    await albums.add(conn, album_id, [asset_id], user=user.user_id)
    return Envelope(data=Message(message="the asset is in the album"))


@put("/albums/{album_id:int}/assets/{asset_id:uuid}/position", opt=EDIT)
async def move_asset(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    album_id: FromPath[int],
    asset_id: FromPath[UUID],
    data: JSONBody[MoveAsset],
) -> Envelope[Message]:
    """Let an asset stand at this place of one of the caller's albums, the first being 0; the others close up."""
    await albums.move(conn, album_id, asset_id, user=user.user_id, place=data.position)
    return Envelope(data=Message(message="the asset has its place"))


@delete("/albums/{album_id:int}/assets/{asset_id:uuid}", status_code=200, opt=EDIT)
async def remove_asset(
    conn: NamedDependency[Connection], user: NamedDependency[User], album_id: FromPath[int], asset_id: FromPath[UUID]
) -> Envelope[Message]:
    """Take an asset out of an album; editors take out their own, the owner of the album any."""
    await albums.remove(conn, album_id, asset_id, user=user.user_id)
    return Envelope(data=Message(message="the asset is not in the album"))


@get("/assets/{asset_id:uuid}/albums", opt=READ)
async def list_albums_of(
    conn: NamedDependency[Connection], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> Envelope[AlbumsOf]:
    """The albums that an asset is in, of those that the caller has part in; newest first."""
    if await reach.find_owner(conn, asset_id, user.user_id) is None:
        raise NotFound(f"no asset {asset_id}")
    memberships = await queries.list_memberships(conn, asset_id, user=user.user_id)
    found = await album_queries.list_albums(conn, [one.album_id for one in memberships], user=user.user_id)
    shown = [album_views.album_of(album, one) for album, one in zip(found, memberships, strict=True)]
    return Envelope(data=AlbumsOf(asset_id=asset_id, albums=shown, count=len(shown)))


HANDLERS = [list_album_assets, add_assets, add_asset, add_to_album, move_asset, remove_asset, list_albums_of]
