"""What goes over the wire about the same picture that is there twice."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.asset_schemas import AssetDTO

Alike = Literal["near", "exact"]
Several = Annotated[list[UUID], Meta(min_length=2, max_length=100)]
Others = Annotated[list[UUID], Meta(min_length=1, max_length=99)]


class MergeRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which asset stays, and which others go into the trash."""

    keep: UUID
    others: Others


class DismissRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Assets that only look alike, or were said to."""

    asset_ids: Several


class PathDTO(Struct, frozen=True, kw_only=True):
    """Where the same bytes lie."""

    repository_id: UUID
    path: str


class DuplicatesDTO(Struct, frozen=True, kw_only=True):
    """Assets that look alike, the best one first; or one asset that lies at several paths, which are its `files`.

    `has_more` says that there are more like these than a group shows.
    """

    kind: Alike
    best_asset_id: UUID
    assets: list[AssetDTO]
    has_more: bool = False
    files: list[PathDTO] | UnsetType = UNSET


class DuplicatesList(Struct, frozen=True, kw_only=True):
    """A page of groups; `next` asks for the page that follows, as `after`."""

    groups: list[DuplicatesDTO]
    limit: int
    next: UUID | UnsetType = UNSET


class MergedDTO(Struct, frozen=True, kw_only=True):
    """The asset that stays, and how many others lie in the trash because of it."""

    asset_id: UUID
    trashed: int
    message: str
