"""What goes over the wire about assets: as cards of a list, and one by one with all that belongs to it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from common.rendering import Policy
from gateway.filter_schemas import Type
from gateway.queries.assets import StageState
from gateway.queries.belongings import AssetTag, InAlbum, Species
from gateway.queries.stacks import Role, StackKind

State = Literal["processing", "complete", "warning", "failed"]

Taken = Annotated[datetime, Meta(extra_json_schema={"format": "local-date-time"})]
"""By the clock of where it was taken; its offset is said where the file knows it, so that it is no `date-time`."""


class AssetDTO(Struct, frozen=True, kw_only=True):
    """One photo, video or audio of its owner; `taken_time` has an offset only where the file knows it.

    `has_motion` says that `/motion` has an answer, and so on; `live_video_id` is the video of a Live Photo's still.
    `duration` is in seconds. It is complete when it can be shown: a version for browsers may still be in the making.
    `missing_since` is when the last of its files was found to be gone: it is in no list until one is back.
    """

    asset_id: UUID
    owner_id: int
    repository_id: UUID | None
    type: Type
    status: State
    original_filename: str
    storage_path: str
    mime_type: str
    file_size: int
    hash: str
    width: int | None
    height: int | None
    duration: float | None
    upload_time: datetime
    taken_time: Taken | None
    title: str | None
    description: str | None
    rating: int | None
    liked: bool
    archived_at: datetime | None
    is_deleted: bool
    deleted_at: datetime | None
    missing_since: datetime | None
    thumbhash: bytes | None
    live_video_id: UUID | None
    has_motion: bool
    has_preview: bool
    has_waveform: bool
    specific_metadata: dict[str, Any]


class AssetList(Struct, frozen=True, kw_only=True):
    """A page; `next` asks for the page that follows, as `after`. The first tells the total, or how many at least."""

    assets: list[AssetDTO]
    limit: int
    offset: int
    total: int | UnsetType = UNSET
    total_is_at_least: bool | UnsetType = UNSET
    next: str | UnsetType = UNSET


class AssetTypes(Struct, frozen=True, kw_only=True):
    types: list[Type]


class ThumbnailDTO(Struct, frozen=True, kw_only=True):
    size: str
    mime_type: str
    width: int
    height: int
    url: str


class RenditionDTO(Struct, frozen=True, kw_only=True):
    """What else was made of an original: web, preview, waveform, waveform_image or motion."""

    kind: str
    mime_type: str
    bytes: int
    url: str


class MemberDTO(Struct, frozen=True, kw_only=True):
    asset_id: UUID
    role: Role


class StackDTO(Struct, frozen=True, kw_only=True):
    """Assets that belong together: a Live Photo, a raw file and what was developed from it, a burst, or by hand."""

    kind: StackKind
    cover_asset_id: UUID
    members: list[MemberDTO]


class AssetDetail(AssetDTO, frozen=True, kw_only=True):
    """An asset with all that belongs to it and the state of its processing; `edited` names what a person said of it.

    `web_policy` is what a person said of a version for browsers, null where the repository or the server decides.
    Tags, albums and predictions are there where they are asked for; albums are those that the caller has part in.
    """

    edited: list[str]
    thumbnails: list[ThumbnailDTO]
    renditions: list[RenditionDTO]
    web_policy: Policy | None
    stages: list[StageState]
    stacks: list[StackDTO]
    tags: list[AssetTag] | UnsetType = UNSET
    albums: list[InAlbum] | UnsetType = UNSET
    species_predictions: list[Species] | UnsetType = UNSET
