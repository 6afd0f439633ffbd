"""What goes over the wire about assets that people put together."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

Members = Annotated[list[UUID], Meta(min_length=2, max_length=1000)]


class StackRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Assets in their order, and which of them stands for all; without one the first does."""

    asset_ids: Members
    cover_asset_id: UUID | None = None


class CoverRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which asset of a stack stands for all."""

    cover_asset_id: UUID


class PutTogetherDTO(Struct, frozen=True, kw_only=True):
    """Assets that somebody put together, without what is in the trash; the cover comes first."""

    stack_id: int
    cover_asset_id: UUID
    asset_ids: list[UUID]
    created_at: datetime


class StackList(Struct, frozen=True, kw_only=True):
    """A page of stacks, the newest first; `next` asks for the page that follows, as `after`."""

    stacks: list[PutTogetherDTO]
    limit: int
    next: int | UnsetType = UNSET
