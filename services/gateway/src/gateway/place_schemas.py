"""What goes over the wire of the map: heaps of pictures, and single ones."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.filter_schemas import AssetFilter, Box
from gateway.queries.places import Cluster

MOST_CLUSTERS = 2000
MOST_POINTS = 1000
MOST_ZOOM = 22
WORLD = Box(west=-180, south=-90, east=180, north=90)


class ClusterList(Struct, frozen=True, kw_only=True):
    """A cluster for each square of the map that the box touches: 2,000 at most, so coarse ones where more were wanted.

    `total` is how many pictures they have together.
    """

    clusters: list[Cluster]
    total: int


class ClustersRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which assets are wanted, on what part of the map."""

    zoom: Annotated[int, Meta(ge=0, le=MOST_ZOOM)]
    bbox: Box = WORLD
    filter: AssetFilter = AssetFilter()


class Point(Struct, frozen=True, kw_only=True):
    """A picture and where it was taken."""

    asset_id: UUID
    latitude: float
    longitude: float


class PointList(Struct, frozen=True, kw_only=True):
    """A page of pictures; neighbours are close to each other. `next` asks for the page that follows, as `after`."""

    points: list[Point]
    limit: int
    next: str | UnsetType = UNSET
