"""What goes over the wire about the trash."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.asset_schemas import AssetDTO

MOST = 10_000
Ids = Annotated[list[UUID], Meta(min_length=1, max_length=MOST)]


class TrashedDTO(Struct, frozen=True, kw_only=True):
    """An asset in the trash, why it is there, and when it goes for good by itself; null is never.

    `is_going` says that it is to be purged as soon as possible, `trouble` why that could not be done so far.
    """

    asset: AssetDTO
    trashed_at: datetime
    reason: str | None
    purged_after: datetime | None
    is_going: bool
    trouble: str | None


class TrashList(Struct, frozen=True, kw_only=True):
    """A page of the trash, and how much lies in all of it; `next` asks for the page that follows, as `after`."""

    assets: list[TrashedDTO]
    count: int
    bytes: int
    next: str | UnsetType = UNSET


class TrashChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the trash is meant: some assets, or all that lie there."""

    asset_ids: Ids | None = None
    all: bool = False


class PurgeRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to go for good. `only_count` does nothing but say how much that is; `confirm` is what its answer gave."""

    asset_ids: Ids | None = None
    all: bool = False
    only_count: bool = False
    confirm: Annotated[str, Meta(max_length=200)] | None = None


class TrashRestored(Struct, frozen=True, kw_only=True):
    """How many assets are back, and which cannot be taken back any more, a hundred of them at most."""

    count: int
    message: str
    going: list[UUID]


class TrashPurged(Struct, frozen=True, kw_only=True):
    """How many assets go for good and how many bytes that frees; with `only_count` the token that confirms it."""

    count: int
    bytes: int
    message: str
    confirm: str | UnsetType = UNSET
