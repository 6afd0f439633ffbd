"""What goes over the wire of repositories: requests and answers."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from common.marker import LocalSettings, Strategy
from common.rendering import Rendering
from common.roots import Validation

Username = Annotated[str, Meta(min_length=3, max_length=50)]


class CreateRepository(Struct, frozen=True, kw_only=True):
    """The path is absolute, as this machine sees it; what is found there becomes assets of `owner`, or the caller's."""

    name: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")]
    path: Annotated[str, Meta(min_length=2, max_length=4096)]
    storage_strategy: Strategy = "date"
    local_settings: LocalSettings = field(default_factory=LocalSettings)
    rendering: Rendering = field(default_factory=Rendering)
    owner: Username | UnsetType = UNSET


class OwnerRequest(Struct, frozen=True, kw_only=True):
    owner: Username


class RepositoryDTO(Struct, frozen=True, kw_only=True):
    """A tree of originals; `reason` says why it is offline, and its settings are not known then.

    `warnings` say what of its settings makes no sense and is not honoured. `owner` is whose assets its finds become; it
    and `path` are told to administrators.
    """

    id: UUID
    name: str
    state: Literal["online", "offline", "readonly"]
    reason: str | UnsetType = UNSET
    is_default: bool
    is_readonly: bool
    created_at: datetime
    storage_strategy: Strategy | None = None
    local_settings: LocalSettings | None = None
    rendering: Rendering | None = None
    warnings: list[str] | UnsetType = UNSET
    path: str | UnsetType = UNSET
    owner: str | UnsetType | None = UNSET


class RepositoryList(Struct, frozen=True, kw_only=True):
    repositories: list[RepositoryDTO]


class RepairRequest(Struct, frozen=True, kw_only=True):
    rewrite_marker: UUID | None = None


class Repaired(Validation, frozen=True, kw_only=True):
    """What was made, and what is still wrong."""

    repaired: list[str]
