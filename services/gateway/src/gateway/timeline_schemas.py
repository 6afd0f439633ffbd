"""What goes over the wire of the timeline: months, days, and the pictures of one of them as columns."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.filter_schemas import AssetFilter, Type
from gateway.queries.stacks import StackKind
from gateway.queries.timeline import DayCount, MonthCount

MOST = 5000
Month = Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]


class MonthList(Struct, frozen=True, kw_only=True):
    """Every month that has pictures, the newest first, by the clocks where they were taken."""

    months: list[MonthCount]
    total: int


class DayList(Struct, frozen=True, kw_only=True):
    """Every day of a month that has pictures, the newest first, by the clocks where they were taken."""

    month: str
    days: list[DayCount]
    total: int


class Bucket(Struct, frozen=True, kw_only=True):
    """Pictures of a month or a day, the newest first: the n-th of each list is about the n-th asset.

    `ratios` are width by height, `local_times` by the clock where it was taken, `offset_minutes` east of UTC where that
    is known, `durations` in seconds. `stacks` says that others belong to it, `has_motion` that `/motion` has an answer.
    `next` asks for the page that follows, as `after`.
    """

    asset_ids: list[UUID]
    types: list[Type]
    ratios: list[float | None]
    thumbhashes: list[bytes | None]
    local_times: list[datetime]
    offset_minutes: list[int | None]
    durations: list[float | None]
    ratings: list[int | None]
    liked: list[bool]
    has_motion: list[bool]
    stacks: list[StackKind | None]
    next: str | UnsetType = UNSET


class MonthsRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which assets are to be counted."""

    filter: AssetFilter = AssetFilter()


class DaysRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which assets of a month are to be counted."""

    month: Month
    filter: AssetFilter = AssetFilter()


class BucketRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which assets of a month or a day are wanted: one of both is to be said."""

    month: Month | None = None
    day: Day | None = None
    filter: AssetFilter = AssetFilter()
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 1000
    after: str | None = None
