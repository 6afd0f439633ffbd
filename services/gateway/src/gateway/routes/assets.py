"""An owner's photos, videos and audio, as lists and one by one."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from common.db import Connection
from common.messages import Kind
from gateway import cursors, views
from gateway.errors import Invalid, NotFound
from gateway.queries import assets as queries
from gateway.queries import stacks
from gateway.queries.assets import FIRST, LAST, Cursor
from gateway.queries.users import User
from gateway.schemas import AssetDetail, AssetList, AssetTypes, Envelope

KINDS: dict[str, Kind] = {"PHOTO": "photo", "VIDEO": "video", "AUDIO": "audio"}
MOST = 100


@get("/assets")
async def list_assets(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    only: Annotated[str | None, QueryParameter(name="type")] = None,
    types: FromQuery[str | None] = None,
    owner_id: FromQuery[int | None] = None,
    limit: Annotated[int, QueryParameter(ge=1)] = 20,
    offset: Annotated[int, QueryParameter(ge=0, le=1_000_000)] = 0,
    sort_order: FromQuery[Literal["asc", "desc"]] = "desc",
    after: FromQuery[str | None] = None,
) -> Envelope[AssetList]:
    """The caller's own assets by the time they were taken; `after` takes the `next` of the page before."""
    limit, kinds = min(limit, MOST), _kinds(only or types)
    if owner_id not in {None, user.user_id}:
        return Envelope(data=AssetList(assets=[], limit=limit, offset=offset))
    ask, start = (queries.newest, LAST) if sort_order == "desc" else (queries.oldest, FIRST)
    cursor = start if after is None else cursors.read(after, Cursor)
    ids = await ask(conn, owner=user.user_id, kinds=kinds, after=cursor, limit=limit, offset=offset)
    found = await queries.list_assets(conn, ids, owner=user.user_id)
    return Envelope(data=views.page(found, limit=limit, offset=offset))


@get("/assets/types")
async def list_types() -> Envelope[AssetTypes]:
    """What an asset can be."""
    return Envelope(data=AssetTypes(types=["PHOTO", "VIDEO", "AUDIO"]))


@get("/assets/{asset_id:uuid}")
async def get_asset(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    asset_id: FromPath[UUID],
    include_thumbnails: FromQuery[str] = "true",
) -> Envelope[AssetDetail]:
    """One of the caller's assets, with its thumbnails and how far its processing is."""
    with_thumbnails = include_thumbnails == "true"
    return Envelope(data=await show(conn, asset_id, owner=user.user_id, with_thumbnails=with_thumbnails))


async def show(conn: Connection, asset_id: UUID, *, owner: int, with_thumbnails: bool = True) -> AssetDetail:
    """All that is known of one of the owner's assets."""
    found = await queries.list_assets(conn, [asset_id], owner=owner)
    if not found:
        raise NotFound(f"no asset {asset_id}")
    thumbnails = await queries.list_thumbnails(conn, asset_id) if with_thumbnails else []
    renditions = await queries.list_renditions(conn, asset_id)
    stages = await queries.list_stages(conn, asset_id)
    members = await stacks.list_members(conn, asset_id, owner=owner)
    return views.detail(found[0], thumbnails, renditions, stages, members)


def _kinds(types: str | None) -> list[Kind]:
    if not types:
        return list(KINDS.values())
    try:
        return [KINDS[name.strip().upper()] for name in types.split(",")]
    except KeyError:
        raise Invalid("`type` and `types` name PHOTO, VIDEO or AUDIO") from None
