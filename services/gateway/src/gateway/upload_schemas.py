"""What goes over the wire about uploads: what became of each, and which files need not be sent."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.queries.uploads import Known, UploadState

Hash = Annotated[str, Meta(max_length=64, pattern="^[0-9a-fA-F]{64}$")]


class UploadResponse(Struct, frozen=True, kw_only=True):
    """The bytes are safe on the disk; `duplicate` means that this content was already stored."""

    task_id: int
    asset_id: UUID
    status: Literal["processing", "duplicate"]
    file_name: str
    size: int
    content_hash: str
    message: str


class BatchUploadResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one file of a batch: what a single upload answers, or why it was not taken."""

    success: bool
    file_name: str
    content_hash: str
    task_id: int | UnsetType = UNSET
    asset_id: UUID | UnsetType = UNSET
    status: Literal["processing", "duplicate"] | UnsetType = UNSET
    size: int | UnsetType = UNSET
    message: str | UnsetType = UNSET
    error: str | UnsetType = UNSET


class BatchResponse(Struct, frozen=True, kw_only=True):
    """A result for each file of a batch, in the order of the body."""

    results: list[BatchUploadResult]


class UploadList(Struct, frozen=True, kw_only=True):
    """A page of uploads; `next` asks for the page that follows, as `after`."""

    uploads: list[UploadState]
    limit: int
    next: int | UnsetType = UNSET


class PrecheckRequest(Struct, frozen=True, kw_only=True):
    """BLAKE3 hashes of files that a client could send."""

    hashes: Annotated[list[Hash], Meta(max_length=1000)]


class PrecheckResponse(Struct, frozen=True, kw_only=True):
    """Those of the files that need not be sent: the caller has their bytes, safe and not in the trash."""

    known: list[Known]
