"""A library by place: clusters of pictures on a map, and those of a part of it one by one."""

from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter
from msgspec import ValidationError, json

from common.db import Connection
from gateway import cursors, map_squares
from gateway.declared import may
from gateway.errors import Invalid, Unusable
from gateway.filter_schemas import Box
from gateway.place_schemas import (
    MOST_CLUSTERS,
    MOST_POINTS,
    MOST_ZOOM,
    WORLD,
    ClusterList,
    ClustersRequest,
    Point,
    PointList,
)
from gateway.policies import READ
from gateway.queries import places as queries
from gateway.queries.places import Cluster, Cursor, Place
from gateway.queries.users import User
from gateway.reading import MAY_LAG
from gateway.schemas import Envelope
from gateway.timeline import within_time

FEW_SQUARES = 16


@get("/map/clusters", opt=READ | MAY_LAG | may(Unusable))
async def list_clusters(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    zoom: Annotated[int, QueryParameter(ge=0, le=MOST_ZOOM)],
    bbox: FromQuery[str | None] = None,
) -> Envelope[ClusterList]:
    """The caller's pictures on a part of the map, clustered; `bbox` is `west,south,east,north` in degrees."""
    async with within_time(conn):
        wanted = map_squares.cover(_box(bbox), zoom=zoom, most=MOST_CLUSTERS)
        found = await queries.list_clusters(conn, wanted, owner=user.user_id)
    return Envelope(data=_clusters(found))


@post("/map/clusters", status_code=200, opt=READ | MAY_LAG | may(Unusable))
async def find_clusters(
    conn: NamedDependency[Connection], user: NamedDependency[User], data: JSONBody[ClustersRequest]
) -> Envelope[ClusterList]:
    """The caller's pictures that a filter wants on a part of the map, clustered."""
    async with within_time(conn):
        wanted = map_squares.cover(data.bbox, zoom=data.zoom, most=MOST_CLUSTERS)
        found = await queries.count_clusters(conn, data.filter, wanted, owner=user.user_id)
    return Envelope(data=_clusters(found))


@get("/map/points", opt=READ | MAY_LAG)
async def list_points(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    bbox: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST_POINTS)] = 100,
    after: FromQuery[str | None] = None,
) -> Envelope[PointList]:
    """The caller's pictures of a part of the map one by one; `bbox` is `west,south,east,north` in degrees."""
    box = _box(bbox)
    found = await queries.list_places(
        conn,
        box,
        map_squares.cover(box, most=FEW_SQUARES),
        owner=user.user_id,
        after=None if after is None else cursors.read(after, Cursor),
        limit=limit,
    )
    return Envelope(data=_points(found, limit=limit))


def _box(corners: str | None) -> Box:
    if corners is None:
        return WORLD
    try:
        west, south, east, north = (float(corner) for corner in corners.split(","))
        return json.decode(json.encode(Box(west=west, south=south, east=east, north=north)), type=Box)
    except (ValueError, ValidationError):
        raise Invalid("`bbox` is `west,south,east,north` in degrees") from None


def _clusters(found: list[Cluster]) -> ClusterList:
    return ClusterList(clusters=found, total=sum(cluster.count for cluster in found))


def _points(found: list[Place], *, limit: int) -> PointList:
    """A page, with the way to the page after it if there may be one."""
    points = [Point(asset_id=place.asset_id, latitude=place.latitude, longitude=place.longitude) for place in found]
    end = Cursor(cell=found[-1].cell, asset_id=found[-1].asset_id) if len(found) == limit else None
    return PointList(points=points, limit=limit, next=cursors.write(end))


HANDLERS = [list_clusters, find_clusters, list_points]
