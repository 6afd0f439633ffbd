"""Lists of an owner's photos, videos and audio: all, filtered, liked, and by their stars."""

from dataclasses import replace
from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import ValidationError, convert

from common.db import Connection
from gateway import lists
from gateway.asset_schemas import AssetList
from gateway.declared import may
from gateway.errors import Invalid, Unusable
from gateway.filter_schemas import AssetFilter, Type
from gateway.list_schemas import Direction, FilterOptions, FilterRequest, SearchAnswer, SearchRequest
from gateway.paging import Limit
from gateway.policies import READ
from gateway.queries.users import User
from gateway.queries.walks import Sort
from gateway.reading import MAY_LAG, Connect
from gateway.schemas import Envelope
from gateway.search import Search

Offset = Annotated[int, QueryParameter(ge=0, le=1_000_000)]


@get("/assets", opt=READ)
async def list_assets(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    only: Annotated[str | None, QueryParameter(name="type")] = None,
    types: FromQuery[str | None] = None,
    owner_id: FromQuery[int | None] = None,
    limit: Limit = 20,
    offset: Offset = 0,
    sort_by: FromQuery[Sort] = "taken",
    sort_order: FromQuery[Direction] = "desc",
    after: FromQuery[str | None] = None,
) -> Envelope[AssetList]:
    """The caller's own assets by the time they were taken; `after` takes the `next` of the page before."""
    asked = FilterRequest(
        filter=AssetFilter(types=_types(only or types), owner_id=owner_id),
        limit=limit,
        offset=offset,
        after=after,
        sort_by=sort_by,
        sort_order=sort_order,
    )
    return Envelope(data=await lists.answer(conn, asked, owner=user.user_id))


@post("/assets/filter", status_code=200, opt=READ)
async def filter_assets(
    conn: NamedDependency[Connection], user: NamedDependency[User], data: JSONBody[FilterRequest]
) -> Envelope[AssetList]:
    """Those of the caller's assets for which all holds that the filter says."""
    return Envelope(data=await lists.answer(conn, data, owner=user.user_id))


@post("/assets/search", status_code=200, opt=READ | MAY_LAG | may(Unusable))
async def search_assets(
    search: NamedDependency[Search],
    connect: NamedDependency[Connect],
    user: NamedDependency[User],
    data: JSONBody[SearchRequest],
) -> Envelope[SearchAnswer]:
    """Those of the caller's assets that the query means and for which all holds that the filter says."""
    return Envelope(data=await replace(search, connect=connect).find(data, owner=user.user_id))


@get("/assets/filter-options", opt=READ | MAY_LAG)
async def list_filter_options(
    conn: NamedDependency[Connection], user: NamedDependency[User]
) -> Envelope[FilterOptions]:
    """What there is to choose by among the caller's assets."""
    return Envelope(data=await lists.options(conn, owner=user.user_id))


@get("/assets/rating/{rating:int}", opt=READ)
async def list_rated(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    rating: FromPath[int],
    limit: Limit = 20,
    offset: Offset = 0,
    after: FromQuery[str | None] = None,
) -> Envelope[AssetList]:
    """The caller's assets with so many stars; 0 are none."""
    if rating not in range(6):
        raise Invalid("a rating is 0 to 5 stars")
    asked = FilterRequest(filter=AssetFilter(rating=rating), limit=limit, offset=offset, after=after)
    return Envelope(data=await lists.answer(conn, asked, owner=user.user_id))


@get("/assets/liked", opt=READ)
async def list_liked(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    limit: Limit = 20,
    offset: Offset = 0,
    after: FromQuery[str | None] = None,
) -> Envelope[AssetList]:
    """The caller's assets that they like."""
    asked = FilterRequest(filter=AssetFilter(liked=True), limit=limit, offset=offset, after=after)
    return Envelope(data=await lists.answer(conn, asked, owner=user.user_id))


def _types(named: str | None) -> list[Type] | None:
    if not named:
        return None
    try:
        return [convert(name.strip().upper(), Type) for name in named.split(",")]
    except ValidationError:
        raise Invalid("`type` and `types` name PHOTO, VIDEO or AUDIO") from None


HANDLERS = [list_assets, filter_assets, search_assets, list_filter_options, list_rated, list_liked]
