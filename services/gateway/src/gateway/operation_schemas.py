"""What goes over the wire about work on many assets at once."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.actions import Action
from gateway.filter_schemas import AssetFilter

Chosen = Annotated[list[UUID], Meta(min_length=1, max_length=10_000)]
OperationState = Literal["waiting", "running", "done", "stopped", "failed"]


class OperationRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do, and with which of the caller's assets: those that are named, or those that a filter chooses now."""

    action: Action
    ids: Chosen | None = None
    filter: AssetFilter | None = None


class FailureDTO(Struct, frozen=True, kw_only=True):
    """Why something could not be done, with how many assets, and the first hundred of them."""

    reason: str
    count: int
    asset_ids: list[UUID]


class OperationDTO(Struct, frozen=True, kw_only=True):
    """Work on many assets: what it is in words, who asked for it and when, and how far it is.

    `done` counts the assets that it is through with, `changed` those for which something is different now, `failed`
    those with which it could not be done. `error` is why it was given up as a whole.
    """

    operation_id: int
    kind: str
    title: str
    message: str
    state: OperationState
    total: int
    done: int
    changed: int
    failed: int
    failures: list[FailureDTO]
    error: str | None
    action: dict[str, Any]
    filter: dict[str, Any] | None
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class OperationList(Struct, frozen=True, kw_only=True):
    """A page of operations, the newest first; `next` asks for the page that follows, as `after`."""

    operations: list[OperationDTO]
    limit: int
    next: int | UnsetType = UNSET
