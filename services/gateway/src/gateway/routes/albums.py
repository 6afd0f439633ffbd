"""Albums: made, listed, changed and deleted."""

from typing import Annotated

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, Struct, structs

from common.db import Connection
from gateway import albums, cursors
from gateway.album_schemas import AlbumList, ChangeAlbum, CreateAlbum
from gateway.declared import may
from gateway.errors import NotFound
from gateway.policies import DELETE, EDIT, READ
from gateway.queries import albums as queries
from gateway.queries.albums import Album, Whose
from gateway.queries.users import User
from gateway.schemas import Envelope, Message

MOST = 100


class Cursor(Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page of albums ended."""

    album_id: int


@post("/albums", status_code=200, opt=EDIT | may(NotFound))
async def create_album(
    conn: NamedDependency[Connection], user: NamedDependency[User], data: JSONBody[CreateAlbum]
) -> Envelope[Album]:
    """An album of the caller's own, empty."""
    if data.cover_asset_id is not None:
        await albums.check_cover(conn, data.cover_asset_id, user=user.user_id)
    made = await queries.save_new(
        conn, owner=user.user_id, name=data.album_name, description=data.description, cover=data.cover_asset_id
    )
    return Envelope(data=await albums.show(conn, made, user=user.user_id))


@get("/albums", opt=READ)
async def list_albums(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    whose: FromQuery[Whose] = "mine",
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = 20,
    offset: Annotated[int, QueryParameter(ge=0, le=1_000_000)] = 0,
    after: FromQuery[str | None] = None,
) -> Envelope[AlbumList]:
    """The caller's albums, newest first; `whose=shared` lists those that others share with them, `whose=all` both."""
    below = cursors.read(after, Cursor).album_id if after else None
    ids = await queries.list_page(
        conn, user=user.user_id, whose=whose, below=below, limit=limit, offset=0 if after else offset
    )
    end = Cursor(album_id=ids[-1]) if len(ids) == limit else None
    return Envelope(
        data=AlbumList(
            albums=await queries.list_albums(conn, ids, user=user.user_id),
            total=await queries.count_albums(conn, user=user.user_id, whose=whose),
            limit=limit,
            offset=offset,
            next=cursors.write(end),
        )
    )


@get("/albums/{album_id:int}", opt=READ)
async def get_album(
    conn: NamedDependency[Connection], user: NamedDependency[User], album_id: FromPath[int]
) -> Envelope[Album]:
    """An album that the caller has part in."""
    return Envelope(data=await albums.show(conn, album_id, user=user.user_id))


@put("/albums/{album_id:int}", opt=EDIT)
async def change_album(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    album_id: FromPath[int],
    data: JSONBody[ChangeAlbum],
) -> Envelope[Album]:
    """Call one of the caller's albums something else, or give it another cover."""
    held = await albums.hold_own(conn, album_id, user=user.user_id)
    if data.cover_asset_id:
        await albums.check_cover(conn, data.cover_asset_id, user=user.user_id)
    said = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
    await queries.save_album(conn, structs.replace(held, **said))
    return Envelope(data=await albums.show(conn, album_id, user=user.user_id))


@delete("/albums/{album_id:int}", status_code=200, opt=DELETE)
async def delete_album(
    conn: NamedDependency[Connection], user: NamedDependency[User], album_id: FromPath[int]
) -> Envelope[Message]:
    """Delete one of the caller's albums and its links; the assets in it stay where they are."""
    await albums.hold_own(conn, album_id, user=user.user_id)
    await queries.forget_album(conn, album_id)
    return Envelope(data=Message(message="the album is deleted, and no asset with it"))


HANDLERS = [create_album, list_albums, get_album, change_album, delete_album]
