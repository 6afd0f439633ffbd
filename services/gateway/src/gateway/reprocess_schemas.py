"""What goes over the wire about processing assets again."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.filter_schemas import Type
from gateway.queries.reprocess import Scope


class ReprocessFilter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which assets are meant; a span begins with `from` and ends before `to`, taken times are without a zone."""

    repository_id: UUID | None = None
    type: Type | None = None
    mime_types: Annotated[list[str], Meta(max_length=100)] | None = None
    taken_from: Annotated[datetime, Meta(tz=False)] | None = None
    taken_to: Annotated[datetime, Meta(tz=False)] | None = None
    uploaded_from: Annotated[datetime, Meta(tz=True)] | None = None
    uploaded_to: Annotated[datetime, Meta(tz=True)] | None = None
    ids: Annotated[list[UUID], Meta(max_length=10_000)] | None = None


class ReprocessRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be processed again; a filter that we do not know is refused, for it would leave out nothing."""

    scope: Scope
    filter: ReprocessFilter = ReprocessFilter()
    after: UUID | None = None


class Reprocessed(Struct, frozen=True, kw_only=True):
    """Where the processing of an asset stands now."""

    asset_id: UUID
    state: str
    message: str


class Reprocessing(Struct, frozen=True, kw_only=True):
    """How many assets are processed again that were not to be; `next` is there when there are more."""

    queued: int
    message: str
    next: UUID | UnsetType = UNSET
