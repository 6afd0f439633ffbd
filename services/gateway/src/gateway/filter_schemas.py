"""Which assets are meant: one filter for lists, search, the timeline, the map, bulk work and downloads."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from gateway.queries.stacks import StackKind

Type = Literal["PHOTO", "VIDEO", "AUDIO"]
Said = Annotated[str, Meta(min_length=1, max_length=200)]
Stars = Annotated[int, Meta(ge=0, le=5)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Places = Annotated[list[Said], Meta(max_length=100)]
Ids = Annotated[list[UUID], Meta(max_length=10_000)]


class FileName(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the name of the file reads; upper and lower case are the same."""

    value: Said
    mode: Literal["contains", "matches", "startswith", "endswith"] = "contains"


class Moments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From a moment on, before another one; with a zone."""

    start: Annotated[datetime, Meta(tz=True)] | None = field(name="from", default=None)
    end: Annotated[datetime, Meta(tz=True)] | None = field(name="to", default=None)


class WallTimes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From a time on, before another one, by the clock where it was taken; without a zone."""

    start: Annotated[datetime, Meta(tz=False)] | None = field(name="from", default=None)
    end: Annotated[datetime, Meta(tz=False)] | None = field(name="to", default=None)


class Numbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From a number to another one, both among them."""

    start: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = field(name="from", default=None)
    end: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = field(name="to", default=None)


class Box(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the map in degrees; one whose west is east of its east lies across the date line."""

    west: Longitude
    south: Latitude
    east: Longitude
    north: Latitude


class Whereabouts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """In any of these countries, regions or cities, as `filter-options` writes them."""

    countries: Places = []
    regions: Places = []
    cities: Places = []


class StageIs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a kind of work is; without `stage` any kind."""

    state: Literal["blocked", "pending", "running", "done", "failed"]
    stage: Annotated[str, Meta(max_length=50)] | None = None


class AssetFilter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is said holds of an asset; what is not known is refused, for it would leave out nothing.

    `date` is the time of the upload, `taken` that of the picture. `rating` 0 means none. `tag` and `folder` mean all
    that is below them too; a folder is one of the repository that is named with it. `taken_in` is any of several times,
    and of `located_in` all has to hold. Without a word about them, what is in the trash or in the archive is left out.
    """

    repository_id: UUID | None = None
    owner_id: int | None = None
    ids: Ids | None = None
    type: Type | None = None
    types: Annotated[list[Type], Meta(max_length=3)] | None = None
    raw: bool | None = None
    filename: FileName | None = None
    date: Moments | None = None
    taken: WallTimes | None = None
    taken_in: Annotated[list[WallTimes], Meta(max_length=200)] | None = None
    rating: Stars | None = None
    rating_range: Numbers | None = None
    liked: bool | None = None
    camera_make: Said | None = None
    camera: Said | None = None
    lens: Said | None = None
    iso: Numbers | None = None
    country: Said | None = None
    region: Said | None = None
    city: Said | None = None
    located_in: Annotated[list[Whereabouts], Meta(max_length=8)] | None = None
    has_gps: bool | None = None
    bbox: Box | None = None
    tag: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    untagged: bool | None = None
    label: Said | None = None
    album_id: int | None = None
    stack: StackKind | None = None
    folder: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None
    stage_state: StageIs | None = None
    trashed: bool = False
    archived: Literal["no", "only", "any"] = "no"

    def __post_init__(self) -> None:
        if self.folder is not None and self.repository_id is None:
            raise ValueError("a `folder` is one of a repository: say `repository_id` as well")
