"""What goes over the wire: requests, answers and the envelope around every answer."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType, field

from common import stage_queries
from common.edits import Edits, Name, Text
from common.rendering import Policy
from gateway.queries import stages
from gateway.queries.assets import StageState
from gateway.queries.reprocess import Scope
from gateway.queries.stacks import Role, StackKind
from gateway.queries.uploads import Known, UploadState
from gateway.queries.users import User

T = TypeVar("T")
State = Literal["processing", "complete", "failed"]
Hash = Annotated[str, Meta(max_length=64, pattern="^[0-9a-fA-F]{64}$")]
Type = Literal["PHOTO", "VIDEO", "AUDIO"]


class Envelope(Struct, Generic[T], frozen=True, kw_only=True):
    """Every good answer: code 0 and the data, if there is any."""

    code: int = 0
    message: str = "success"
    data: T | UnsetType = UNSET


class Failure(Struct, frozen=True, kw_only=True):
    """Every other answer: the HTTP status, what went wrong, and the reason in words."""

    code: int
    message: str
    error: str


class Message(Struct, frozen=True, kw_only=True):
    """What was done, in words."""

    message: str


class Health(Struct, frozen=True, kw_only=True):
    status: str = "ok"


class LoginRequest(Struct, frozen=True, kw_only=True):
    username: Annotated[str, Meta(min_length=1, max_length=254)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]


class RefreshRequest(Struct, frozen=True, kw_only=True):
    refresh_token: Annotated[str, Meta(min_length=1, max_length=256)] = field(name="refreshToken")


class AuthResponse(Struct, frozen=True, kw_only=True):
    """The access token lives for minutes; the refresh token buys the next pair, once."""

    user: User
    token: str
    refresh_token: str = field(name="refreshToken")
    expires_at: datetime = field(name="expiresAt")


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


class AssetDTO(Struct, frozen=True, kw_only=True):
    """One photo, video or audio of its owner; `taken_time` has an offset only where the file knows it.

    `has_motion` says that `/motion` has an answer, and so on; `live_video_id` is the video of a Live Photo's still.
    `duration` is in seconds. It is complete when it can be shown: a version for browsers may still be in the making.
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
    taken_time: datetime | None
    is_deleted: bool
    deleted_at: datetime | None
    thumbhash: bytes | None
    live_video_id: UUID | None
    has_motion: bool
    has_preview: bool
    has_waveform: bool
    specific_metadata: dict[str, Any]


class AssetList(Struct, frozen=True, kw_only=True):
    """A page; `next` asks for the page that follows, as `after`."""

    assets: list[AssetDTO]
    limit: int
    offset: int
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
    """Assets that belong together: a Live Photo, a raw file and what was developed from it, or a burst."""

    kind: StackKind
    cover_asset_id: UUID
    members: list[MemberDTO]


class AssetDetail(AssetDTO, frozen=True, kw_only=True):
    """An asset with all that belongs to it and the state of its processing; `edited` names what a person said of it.

    `web_policy` is what a person said of a version for browsers, null where the repository or the server decides.
    """

    edited: list[str]
    thumbnails: list[ThumbnailDTO]
    renditions: list[RenditionDTO]
    web_policy: Policy | None
    stages: list[StageState]
    stacks: list[StackDTO]


class EditRequest(Edits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change, and by `reset` what to take back."""

    reset: Annotated[list[Name], Meta(max_length=100)] = field(default_factory=list)


class RateRequest(Struct, frozen=True, kw_only=True):
    rating: Annotated[int, Meta(ge=0, le=5)]


class DescribeRequest(Struct, frozen=True, kw_only=True):
    description: Text


class StageList(Struct, frozen=True, kw_only=True):
    """A page of work that is not done; `next` asks for the page that follows, as `after`."""

    stages: list[stages.Work]
    limit: int
    next: str | UnsetType = UNSET


class StageSummary(Struct, frozen=True, kw_only=True):
    """How much is not done, and the stages that nobody starts work on at the moment."""

    counts: list[stage_queries.Count]
    pauses: list[stage_queries.Pause]


class PauseRequest(Struct, frozen=True, kw_only=True):
    """Why a stage rests, and for how long: a week at most."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    minutes: Annotated[int, Meta(ge=1, le=7 * 24 * 60)]


class Retried(Struct, frozen=True, kw_only=True):
    """How many stages are tried again, and when."""

    retried: int
    message: str


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


class TranscodeRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether an asset is to have a version for browsers: where it needs one, in any case, or not at all."""

    policy: Policy


class Transcoding(Struct, frozen=True, kw_only=True):
    """What was asked for, and where it stands."""

    asset_id: UUID
    policy: Policy
    state: str
    message: str


class Reprocessing(Struct, frozen=True, kw_only=True):
    """How many assets are processed again that were not to be; `next` is there when there are more."""

    queued: int
    message: str
    next: UUID | UnsetType = UNSET
