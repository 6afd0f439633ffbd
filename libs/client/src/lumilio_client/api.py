"""Every shape and every call of the contract. Written by `make contract`: do not change it by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field

from lumilio_client.calls import Call, File, Listing


class Account(Struct, frozen=True, kw_only=True):
    """Somebody who may use this server, as administrators see them; a quota of null is none.

    `leaving` says what becomes of the assets of somebody who is being deleted.
    """

    user_id: int
    username: str
    email: str
    created_at: datetime
    is_active: bool
    is_admin: bool
    last_login: datetime | None
    quota_bytes: int | None
    quota_files: int | None
    leaving: str | None


class AddAsset(Struct, frozen=True, kw_only=True):
    """Where an asset is to stand; without a position at the end."""

    position: int | None | UnsetType = UNSET


class AddAssets(Struct, frozen=True, kw_only=True):
    """Assets of the caller's own, in the order that they are to have; without a position they go to the end."""

    asset_ids: list[UUID]
    position: int | None | UnsetType = UNSET


class AddMember(Struct, frozen=True, kw_only=True):
    """With whom to share an album, by the exact user name: nobody is told who else is on this server."""

    username: str
    role: Literal["editor", "viewer"] | UnsetType = UNSET


class AddToAlbum(Struct, frozen=True, kw_only=True):
    """Put each into an album, behind what is there."""

    kind: Literal["add_to_album"]
    album_id: int


class Album(Struct, frozen=True, kw_only=True):
    """An album as somebody sees it who has part in it; `role` says which, `user_id` and `owner_name` whose it is.

    The cover is the one that was given, as long as it can be shown, else the first asset. `asset_count` counts what is
    shown.
    """

    album_id: int
    user_id: int
    owner_name: str
    role: str
    album_name: str
    description: str | None
    cover_asset_id: UUID | None
    asset_count: int
    created_at: datetime
    updated_at: datetime


class AlbumAsset(Struct, frozen=True, kw_only=True):
    """An asset as an album has it; `position` is its place in this list, the first being 0.

    Of other people's assets it is not told where their files lie.
    """

    asset_id: UUID
    owner_id: int
    repository_id: UUID | None
    type: str
    status: str
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
    position: int
    added_time: datetime
    added_by: int | None


class AlbumAssetList(Struct, frozen=True, kw_only=True):
    """A page of what an album shows: `count` is how many, and `total` how many there are, on pages without `after`."""

    album_id: int
    assets: list[AlbumAsset]
    count: int
    total: int | UnsetType = UNSET
    limit: int
    offset: int
    next: str | UnsetType = UNSET


class AlbumList(Struct, frozen=True, kw_only=True):
    """A page; `next` asks for the page that follows, as `after`, and `total` counts the albums of all pages."""

    albums: list[Album]
    total: int
    limit: int
    offset: int
    next: str | UnsetType = UNSET


class AlbumOf(Struct, frozen=True, kw_only=True):
    """An album that an asset is in, and at which place."""

    album_id: int
    user_id: int
    owner_name: str
    role: str
    album_name: str
    description: str | None
    cover_asset_id: UUID | None
    asset_count: int
    created_at: datetime
    updated_at: datetime
    position: int
    added_time: datetime


class AlbumsOf(Struct, frozen=True, kw_only=True):
    """The albums that an asset is in and that the caller has part in."""

    asset_id: UUID
    albums: list[AlbumOf]
    count: int


class Archive(Struct, frozen=True, kw_only=True):
    """Have the timeline leave out each, or show it again."""

    kind: Literal["archive"]
    archived: bool


class ArchiveRequest(Struct, frozen=True, kw_only=True):
    archived: bool


class AssetDTO(Struct, frozen=True, kw_only=True):
    """One photo, video or audio of its owner; `taken_time` has an offset only where the file knows it.

    `has_motion` says that `/motion` has an answer, and so on; `live_video_id` is the video of a Live Photo's still.
    `duration` is in seconds. It is complete when it can be shown: a version for browsers may still be in the making.
    `missing_since` is when the last of its files was found to be gone: it is in no list until one is back.
    """

    asset_id: UUID
    owner_id: int
    repository_id: UUID | None
    type: str
    status: str
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


class AssetDetail(Struct, frozen=True, kw_only=True):
    """An asset with all that belongs to it and the state of its processing; `edited` names what a person said of it.

    `web_policy` is what a person said of a version for browsers, null where the repository or the server decides.
    Tags, albums and predictions are there where they are asked for; albums are those that the caller has part in.
    """

    asset_id: UUID
    owner_id: int
    repository_id: UUID | None
    type: str
    status: str
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
    edited: list[str]
    thumbnails: list[ThumbnailDTO]
    renditions: list[RenditionDTO]
    web_policy: str | None
    stages: list[StageState]
    stacks: list[StackDTO]
    tags: list[AssetTag] | UnsetType = UNSET
    albums: list[InAlbum] | UnsetType = UNSET
    species_predictions: list[Species] | UnsetType = UNSET


class AssetFilter(Struct, frozen=True, kw_only=True):
    """All that is said holds of an asset; what is not known is refused, for it would leave out nothing.

    `date` is the time of the upload, `taken` that of the picture. `rating` 0 means none. `tag` and `folder` mean all
    that is below them too; a folder is one of the repository that is named with it. `taken_in` is any of several times,
    and of `located_in` all has to hold. Without a word about them, what is in the trash or in the archive is left out.
    """

    repository_id: UUID | None | UnsetType = UNSET
    owner_id: int | None | UnsetType = UNSET
    ids: list[UUID] | None | UnsetType = UNSET
    type: Literal["AUDIO", "PHOTO", "VIDEO"] | None | UnsetType = UNSET
    types: list[Literal["AUDIO", "PHOTO", "VIDEO"]] | None | UnsetType = UNSET
    raw: bool | None | UnsetType = UNSET
    filename: FileName | None | UnsetType = UNSET
    date: Moments | None | UnsetType = UNSET
    taken: WallTimes | None | UnsetType = UNSET
    taken_in: list[WallTimes] | None | UnsetType = UNSET
    rating: int | None | UnsetType = UNSET
    rating_range: Numbers | None | UnsetType = UNSET
    liked: bool | None | UnsetType = UNSET
    camera_make: str | None | UnsetType = UNSET
    camera: str | None | UnsetType = UNSET
    lens: str | None | UnsetType = UNSET
    iso: Numbers | None | UnsetType = UNSET
    country: str | None | UnsetType = UNSET
    region: str | None | UnsetType = UNSET
    city: str | None | UnsetType = UNSET
    located_in: list[Whereabouts] | None | UnsetType = UNSET
    has_gps: bool | None | UnsetType = UNSET
    bbox: Box | None | UnsetType = UNSET
    tag: str | None | UnsetType = UNSET
    untagged: bool | None | UnsetType = UNSET
    label: str | None | UnsetType = UNSET
    album_id: int | None | UnsetType = UNSET
    stack: Literal["burst", "live", "manual", "raw"] | None | UnsetType = UNSET
    folder: str | None | UnsetType = UNSET
    stage_state: StageIs | None | UnsetType = UNSET
    trashed: bool | UnsetType = UNSET
    archived: Literal["any", "no", "only"] | UnsetType = UNSET


class AssetList(Struct, frozen=True, kw_only=True):
    """A page; `next` asks for the page that follows, as `after`. The first tells the total, or how many at least."""

    assets: list[AssetDTO]
    limit: int
    offset: int
    total: int | UnsetType = UNSET
    total_is_at_least: bool | UnsetType = UNSET
    next: str | UnsetType = UNSET


class AssetTag(Struct, frozen=True, kw_only=True):
    """A tag that was said of an asset itself; its name is the whole path."""

    tag_id: int
    tag_name: str


class AssetTags(Struct, frozen=True, kw_only=True):
    """The tags of an asset, without those that they lie below."""

    tags: list[str]


class AssetTypes(Struct, frozen=True, kw_only=True):
    types: list[str]


class AuditEntry(Struct, frozen=True, kw_only=True):
    """What happened; `username` is what the user is called now, null for nobody or somebody who is gone."""

    audit_id: int
    happened_at: datetime
    action: str
    user_id: int | None
    username: str | None
    key_id: int | None
    address: str
    about: str
    details: dict[str, Any]


class AuditList(Struct, frozen=True, kw_only=True):
    """A page of what happened, the latest first; `next` asks for the page that follows, as `after`."""

    entries: list[AuditEntry]
    limit: int
    next: str | UnsetType = UNSET


class AuthResponse(Struct, frozen=True, kw_only=True):
    """The access token lives for minutes; the refresh token buys the next pair, once."""

    user: User
    token: str
    refresh_token: str = field(name="refreshToken")
    expires_at: datetime = field(name="expiresAt")


class BackfillRequest(Struct, frozen=True, kw_only=True):
    """Which stage is meant, by its name or its space; all without either. What failed is tried again if asked for."""

    stage: str | None | UnsetType = UNSET
    space_id: int | None | UnsetType = UNSET
    retry_failed: bool | UnsetType = UNSET


class Backfilled(Struct, frozen=True, kw_only=True):
    """The stages for which all assets are looked at again, and how many failures are tried again."""

    stages: list[str]
    retried: int
    message: str


class BatchResponse(Struct, frozen=True, kw_only=True):
    """A result for each file of a batch, in the order of the body."""

    results: list[BatchUploadResult]


class BatchUploadResult(Struct, frozen=True, kw_only=True):
    """What became of one file of a batch: what a single upload answers, or why it was not taken."""

    success: bool
    file_name: str
    content_hash: str
    task_id: int | UnsetType = UNSET
    asset_id: UUID | UnsetType = UNSET
    status: str | UnsetType = UNSET
    size: int | UnsetType = UNSET
    message: str | UnsetType = UNSET
    error: str | UnsetType = UNSET


class Box(Struct, frozen=True, kw_only=True):
    """A part of the map in degrees; one whose west is east of its east lies across the date line."""

    west: float
    south: float
    east: float
    north: float


class Bucket(Struct, frozen=True, kw_only=True):
    """Pictures of a month or a day, the newest first: the n-th of each list is about the n-th asset.

    `ratios` are width by height, `local_times` by the clock where it was taken, `offset_minutes` east of UTC where that
    is known, `durations` in seconds. `stacks` says that others belong to it, `has_motion` that `/motion` has an answer.
    `next` asks for the page that follows, as `after`.
    """

    asset_ids: list[UUID]
    types: list[str]
    ratios: list[float | None]
    thumbhashes: list[bytes | None]
    local_times: list[str]
    offset_minutes: list[int | None]
    durations: list[float | None]
    ratings: list[int | None]
    liked: list[bool]
    has_motion: list[bool]
    stacks: list[str | None]
    next: str | UnsetType = UNSET


class BucketRequest(Struct, frozen=True, kw_only=True):
    """Which assets of a month or a day are wanted: one of both is to be said."""

    month: str | None | UnsetType = UNSET
    day: str | None | UnsetType = UNSET
    filter: AssetFilter | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    after: str | None | UnsetType = UNSET


class ChangeAlbum(Struct, frozen=True, kw_only=True):
    """What is to be different about an album; what is not said stays, and null takes it away."""

    album_name: str | UnsetType = UNSET
    description: str | None | UnsetType = UNSET
    cover_asset_id: UUID | None | UnsetType = UNSET


class ChangeMember(Struct, frozen=True, kw_only=True):
    role: Literal["editor", "viewer"]


class ChangeShare(Struct, frozen=True, kw_only=True):
    """What is to be different about a link; what is not said stays, and null takes it away."""

    label: str | None | UnsetType = UNSET
    password: str | None | UnsetType = UNSET
    expires_at: datetime | None | UnsetType = UNSET
    allow_download: bool | UnsetType = UNSET
    show_location: bool | UnsetType = UNSET


class Cluster(Struct, frozen=True, kw_only=True):
    """Pictures that lie close together at some zoom: how many, the middle of them, and one of them.

    Of a single picture that is the picture itself and where it was taken.
    """

    count: int
    latitude: float
    longitude: float
    asset_id: UUID


class ClusterList(Struct, frozen=True, kw_only=True):
    """A cluster for each square of the map that the box touches: 2,000 at most, so coarse ones where more were wanted.

    `total` is how many pictures they have together.
    """

    clusters: list[Cluster]
    total: int


class ClustersRequest(Struct, frozen=True, kw_only=True):
    """Which assets are wanted, on what part of the map."""

    zoom: int
    bbox: Box | UnsetType = UNSET
    filter: AssetFilter | UnsetType = UNSET


class Count(Struct, frozen=True, kw_only=True):
    """How much of a stage is in a state (blocked, pending, running or failed), and for how long the oldest was due."""

    stage: str
    lane: int
    state: str
    count: int
    oldest_due_seconds: float | None


class Counts(Struct, frozen=True, kw_only=True):
    """What a run has seen and found so far.

    `gone` were called missing, of which `hidden` assets have no file left. `skipped` counts names that are passed over,
    by what they are; `linked` files have several names; `strays` lie in the inbox and are no upload's. `troubles` says
    what could not be seen, and `examples` are some files that were not found and not called missing.
    """

    folders: int = 0
    files: int = 0
    bytes: int = 0
    new: int = 0
    changed: int = 0
    moved: int = 0
    returned: int = 0
    gone: int = 0
    hidden: int = 0
    strays: int = 0
    linked: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


class CoverRequest(Struct, frozen=True, kw_only=True):
    """Which asset of a stack stands for all."""

    cover_asset_id: UUID


class CreateAlbum(Struct, frozen=True, kw_only=True):
    """An album to be; without a cover it shows its first asset."""

    album_name: str
    description: str | None | UnsetType = UNSET
    cover_asset_id: UUID | None | UnsetType = UNSET


class CreateRepository(Struct, frozen=True, kw_only=True):
    """The path is absolute, as this machine sees it; what is found there becomes assets of `owner`, or the caller's."""

    name: str
    path: str
    storage_strategy: Literal["cas", "date", "flat"] | UnsetType = UNSET
    local_settings: LocalSettings | UnsetType = UNSET
    rendering: Rendering | UnsetType = UNSET
    owner: str | UnsetType = UNSET


class CreateShare(Struct, frozen=True, kw_only=True):
    """A link to be: visitors see pictures, and only what is allowed here beyond that."""

    label: str | None | UnsetType = UNSET
    password: str | None | UnsetType = UNSET
    expires_at: datetime | None | UnsetType = UNSET
    allow_download: bool | UnsetType = UNSET
    show_location: bool | UnsetType = UNSET


class DayBefore(Struct, frozen=True, kw_only=True):
    """The day in one year: how much there is of it, and the best of it."""

    date: str
    count: int
    assets: list[AssetDTO]


class DayCount(Struct, frozen=True, kw_only=True):
    day: str
    count: int


class DayList(Struct, frozen=True, kw_only=True):
    """Every day of a month that has pictures, the newest first, by the clocks where they were taken."""

    month: str
    days: list[DayCount]
    total: int


class DaysBefore(Struct, frozen=True, kw_only=True):
    """The day in other years, the newest first, by the clocks where pictures were taken; 50 years at most."""

    date: str
    days: list[DayBefore]


class DaysRequest(Struct, frozen=True, kw_only=True):
    """Which assets of a month are to be counted."""

    month: str
    filter: AssetFilter | UnsetType = UNSET


class DescribeRequest(Struct, frozen=True, kw_only=True):
    description: str


class DismissRequest(Struct, frozen=True, kw_only=True):
    """Assets that only look alike, or were said to."""

    asset_ids: list[UUID]


class DownloadLink(Struct, frozen=True, kw_only=True):
    """Where an archive of `count` originals is fetched, without a sign-in, once, and begun before `expires_at`.

    `bytes` is the length of the archive.
    """

    url: str
    file_name: str
    count: int
    bytes: int
    expires_at: datetime


class DownloadRequest(Struct, frozen=True, kw_only=True):
    """What is wanted: some assets, an album, or all that a filter finds of the caller's own."""

    asset_ids: list[UUID] | None | UnsetType = UNSET
    album_id: int | None | UnsetType = UNSET
    filter: AssetFilter | None | UnsetType = UNSET


class Duplicates(Struct, frozen=True, kw_only=True):
    """Uploads of content that was there already."""

    count: int
    bytes: int


class DuplicatesDTO(Struct, frozen=True, kw_only=True):
    """Assets that look alike, the best one first; or one asset that lies at several paths, which are its `files`.

    `has_more` says that there are more like these than a group shows.
    """

    kind: str
    best_asset_id: UUID
    assets: list[AssetDTO]
    has_more: bool
    files: list[PathDTO] | UnsetType = UNSET


class DuplicatesList(Struct, frozen=True, kw_only=True):
    """A page of groups; `next` asks for the page that follows, as `after`."""

    groups: list[DuplicatesDTO]
    limit: int
    next: UUID | UnsetType = UNSET


class Edit(Struct, frozen=True, kw_only=True):
    """Say something of each, as one says it of one asset; `reset` names what the file is to be asked for again."""

    kind: Literal["edit"]
    title: str | None | UnsetType = UNSET
    description: str | None | UnsetType = UNSET
    rating: int | None | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    taken_time: datetime | UnsetType = UNSET
    offset_minutes: int | None | UnsetType = UNSET
    gps_latitude: float | None | UnsetType = UNSET
    gps_longitude: float | None | UnsetType = UNSET
    reset: (
        list[
            Literal[
                "description",
                "gps_latitude",
                "gps_longitude",
                "offset_minutes",
                "rating",
                "tags",
                "taken_time",
                "title",
            ]
        ]
        | UnsetType
    ) = UNSET


class EditRequest(Struct, frozen=True, kw_only=True):
    """What to change, and by `reset` what to take back."""

    title: str | None | UnsetType = UNSET
    description: str | None | UnsetType = UNSET
    rating: int | None | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    taken_time: datetime | UnsetType = UNSET
    offset_minutes: int | None | UnsetType = UNSET
    gps_latitude: float | None | UnsetType = UNSET
    gps_longitude: float | None | UnsetType = UNSET
    reset: (
        list[
            Literal[
                "description",
                "gps_latitude",
                "gps_longitude",
                "offset_minutes",
                "rating",
                "tags",
                "taken_time",
                "title",
            ]
        ]
        | UnsetType
    ) = UNSET


class ExamplesRequest(Struct, frozen=True, kw_only=True):
    """More pictures to learn a label by; one that was said to show it may be said not to, and the other way round."""

    examples: list[UUID] | UnsetType = UNSET
    counter_examples: list[UUID] | UnsetType = UNSET


class FailureDTO(Struct, frozen=True, kw_only=True):
    """Why something could not be done, with how many assets, and the first hundred of them."""

    reason: str
    count: int
    asset_ids: list[UUID]


class FileCounts(Struct, frozen=True, kw_only=True):
    """Files of a repository by what became of them; one that is to be read again may count twice."""

    present: int
    missing: int
    corrupt: int
    unread: int
    waiting: int
    other: int


class FileDTO(Struct, frozen=True, kw_only=True):
    """A file of a repository that something is wrong with; `path_encoded` is its path without loss.

    `since` is when it was found to be gone, `read_after` when it will be read (again), `trouble` why it could not be.
    """

    path: str
    path_encoded: str
    state: str
    size: int
    asset_id: UUID | None
    since: datetime | None
    read_after: datetime | None
    trouble: str | None


class FileList(Struct, frozen=True, kw_only=True):
    """A page of files by their paths; `next` asks for the page that follows, as `after`."""

    files: list[FileDTO]
    limit: int
    next: str | UnsetType = UNSET


class FileName(Struct, frozen=True, kw_only=True):
    """How the name of the file reads; upper and lower case are the same."""

    value: str
    mode: Literal["contains", "endswith", "matches", "startswith"] | UnsetType = UNSET


class FilterOptions(Struct, frozen=True, kw_only=True):
    """What a filter can choose among the caller's shown assets.

    Each list has 500 values at most, and `cut` names those that have more. `ratings` are the numbers of stars that
    occur, 0 for none.
    """

    camera_makes: list[str]
    cameras: list[str]
    lenses: list[str]
    countries: list[str]
    regions: list[str]
    cities: list[str]
    ratings: list[int]
    iso_from: int | None
    iso_to: int | None
    taken_from: datetime | None
    taken_to: datetime | None
    cut: list[str]


class FilterRequest(Struct, frozen=True, kw_only=True):
    """Which assets, in which order, and which page of them: `after` takes the `next` of the page before.

    Pages that follow by `after` cost the same however deep they lie; `offset` is for lists of a few pages.
    """

    filter: AssetFilter | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    offset: int | UnsetType = UNSET
    after: str | None | UnsetType = UNSET
    sort_by: Literal["filename", "rating", "size", "taken", "uploaded"] | UnsetType = UNSET
    sort_order: Literal["asc", "desc"] | UnsetType = UNSET


class FolderAssets(Struct, frozen=True, kw_only=True):
    """A page of the assets in a folder and not below it, by their files' names; `next` asks for more, as `after`."""

    assets: list[AssetDTO]
    limit: int
    next: str | UnsetType = UNSET


class FolderDTO(Struct, frozen=True, kw_only=True):
    """A folder with how many files of the caller's assets lie in it and below it, and one of these assets.

    `path` is for people to read; `path_encoded`, with percent signs, says which one is meant even where a name is no
    UTF-8.
    """

    name: str
    path: str
    path_encoded: str
    count: int
    cover_asset_id: UUID | None


class FolderList(Struct, frozen=True, kw_only=True):
    """A page of folders in the order of their names' bytes; `next` asks for the page that follows, as `after`.

    A page may have less than was asked for, where folders hold hidden assets alone.
    """

    repository_id: UUID
    path: str
    path_encoded: str
    folders: list[FolderDTO]
    limit: int
    next: str | UnsetType = UNSET


class Health(Struct, frozen=True, kw_only=True):
    status: str


class InAlbum(Struct, frozen=True, kw_only=True):
    """An album that an asset is in, and since when."""

    album_id: int
    album_name: str
    added_time: datetime


class InviteList(Struct, frozen=True, kw_only=True):
    """A page of invitations, the newest first; `next` asks for the page that follows, as `after`."""

    invites: list[OpenInvite]
    limit: int
    next: str | UnsetType = UNSET


class Key(Struct, frozen=True, kw_only=True):
    """A key of a user, without what opens."""

    key_id: int
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class KeyList(Struct, frozen=True, kw_only=True):
    """A page of keys, the newest first; `next` asks for the page that follows, as `after`."""

    keys: list[Key]
    limit: int
    next: str | UnsetType = UNSET


class KeyRequest(Struct, frozen=True, kw_only=True):
    """What a program is to be let do, and until when; without an end, until the key is removed."""

    name: str
    scopes: list[Literal["admin", "delete", "edit", "read", "share", "upload"]]
    expires_at: datetime | None | UnsetType = UNSET


class KindTotals(Struct, frozen=True, kw_only=True):
    type: str
    shown: int
    files: int
    bytes: int


class Known(Struct, frozen=True, kw_only=True):
    """A file that the owner has, and the asset that it is."""

    hash: str
    asset_id: UUID


class KnownServer(Struct, frozen=True, kw_only=True):
    """An inference server as a dispatcher finds it: what it offers, and how many questions it takes and has at once."""

    address: str
    is_there: bool
    tasks: list[str]
    model: str | None
    slots: int
    busy: int
    complaint: str | None
    seen_at: datetime


class KnownSpace(Struct, frozen=True, kw_only=True):
    """An embedding space, and since when it is what it is."""

    space_id: int
    model: str
    dimension: int
    state: str
    since: datetime


class LabelDTO(Struct, frozen=True, kw_only=True):
    """A label, and how many shown assets have it, or only that they are that many at least."""

    label: str
    count: int
    count_is_at_least: bool


class LabelList(Struct, frozen=True, kw_only=True):
    """A page of labels by their names, and all that the caller taught; `next` asks for what follows, as `after`."""

    labels: list[LabelDTO]
    taught: list[TaughtDTO]
    limit: int
    next: str | UnsetType = UNSET


class Left(Struct, frozen=True, kw_only=True):
    """Files that are still to be read, that could not be read so far, and that were read and wait to be registered."""

    unread: int
    troubled: int
    waiting: int


class Like(Struct, frozen=True, kw_only=True):
    """Like each, or no longer."""

    kind: Literal["like"]
    liked: bool


class LikeRequest(Struct, frozen=True, kw_only=True):
    liked: bool


class LocalSettings(Struct, frozen=True, kw_only=True):
    """How uploads are named; `max_file_size` is in bytes, 0 for any."""

    preserve_original_filename: bool | UnsetType = UNSET
    handle_duplicate_filenames: Literal["overwrite", "rename", "uuid"] | UnsetType = UNSET
    max_file_size: int | UnsetType = UNSET


class Location(Struct, frozen=True, kw_only=True):
    """Where something was taken, as far as that is known."""

    latitude: float | None
    longitude: float | None
    country: str | None
    city: str | None


class LoginRequest(Struct, frozen=True, kw_only=True):
    username: str
    password: str


class MadeKey(Struct, frozen=True, kw_only=True):
    """A new key; `secret` is what opens, and is never told again."""

    key: Key
    secret: str


class MadeUser(Struct, frozen=True, kw_only=True):
    """The new user, or the invitation for one."""

    user: Account | UnsetType = UNSET
    invite: OneTimeToken | UnsetType = UNSET


class Me(Struct, frozen=True, kw_only=True):
    """Who is asking, and with which scopes; a sign-in has them all, a key those that it was given."""

    user_id: int
    username: str
    email: str
    created_at: datetime
    is_active: bool
    is_admin: bool
    last_login: datetime | None
    scopes: list[str]
    key_id: int | None
    usage: Usage


class MeaningStatus(Struct, frozen=True, kw_only=True):
    """Stages, spaces and servers, and in `advice` what is missing and what to do about it."""

    stages: list[StageProgress]
    spaces: list[KnownSpace]
    servers: list[KnownServer]
    advice: list[str]


class Member(Struct, frozen=True, kw_only=True):
    """Somebody who has part in an album, and since when."""

    user_id: int
    username: str
    role: str
    added_at: datetime


class MemberDTO(Struct, frozen=True, kw_only=True):
    asset_id: UUID
    role: str


class MemberList(Struct, frozen=True, kw_only=True):
    """Everybody who has part in an album, its owner first."""

    members: list[Member]


class MergeRequest(Struct, frozen=True, kw_only=True):
    """Which asset stays, and which others go into the trash."""

    keep: UUID
    others: list[UUID]


class MergedDTO(Struct, frozen=True, kw_only=True):
    """The asset that stays, and how many others lie in the trash because of it."""

    asset_id: UUID
    trashed: int
    message: str


class Message(Struct, frozen=True, kw_only=True):
    """What was done, in words."""

    message: str


class Moments(Struct, frozen=True, kw_only=True):
    """From a moment on, before another one; with a zone."""

    from_: datetime | None | UnsetType = field(default=UNSET, name="from")
    to: datetime | None | UnsetType = UNSET


class MonthCount(Struct, frozen=True, kw_only=True):
    month: str
    count: int


class MonthList(Struct, frozen=True, kw_only=True):
    """Every month that has pictures, the newest first, by the clocks where they were taken."""

    months: list[MonthCount]
    total: int


class MonthsRequest(Struct, frozen=True, kw_only=True):
    """Which assets are to be counted."""

    filter: AssetFilter | UnsetType = UNSET


class MoveAsset(Struct, frozen=True, kw_only=True):
    """At which place of the album an asset is to stand, the first being 0."""

    position: int


class Named(Struct, frozen=True, kw_only=True):
    """How many of the shown pictures are by this camera or lens."""

    name: str
    count: int


class NewShare(Struct, frozen=True, kw_only=True):
    """A new link. `token` and `url`, which is a page for browsers, are told this once and kept nowhere."""

    share_id: int
    album_id: int
    label: str | None
    has_password: bool
    allow_download: bool
    show_location: bool
    expires_at: datetime | None
    is_expired: bool
    created_at: datetime
    token: str
    url: str


class Numbers(Struct, frozen=True, kw_only=True):
    """From a number to another one, both among them."""

    from_: int | None | UnsetType = field(default=UNSET, name="from")
    to: int | None | UnsetType = UNSET


class OneTimeToken(Struct, frozen=True, kw_only=True):
    """What is handed to a person, for one use until then; it is never told again. `use` says how."""

    token: str
    expires_at: datetime
    use: str


class OpenInvite(Struct, frozen=True, kw_only=True):
    """An invitation that still lets somebody in: who made it, and as what; what it says was told once."""

    invite_id: int
    invited_by: int
    username: str
    is_admin: bool
    quota_bytes: int | None
    quota_files: int | None
    created_at: datetime
    expires_at: datetime


class OpenShare(Struct, frozen=True, kw_only=True):
    """What a visitor says who follows a link; nothing where it has no password."""

    password: str | None | UnsetType = UNSET


class OperationDTO(Struct, frozen=True, kw_only=True):
    """Work on many assets: what it is in words, who asked for it and when, and how far it is.

    `done` counts the assets that it is through with, `changed` those for which something is different now, `failed`
    those with which it could not be done. `error` is why it was given up as a whole.
    """

    operation_id: int
    kind: str
    title: str
    message: str
    state: str
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


class OperationRequest(Struct, frozen=True, kw_only=True):
    """What to do, and with which of the caller's assets: those that are named, or those that a filter chooses now."""

    action: (
        Edit | Like | Archive | Tag | Trash | Restore | AddToAlbum | RemoveFromAlbum | ShiftTime | SetZone | Reprocess
    )
    ids: list[UUID] | None | UnsetType = UNSET
    filter: AssetFilter | None | UnsetType = UNSET


class OwnerRequest(Struct, frozen=True, kw_only=True):
    owner: str


class PasswordChange(Struct, frozen=True, kw_only=True):
    old_password: str
    new_password: str


class PathDTO(Struct, frozen=True, kw_only=True):
    """Where the same bytes lie."""

    repository_id: UUID
    path: str


class Pause(Struct, frozen=True, kw_only=True):
    """A stage that nobody starts work on, until a time."""

    stage: str
    paused_by: str
    reason: str
    paused_at: datetime
    until: datetime


class PauseRequest(Struct, frozen=True, kw_only=True):
    """Why a stage rests, and for how long: a week at most."""

    reason: str
    minutes: int


class Places(Struct, frozen=True, kw_only=True):
    """How many of what is shown have a place on the map."""

    located: int
    unlocated: int


class Point(Struct, frozen=True, kw_only=True):
    """A picture and where it was taken."""

    asset_id: UUID
    latitude: float
    longitude: float


class PointList(Struct, frozen=True, kw_only=True):
    """A page of pictures; neighbours are close to each other. `next` asks for the page that follows, as `after`."""

    points: list[Point]
    limit: int
    next: str | UnsetType = UNSET


class PrecheckRequest(Struct, frozen=True, kw_only=True):
    """BLAKE3 hashes of files that a client could send."""

    hashes: list[str]


class PrecheckResponse(Struct, frozen=True, kw_only=True):
    """Those of the files that need not be sent: the caller has their bytes, safe and not in the trash."""

    known: list[Known]


class Progress(Struct, frozen=True, kw_only=True):
    """How far work is: percent of it, how many seconds of the original a second gets through, and seconds left."""

    percent: float
    speed: float | None
    seconds_left: float | None


class PurgeRequest(Struct, frozen=True, kw_only=True):
    """What is to go for good. `only_count` does nothing but say how much that is; `confirm` is what its answer gave."""

    asset_ids: list[UUID] | None | UnsetType = UNSET
    all: bool | UnsetType = UNSET
    only_count: bool | UnsetType = UNSET
    confirm: str | None | UnsetType = UNSET


class Put(Struct, frozen=True, kw_only=True):
    """What lists leave out: thrown away, archived, or without a file at the moment."""

    trashed: int
    archived: int
    missing: int


class PutTogetherDTO(Struct, frozen=True, kw_only=True):
    """Assets that somebody put together, without what is in the trash; the cover comes first."""

    stack_id: int
    cover_asset_id: UUID
    asset_ids: list[UUID]
    created_at: datetime


class RateLikeRequest(Struct, frozen=True, kw_only=True):
    rating: int
    liked: bool


class RateRequest(Struct, frozen=True, kw_only=True):
    rating: int


class Readiness(Struct, frozen=True, kw_only=True):
    """`ready` says whether work can be taken; `problems` says in words what is wrong."""

    ready: bool
    problems: list[str]


class RefreshRequest(Struct, frozen=True, kw_only=True):
    refresh_token: str = field(name="refreshToken")


class RegisterRequest(Struct, frozen=True, kw_only=True):
    """Who wants to use this server, and what lets them: an invitation, or the setup token for the very first."""

    username: str
    email: str
    password: str
    invite: str | None | UnsetType = UNSET
    setup_token: str | None | UnsetType = UNSET


class RemoveFromAlbum(Struct, frozen=True, kw_only=True):
    """Take each out of an album."""

    kind: Literal["remove_from_album"]
    album_id: int


class Removed(Struct, frozen=True, kw_only=True):
    """How much a user leaves behind, and what becomes of it; with `only_count` the token that confirms it."""

    assets: int
    bytes: int
    message: str
    confirm: str | UnsetType = UNSET


class Rendering(Struct, frozen=True, kw_only=True):
    """The longest edge of each thumbnail in pixels, and how they are compressed; null where the server decides.

    The format is that of the small and the medium one; the large one is always JPEG, with a quality of its own.
    The policy says of which videos and recordings a version for browsers is made: smart is where they need one.
    """

    thumbnail_format: Literal["jpeg", "webp"] | None | UnsetType = UNSET
    thumbnail_quality: int | None | UnsetType = UNSET
    thumbnail_large_quality: int | None | UnsetType = UNSET
    thumbnail_small: int | None | UnsetType = UNSET
    thumbnail_medium: int | None | UnsetType = UNSET
    thumbnail_large: int | None | UnsetType = UNSET
    web_policy: Literal["always", "never", "smart"] | None | UnsetType = UNSET


class RenditionDTO(Struct, frozen=True, kw_only=True):
    """What else was made of an original: web, preview, waveform, waveform_image or motion."""

    kind: str
    mime_type: str
    bytes: int
    url: str


class RepairRequest(Struct, frozen=True, kw_only=True):
    rewrite_marker: UUID | None | UnsetType = UNSET


class Repaired(Struct, frozen=True, kw_only=True):
    """What was made, and what is still wrong."""

    valid: bool
    errors: list[str]
    warnings: list[str]
    repaired: list[str]


class ReplaceRequest(Struct, frozen=True, kw_only=True):
    """The `specific_metadata` that was shown, with other values for what a person can say."""

    specific_metadata: dict[str, Any]


class RepositoryDTO(Struct, frozen=True, kw_only=True):
    """A tree of originals; `reason` says why it is offline, and its settings are not known then.

    `warnings` say what of its settings makes no sense and is not honoured. `owner` is whose assets its finds become; it
    and `path` are told to administrators.
    """

    id: UUID
    name: str
    state: str
    reason: str | UnsetType = UNSET
    is_default: bool
    is_readonly: bool
    created_at: datetime
    storage_strategy: str | None
    local_settings: LocalSettings | None
    rendering: Rendering | None
    warnings: list[str] | UnsetType = UNSET
    path: str | UnsetType = UNSET
    owner: str | None | UnsetType = UNSET


class RepositoryList(Struct, frozen=True, kw_only=True):
    repositories: list[RepositoryDTO]


class Reprocess(Struct, frozen=True, kw_only=True):
    """Read and render each again, as `POST /assets/reprocess` does."""

    kind: Literal["reprocess"]
    scope: Literal["all", "failed", "missing", "web"] | UnsetType = UNSET


class ReprocessFilter(Struct, frozen=True, kw_only=True):
    """Which assets are meant; a span begins with `from` and ends before `to`, taken times are without a zone."""

    repository_id: UUID | None | UnsetType = UNSET
    type: Literal["AUDIO", "PHOTO", "VIDEO"] | None | UnsetType = UNSET
    mime_types: list[str] | None | UnsetType = UNSET
    taken_from: datetime | None | UnsetType = UNSET
    taken_to: datetime | None | UnsetType = UNSET
    uploaded_from: datetime | None | UnsetType = UNSET
    uploaded_to: datetime | None | UnsetType = UNSET
    ids: list[UUID] | None | UnsetType = UNSET


class ReprocessRequest(Struct, frozen=True, kw_only=True):
    """What is to be processed again; a filter that we do not know is refused, for it would leave out nothing."""

    scope: Literal["all", "failed", "missing", "web"]
    filter: ReprocessFilter | UnsetType = UNSET
    after: UUID | None | UnsetType = UNSET


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


class ResetRequest(Struct, frozen=True, kw_only=True):
    """The token that an administrator made, and the password from now on."""

    token: str
    password: str


class Restore(Struct, frozen=True, kw_only=True):
    """Take each back from the trash."""

    kind: Literal["restore"]


class Retried(Struct, frozen=True, kw_only=True):
    """How many stages are tried again, and when."""

    retried: int
    message: str


class ScanDTO(Struct, frozen=True, kw_only=True):
    """One run over a repository or a folder of it; `message` says in words where it stands and what to do.

    `asks` is how many files it would have to call missing, which a person is to allow, and `allowed` what a person has
    allowed. `path_encoded` is the folder without loss.
    """

    operation_id: int
    repository_id: UUID
    path: str
    path_encoded: str
    mode: str
    reason: str
    state: str
    message: str
    requested_by: int | None
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    counts: Counts
    asks: int | None
    allowed: int | None
    error: str | None


class ScanList(Struct, frozen=True, kw_only=True):
    """A page of runs, newest first; `next` asks for the page that follows, as `after`."""

    scans: list[ScanDTO]
    limit: int
    next: int | UnsetType = UNSET


class ScanProgress(Struct, frozen=True, kw_only=True):
    """A run, and what is left to be read and registered in all of its repository, whoever found it."""

    operation_id: int
    repository_id: UUID
    path: str
    path_encoded: str
    mode: str
    reason: str
    state: str
    message: str
    requested_by: int | None
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    counts: Counts
    asks: int | None
    allowed: int | None
    error: str | None
    left: Left


class ScanRequest(Struct, frozen=True, kw_only=True):
    """What is to be looked at: all of a repository, or the folder `path` as seen from its root.

    A name that is no UTF-8 is said by `path_encoded`, with percent signs, instead. `quick` looks only into folders that
    changed by their times. `accept_missing` is the id of the last run that asks: the same is done again, and may call
    as many files missing as that one counted.
    """

    path: str | UnsetType = UNSET
    path_encoded: str | UnsetType = UNSET
    mode: Literal["full", "quick"] | UnsetType = UNSET
    accept_missing: int | None | UnsetType = UNSET


class SearchAnswer(Struct, frozen=True, kw_only=True):
    """A page of what was found: by which parts of the search, and why others were left out.

    Where little is of the times and places that were understood, the rest follows from `others_from` of the list on.
    """

    assets: list[AssetDTO]
    limit: int
    offset: int
    total: int | UnsetType = UNSET
    total_is_at_least: bool | UnsetType = UNSET
    next: str | UnsetType = UNSET
    parts: list[str]
    left_out: dict[str, str]
    understood: Understood | UnsetType = UNSET
    others_from: int | UnsetType = UNSET


class SearchRequest(Struct, frozen=True, kw_only=True):
    """What to look for, and among which assets.

    `filename` finds what has every word of the query, or a part of a word, in its file's name, title, description or
    tags, whatever their case and accents. `semantic` finds what a picture shows. `auto` does all of it at once, and
    understands times, places, tags, labels and cameras too. These two go by how well something fits, not by `sort_by`.
    `today` is the day where the caller is, which may differ from that of UTC by one.
    """

    filter: AssetFilter | UnsetType = UNSET
    limit: int | UnsetType = UNSET
    offset: int | UnsetType = UNSET
    after: str | None | UnsetType = UNSET
    sort_by: Literal["filename", "rating", "size", "taken", "uploaded"] | UnsetType = UNSET
    sort_order: Literal["asc", "desc"] | UnsetType = UNSET
    query: str
    search_type: Literal["auto", "filename", "semantic"] | UnsetType = UNSET
    today: str | None | UnsetType = UNSET


class ServerState(Struct, frozen=True, kw_only=True):
    """What a server goes by; `server_epoch` changes when its catalogue was restored from a backup."""

    server_epoch: UUID


class ServerStatistics(Struct, frozen=True, kw_only=True):
    """How much each user has, without a word about what it is; `next` asks for the users that follow, as `after`."""

    users: list[UserTotals]
    limit: int
    next: int | UnsetType = UNSET


class Session(Struct, frozen=True, kw_only=True):
    """A sign-in: a browser, a phone, a program with a password."""

    session_id: UUID
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    user_agent: str
    address: str


class SessionList(Struct, frozen=True, kw_only=True):
    """A page of sign-ins, the last used first; `next` asks for the page that follows, as `after`."""

    sessions: list[SessionView]
    limit: int
    next: str | UnsetType = UNSET


class SessionView(Struct, frozen=True, kw_only=True):
    """A sign-in; `is_this` is the one that asks."""

    session: Session
    is_this: bool


class SetZone(Struct, frozen=True, kw_only=True):
    """Each was taken in a time zone, `Europe/Paris`.

    The clock's time stays as it is; with `keeps` = `moment` the moment does, and the time is told by the clock there.
    """

    kind: Literal["set_zone"]
    zone: str
    keeps: Literal["clock", "moment"] | UnsetType = UNSET


class Share(Struct, frozen=True, kw_only=True):
    """A link as the owner of the album sees it; what the link says was shown once."""

    share_id: int
    album_id: int
    label: str | None
    has_password: bool
    allow_download: bool
    show_location: bool
    expires_at: datetime | None
    is_expired: bool
    created_at: datetime


class ShareList(Struct, frozen=True, kw_only=True):
    """All links to an album, newest first."""

    shares: list[Share]


class SharedAlbum(Struct, frozen=True, kw_only=True):
    """An album as visitors see it."""

    album_name: str
    description: str | None
    asset_count: int
    allow_download: bool
    show_location: bool
    expires_at: datetime | None


class SharedAsset(Struct, frozen=True, kw_only=True):
    """An asset as visitors see it; each of its `urls` needs nothing else and works for an hour at most.

    Where it was taken is only said where the link allows that; the original is only there where it allows downloads.
    """

    asset_id: UUID
    type: str
    original_filename: str
    mime_type: str
    width: int | None
    height: int | None
    duration: float | None
    taken_time: datetime | None
    thumbhash: bytes | None
    location: Location | None
    urls: dict[str, str]


class SharedAssetList(Struct, frozen=True, kw_only=True):
    """A page of what an album shows; `next` asks for the page that follows, as `after`."""

    assets: list[SharedAsset]
    total: int
    limit: int
    next: str | UnsetType = UNSET


class ShiftTime(Struct, frozen=True, kw_only=True):
    """The camera's clock was wrong: each was taken so much later than is believed, or earlier."""

    kind: Literal["shift_time"]
    minutes: int | UnsetType = UNSET
    seconds: int | UnsetType = UNSET


class SimilarAssetDTO(Struct, frozen=True, kw_only=True):
    """An asset, and how much it looks like another one: 1 is the same, 0 has nothing to do with it."""

    asset_id: UUID
    owner_id: int
    repository_id: UUID | None
    type: str
    status: str
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
    similarity: float


class SimilarList(Struct, frozen=True, kw_only=True):
    """The most similar first; where nothing can be compared, `reason` says why."""

    assets: list[SimilarAssetDTO]
    limit: int
    reason: str | UnsetType = UNSET


class Species(Struct, frozen=True, kw_only=True):
    """What a model sees in a picture, and how sure it is: 1 is certain.

    `source` is the task by which it was seen, or `learnt`; `model` is empty where nobody said which it was.
    """

    label: str
    score: float
    source: str
    model: str


class StackDTO(Struct, frozen=True, kw_only=True):
    """Assets that belong together: a Live Photo, a raw file and what was developed from it, a burst, or by hand."""

    kind: str
    cover_asset_id: UUID
    members: list[MemberDTO]


class StackList(Struct, frozen=True, kw_only=True):
    """A page of stacks, the newest first; `next` asks for the page that follows, as `after`."""

    stacks: list[PutTogetherDTO]
    limit: int
    next: int | UnsetType = UNSET


class StackRequest(Struct, frozen=True, kw_only=True):
    """Assets in their order, and which of them stands for all; without one the first does."""

    asset_ids: list[UUID]
    cover_asset_id: UUID | None | UnsetType = UNSET


class StageIs(Struct, frozen=True, kw_only=True):
    """How far a kind of work is; without `stage` any kind."""

    state: Literal["blocked", "done", "failed", "pending", "running"]
    stage: str | None | UnsetType = UNSET


class StageList(Struct, frozen=True, kw_only=True):
    """A page of work that is not done; `next` asks for the page that follows, as `after`."""

    stages: list[Work]
    limit: int
    next: str | UnsetType = UNSET


class StageProgress(Struct, frozen=True, kw_only=True):
    """How far a stage of meaning is.

    Of `total` assets so many are `done`, `failed` or `due`; the others are not rendered, or their turn comes later.
    `model` is told of a stage that fills an embedding space; `time_left` is in words.
    """

    stage: str
    model: str | None
    is_served: bool
    total: int
    done: int
    due: int
    failed: int
    coverage_percent: float
    per_second: float
    seconds_left: float | None
    time_left: str


class StageState(Struct, frozen=True, kw_only=True):
    """How far one kind of work on an asset is, and why it failed if it did."""

    stage: str
    state: str
    error: str | None
    progress: Progress | None = None


class StageSummary(Struct, frozen=True, kw_only=True):
    """How much is not done, and the stages that nobody starts work on at the moment."""

    counts: list[Count]
    pauses: list[Pause]


class Statistics(Struct, frozen=True, kw_only=True):
    """A library in numbers: `shown` is what lists have, `files` and `bytes` all that is kept.

    `cameras` and `lenses` are those with the most pictures. `put` is what lists leave out, and why. `duplicates` are
    uploads of what was there already, and took no room.
    """

    shown: int
    kinds: list[KindTotals]
    years: list[YearTotals]
    cameras: list[Named]
    lenses: list[Named]
    places: Places
    put: Put
    duplicates: Duplicates
    storage: Storage


class Storage(Struct, frozen=True, kw_only=True):
    """What all of one's assets take, the trash among them, and what one may take; null is without an end."""

    bytes: int
    files: int
    quota_bytes: int | None
    quota_files: int | None


class SwitchRequest(Struct, frozen=True, kw_only=True):
    """The space that is to count."""

    space_id: int


class Switched(Struct, frozen=True, kw_only=True):
    """What the space is now, and what becomes of it."""

    space_id: int
    state: str
    message: str


class SyncDTO(Struct, frozen=True, kw_only=True):
    """How true the catalogue is to a repository's disk, and in `advice` what a person may do about it.

    `size` is of the files that are present; `hidden_assets` are in no list because none of their files is there.
    `uncompared` files were never read again since they came, the others were at the earliest at `compared_since`.
    `alarms` say what should not be so for long. `last` has the last run for each reason.
    """

    repository_id: UUID
    state: str
    reason: str | UnsetType = UNSET
    files: FileCounts
    size: int
    hidden_assets: int
    uncompared: int
    compared_since: datetime | None
    watched: Watched | None
    running: ScanDTO | None
    waiting: list[ScanDTO]
    asking: ScanDTO | None
    last: list[ScanDTO]
    alarms: list[str]
    advice: list[str]


class Tag(Struct, frozen=True, kw_only=True):
    """Give each some tags and take others away; what lies below those stays."""

    kind: Literal["tag"]
    add: list[str] | UnsetType = UNSET
    remove: list[str] | UnsetType = UNSET


class TagChanged(Struct, frozen=True, kw_only=True):
    """The work on all assets that have the tag, and what it is called when that is done; null when it is gone."""

    path: str | None
    operation: OperationDTO


class TagDTO(Struct, frozen=True, kw_only=True):
    """A tag, which lies below the one that its path begins with: `Places/Paris` below `Places`.

    `own_assets` have just this, `assets` this or one below it, as far as they are shown. One that `is_kept` was made by
    hand and stays without assets; all others vanish with their last one.
    """

    tag_id: int
    path: str
    name: str
    is_kept: bool
    has_children: bool
    own_assets: int
    assets: int


class TagList(Struct, frozen=True, kw_only=True):
    """A page of tags in the order of the tree; `next` asks for the page that follows, as `after`."""

    tags: list[TagDTO]
    limit: int
    next: str | UnsetType = UNSET


class TagRequest(Struct, frozen=True, kw_only=True):
    """The path of a tag, with `/` between levels."""

    path: str


class TaughtDTO(Struct, frozen=True, kw_only=True):
    """A label that the caller taught; `progress` says of how much of all it is said, 1 when it is ready.

    `error` says what it waits for, or why it cannot be learnt.
    """

    label_id: int
    label: str
    state: str
    progress: float
    examples: int
    counter_examples: int
    error: str | None
    created_at: datetime
    learnt_at: datetime | None


class TeachRequest(Struct, frozen=True, kw_only=True):
    """A label, pictures that show what it means, and such as only seem to."""

    label: str
    examples: list[UUID]
    counter_examples: list[UUID] | UnsetType = UNSET


class ThumbnailDTO(Struct, frozen=True, kw_only=True):
    size: str
    mime_type: str
    width: int
    height: int
    url: str


class TranscodeRequest(Struct, frozen=True, kw_only=True):
    """Whether an asset is to have a version for browsers: where it needs one, in any case, or not at all."""

    policy: Literal["always", "never", "smart"]


class Transcoding(Struct, frozen=True, kw_only=True):
    """What was asked for, and where it stands."""

    asset_id: UUID
    policy: str
    state: str
    message: str


class Trash(Struct, frozen=True, kw_only=True):
    """Put each into the trash."""

    kind: Literal["trash"]


class TrashChoice(Struct, frozen=True, kw_only=True):
    """What of the trash is meant: some assets, or all that lie there."""

    asset_ids: list[UUID] | None | UnsetType = UNSET
    all: bool | UnsetType = UNSET


class TrashList(Struct, frozen=True, kw_only=True):
    """A page of the trash, and how much lies in all of it; `next` asks for the page that follows, as `after`."""

    assets: list[TrashedDTO]
    count: int
    bytes: int
    next: str | UnsetType = UNSET


class TrashPurged(Struct, frozen=True, kw_only=True):
    """How many assets go for good and how many bytes that frees; with `only_count` the token that confirms it."""

    count: int
    bytes: int
    message: str
    confirm: str | UnsetType = UNSET


class TrashRestored(Struct, frozen=True, kw_only=True):
    """How many assets are back, and which cannot be taken back any more, a hundred of them at most."""

    count: int
    message: str
    going: list[UUID]


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


class Understood(Struct, frozen=True, kw_only=True):
    """What a query was taken to mean; `taken_in` and `located_in` can be used as they are in a filter.

    `dates` and `places` are its words that say when and where, and `words` the others, by which some tags, labels and
    cameras are called.
    """

    dates: list[str]
    taken_in: list[WallTimes]
    places: list[str]
    located_in: list[Whereabouts]
    words: str
    tags: list[str]
    labels: list[str]
    cameras: list[str]


class UploadList(Struct, frozen=True, kw_only=True):
    """A page of uploads; `next` asks for the page that follows, as `after`."""

    uploads: list[UploadState]
    limit: int
    next: int | UnsetType = UNSET


class UploadResponse(Struct, frozen=True, kw_only=True):
    """The bytes are safe on the disk; `duplicate` means that this content was already stored."""

    task_id: int
    asset_id: UUID
    status: str
    file_name: str
    size: int
    content_hash: str
    message: str


class UploadState(Struct, frozen=True, kw_only=True):
    """What became of an upload; `error` says in words why it failed."""

    task_id: int
    asset_id: UUID
    file_name: str
    size: int
    content_hash: str
    state: str
    error: str | None
    created_at: datetime
    settled_at: datetime | None


class UrlList(Struct, frozen=True, kw_only=True):
    """An address for each variant of each asset that the caller may see; all of them expire together."""

    urls: dict[str, dict[str, str]]
    expires_at: datetime


class UrlRequest(Struct, frozen=True, kw_only=True):
    """Which variants of which assets are to have addresses that need no sign-in."""

    asset_ids: list[UUID]
    variants: list[
        Literal[
            "audio", "large", "medium", "motion", "original", "preview", "small", "video", "waveform", "waveform_image"
        ]
    ]


class Usage(Struct, frozen=True, kw_only=True):
    """What a user's assets come to, in the trash or not, and what they may come to; null where there is no limit."""

    files: int
    bytes: int
    quota_files: int | None
    quota_bytes: int | None


class User(Struct, frozen=True, kw_only=True):
    """Somebody who may use this server."""

    user_id: int
    username: str
    email: str
    created_at: datetime
    is_active: bool
    is_admin: bool
    last_login: datetime | None


class UserChange(Struct, frozen=True, kw_only=True):
    """What is to be otherwise; a quota of null is none."""

    email: str | UnsetType = UNSET
    is_admin: bool | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    quota_bytes: int | None | UnsetType = UNSET
    quota_files: int | None | UnsetType = UNSET


class UserList(Struct, frozen=True, kw_only=True):
    """A page of users, the oldest first; `next` asks for the page that follows, as `after`."""

    users: list[Account]
    limit: int
    next: str | UnsetType = UNSET


class UserRemoval(Struct, frozen=True, kw_only=True):
    """What becomes of the assets of a user who is to be deleted: another user gets them, or they go for good.

    `only_count` does nothing but say how much that is; `confirm` is what its answer, or the first one, gave.
    """

    assets: Literal["transfer", "trash_and_purge"]
    to: int | None | UnsetType = UNSET
    only_count: bool | UnsetType = UNSET
    confirm: str | None | UnsetType = UNSET


class UserRequest(Struct, frozen=True, kw_only=True):
    """Somebody to be let in: with a name, an address and a password, or by an invitation with none of these."""

    username: str | None | UnsetType = UNSET
    email: str | None | UnsetType = UNSET
    password: str | None | UnsetType = UNSET
    is_admin: bool | UnsetType = UNSET
    quota_bytes: int | None | UnsetType = UNSET
    quota_files: int | None | UnsetType = UNSET


class UserTotals(Struct, frozen=True, kw_only=True):
    """What a user has, and may have."""

    user_id: int
    username: str
    is_active: bool
    shown: int
    files: int
    bytes: int
    quota_bytes: int | None
    quota_files: int | None


class Validation(Struct, frozen=True, kw_only=True):
    """What is wrong with a repository on the disk, in words; warnings do not keep it from working."""

    valid: bool
    errors: list[str]
    warnings: list[str]


class Visit(Struct, frozen=True, kw_only=True):
    """What further requests are sent with, as `Authorization: Share VISITOR`, and until when."""

    visitor: str
    expires_at: datetime


class WallTimes(Struct, frozen=True, kw_only=True):
    """From a time on, before another one, by the clock where it was taken; without a zone."""

    from_: datetime | None | UnsetType = field(default=UNSET, name="from")
    to: datetime | None | UnsetType = UNSET


class Watched(Struct, frozen=True, kw_only=True):
    """How changes are noticed between scans; `note` says why, where a person may do something about it.

    The kernel watches `folders`, the `unwatched` ones are compared every minute; it forgot something `overflows` times.
    """

    mode: str
    folders: int
    unwatched: int
    overflows: int
    note: str | None


class Whereabouts(Struct, frozen=True, kw_only=True):
    """In any of these countries, regions or cities, as `filter-options` writes them."""

    countries: list[str] | UnsetType = UNSET
    regions: list[str] | UnsetType = UNSET
    cities: list[str] | UnsetType = UNSET


class Work(Struct, frozen=True, kw_only=True):
    """One stage of one asset that is not done; `next_at` is when it may be tried, null when it will not be."""

    asset_id: UUID
    owner_id: int
    file_name: str
    stage: str
    state: str
    lane: int
    failures: int
    deaths: int
    error: str | None
    error_class: str | None
    next_at: datetime | None
    changed_at: datetime
    progress: Progress | None


class YearTotals(Struct, frozen=True, kw_only=True):
    year: int
    shown: int
    files: int
    bytes: int


def add_asset(album_id: int, asset_id: UUID, body: AddAsset | None | UnsetType = UNSET) -> Call[Message]:
    """Put an asset of the caller's own into an album; one that is in it stays where it is.

    The body may be left out.

    An API key needs the scope `edit`.
    """
    return Call("POST", f"/api/v1/albums/{album_id}/assets/{asset_id}", Message, body=body)


def add_assets(album_id: int, body: AddAssets) -> Call[Message]:
    """Put up to 10,000 assets of the caller's own into an album, in their order: all, or none if one is unknown.

    An API key needs the scope `edit`.
    """
    return Call("POST", f"/api/v1/albums/{album_id}/assets", Message, body=body)


def add_label_examples(label_id: int, body: ExamplesRequest) -> Call[TaughtDTO]:
    """Have a label that the caller taught learnt anew, by more pictures; it stays where it is until then.

    An API key needs the scope `edit`.
    """
    return Call("PATCH", f"/api/v1/labels/{label_id}", TaughtDTO, body=body)


def add_member(album_id: int, body: AddMember) -> Call[Member]:
    """Share one of the caller's albums with somebody, by the exact user name.

    An API key needs the scope `share`.
    """
    return Call("POST", f"/api/v1/albums/{album_id}/members", Member, body=body)


def add_to_album(asset_id: UUID, album_id: int) -> Call[Message]:
    """The same from the side of the asset: it goes to the end of the album.

    An API key needs the scope `edit`.
    """
    return Call("POST", f"/api/v1/assets/{asset_id}/albums/{album_id}", Message)


def archive_asset(asset_id: UUID, body: ArchiveRequest) -> Call[Message]:
    """Have the timeline leave out one of the caller's assets, or show it again; it is kept as well as any other.

    An API key needs the scope `edit`.
    """
    return Call("PUT", f"/api/v1/assets/{asset_id}/archive", Message, body=body)


def audio_web(asset_id: UUID) -> File:
    """A recording as every browser plays it: a version of its own once there is one, else the original.

    An API key needs the scope `read`.
    """
    return File("GET", f"/api/v1/assets/{asset_id}/audio/web", bytes)


def backfill_ml(body: BackfillRequest) -> Call[Backfilled]:
    """Look at all assets for what they lack of a stage or of all, and try again what failed.

    For administrators.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("POST", "/api/v1/ml/backfill", Backfilled, body=body)


def cancel_transcode(asset_id: UUID) -> Call[Transcoding]:
    """Stop making a version for browsers and have none, until somebody wants one.

    An API key needs the scope `edit`.
    """
    return Call("DELETE", f"/api/v1/assets/{asset_id}/transcode", Transcoding)


def change_album(album_id: int, body: ChangeAlbum) -> Call[Album]:
    """Call one of the caller's albums something else, or give it another cover.

    An API key needs the scope `edit`.
    """
    return Call("PUT", f"/api/v1/albums/{album_id}", Album, body=body)


def change_member(album_id: int, user_id: int, body: ChangeMember) -> Call[Member]:
    """Let a member of one of the caller's albums do more there, or less.

    An API key needs the scope `share`.
    """
    return Call("PUT", f"/api/v1/albums/{album_id}/members/{user_id}", Member, body=body)


def change_owner(repository_id: UUID, body: OwnerRequest) -> Call[RepositoryDTO]:
    """What is found in the repository from now on becomes this user's; what was found before stays whose it is.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("PUT", f"/api/v1/repositories/{repository_id}/owner", RepositoryDTO, body=body)


def change_password(body: PasswordChange) -> Call[Message]:
    """Take another password, by showing the old one; every other sign-in of the caller ends.

    For people who signed in with a password: an API key may not do this.
    """
    return Call("PUT", "/api/v1/auth/password", Message, body=body)


def change_share(album_id: int, share_id: int, body: ChangeShare) -> Call[Share]:
    """Let a link allow something else, end earlier or later, or have another password.

    An API key needs the scope `share`.
    """
    return Call("PUT", f"/api/v1/albums/{album_id}/shares/{share_id}", Share, body=body)


def change_stack(stack_id: int, body: CoverRequest) -> Call[PutTogetherDTO]:
    """Have another asset stand for a stack of the caller's.

    An API key needs the scope `edit`.
    """
    return Call("PATCH", f"/api/v1/stacks/{stack_id}", PutTogetherDTO, body=body)


def change_user(user_id: int, body: UserChange) -> Call[Account]:
    """Change a user's address, quotas, and whether they may sign in or administer; one administrator always stays.

    For administrators who signed in with a password: an API key may not do this.
    """
    return Call("PATCH", f"/api/v1/users/{user_id}", Account, body=body)


def count_days(body: DaysRequest) -> Call[DayList]:
    """How many of the caller's assets each day of a month has that a filter wants.

    An API key needs the scope `read`.
    """
    return Call("POST", "/api/v1/timeline/days", DayList, body=body)


def count_months(body: MonthsRequest) -> Call[MonthList]:
    """How many of the caller's assets each month has that a filter wants.

    An API key needs the scope `read`.
    """
    return Call("POST", "/api/v1/timeline/months", MonthList, body=body)


def create_album(body: CreateAlbum) -> Call[Album]:
    """An album of the caller's own, empty.

    An API key needs the scope `edit`.
    """
    return Call("POST", "/api/v1/albums", Album, body=body)


def create_repository(body: CreateRepository) -> Call[RepositoryDTO]:
    """Make a repository of a new directory, or of one with photos in it, which stay as they are.

    What its `.lumiliorepo` says, if it has one, goes before what is sent. A directory that may not be written to becomes a repository that takes no uploads.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("POST", "/api/v1/repositories", RepositoryDTO, body=body)


def create_share(album_id: int, body: CreateShare | None | UnsetType = UNSET) -> Call[NewShare]:
    """A new link to one of the caller's albums; only this answer says what it is.

    The body may be left out.

    An API key needs the scope `share`.
    """
    return Call("POST", f"/api/v1/albums/{album_id}/shares", NewShare, body=body)


def delete_album(album_id: int) -> Call[Message]:
    """Delete one of the caller's albums and its links; the assets in it stay where they are.

    An API key needs the scope `delete`.
    """
    return Call("DELETE", f"/api/v1/albums/{album_id}", Message)


def delete_asset_tag(asset_id: UUID, tag_id: int) -> Call[AssetTags]:
    """Take one of the caller's tags away from one of their assets; those below it stay.

    An API key needs the scope `edit`.
    """
    return Call("DELETE", f"/api/v1/assets/{asset_id}/tags/{tag_id}", AssetTags)


def delete_label(label_id: int) -> Call[Message]:
    """Forget a label that the caller taught: no picture has it any more, unless a model says the same.

    An API key needs the scope `edit`.
    """
    return Call("DELETE", f"/api/v1/labels/{label_id}", Message)


def delete_stack(stack_id: int) -> Call[Message]:
    """Take a stack of the caller's apart; its assets stay.

    An API key needs the scope `edit`.
    """
    return Call("DELETE", f"/api/v1/stacks/{stack_id}", Message)


def delete_tag(tag_id: int) -> Call[TagChanged]:
    """Delete a tag and all that lies below it, at every asset that has it, as an operation that can be watched.

    An API key needs the scope `edit`.
    """
    return Call("DELETE", f"/api/v1/tags/{tag_id}", TagChanged)


def describe() -> Call[ServerState]:
    """Which history of the catalogue this is.

    After a restore from a backup it has another `server_epoch`: what a client knows by then may not be there, so it compares its list with the server's once more, and sends again what is missing.
    """
    return Call("GET", "/api/v1/server", ServerState)


def describe_asset(asset_id: UUID, body: DescribeRequest) -> Call[Message]:
    """Describe one of the caller's assets.

    An API key needs the scope `edit`.
    """
    return Call("PUT", f"/api/v1/assets/{asset_id}/description", Message, body=body)


def dismiss_duplicates(body: DismissRequest) -> Call[Message]:
    """Say that some of the caller's assets only look alike: no two of them are in a group for that, now or later.

    An API key needs the scope `edit`.
    """
    return Call("POST", "/api/v1/duplicates/dismiss", Message, body=body)


def download(ticket: str) -> File:
    """The archive that a link is for, of just the length that was announced.

    A file that cannot be read is left out, and `missing files.txt` in the archive says so. A download that breaks off is not whole: something in it was changed, or may not be seen any more.
    """
    return File("GET", f"/api/v1/downloads/{quote(ticket, safe='')}", bytes)


def download_shared(token: str, *, authorization: str | None = None) -> File:
    """All originals of the album in one archive (ZIP, not compressed), where the link allows downloads."""
    return File(
        "GET", f"/api/v1/shared/{quote(token, safe='')}/download", bytes, headers={"Authorization": authorization}
    )


def edit_asset(asset_id: UUID, body: EditRequest) -> Call[AssetDetail]:
    """Say something of one of the caller's assets; what is not named stays as it is.

    null wants nothing to be shown there, and `reset` names what the file is to be asked for again. `taken_time` is the time on the clock where it was taken, without a zone; `tags` are all of its tags, with `/` between levels.

    An API key needs the scope `edit`.
    """
    return Call("PATCH", f"/api/v1/assets/{asset_id}", AssetDetail, body=body)


def end_others() -> Call[Message]:
    """End all sign-ins of the caller but the one that asks.

    For people who signed in with a password: an API key may not do this.
    """
    return Call("DELETE", "/api/v1/auth/sessions", Message)


def end_session(session_id: UUID) -> Call[Message]:
    """End one of the caller's sign-ins: its tokens are worth nothing from now on.

    For people who signed in with a password: an API key may not do this.
    """
    return Call("DELETE", f"/api/v1/auth/sessions/{session_id}", Message)


def filter_assets(body: FilterRequest) -> Listing[AssetList, AssetDTO]:
    """Those of the caller's assets for which all holds that the filter says.

    An API key needs the scope `read`.
    """
    return Listing("POST", "/api/v1/assets/filter", AssetList, body=body, field="assets")


def find_bucket(body: BucketRequest) -> Call[Bucket]:
    """The caller's assets of a month or a day that a filter wants, the newest first.

    An API key needs the scope `read`.
    """
    return Call("POST", "/api/v1/timeline/bucket", Bucket, body=body)


def find_clusters(body: ClustersRequest) -> Call[ClusterList]:
    """The caller's pictures that a filter wants on a part of the map, clustered.

    An API key needs the scope `read`.
    """
    return Call("POST", "/api/v1/map/clusters", ClusterList, body=body)


def follow_url(asset_id: UUID, variant: str) -> File:
    """What a signed address is about; the address itself is all that a client needs."""
    return File("GET", f"/media/{asset_id}/{quote(variant, safe='')}", bytes)


def get_album(album_id: int) -> Call[Album]:
    """An album that the caller has part in.

    An API key needs the scope `read`.
    """
    return Call("GET", f"/api/v1/albums/{album_id}", Album)


def get_asset(
    asset_id: UUID,
    *,
    include_thumbnails: str | None = None,
    include_tags: str | None = None,
    include_albums: str | None = None,
    include_species: str | None = None,
) -> Call[AssetDetail]:
    """An asset that the caller may see, with its thumbnails; to its owner also how far its processing is.

    Whatever is `include`d by anything but `true` is left out.

    An API key needs the scope `read`.
    """
    return Call(
        "GET",
        f"/api/v1/assets/{asset_id}",
        AssetDetail,
        {
            "include_thumbnails": include_thumbnails,
            "include_tags": include_tags,
            "include_albums": include_albums,
            "include_species": include_species,
        },
    )


def get_bucket(
    *, month: str | None = None, day: str | None = None, limit: int | None = None, after: str | None = None
) -> Call[Bucket]:
    """The caller's assets of a month or a day, the newest first; 304 while nothing of the page has changed.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/timeline/bucket", Bucket, {"month": month, "day": day, "limit": limit, "after": after})


def get_member(album_id: int, user_id: int) -> Call[Member]:
    """One of those who have part in an album.

    An API key needs the scope `read`.
    """
    return Call("GET", f"/api/v1/albums/{album_id}/members/{user_id}", Member)


def get_ml_status() -> Call[MeaningStatus]:
    """How far each stage of meaning is, which spaces and servers there are, and what is missing.

    For administrators.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("GET", "/api/v1/ml", MeaningStatus)


def get_operation(operation_id: int) -> Call[OperationDTO]:
    """How far an operation of the caller is, and with which assets it could not be done.

    An API key needs the scope `read`.
    """
    return Call("GET", f"/api/v1/operations/{operation_id}", OperationDTO)


def get_repository(repository_id: UUID) -> Call[RepositoryDTO]:
    """One repository, with its settings and whether it is there.

    An API key needs the scope `read`.
    """
    return Call("GET", f"/api/v1/repositories/{repository_id}", RepositoryDTO)


def get_scan(repository_id: UUID, operation_id: int) -> Call[ScanProgress]:
    """One run over a repository with its counts so far, and what is left to be read.

    For administrators.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("GET", f"/api/v1/repositories/{repository_id}/scans/{operation_id}", ScanProgress)


def get_server_statistics(
    *, limit: int | None = None, after: int | None = None
) -> Listing[ServerStatistics, UserTotals]:
    """How much each user has.

    For administrators.

    For administrators; an API key needs the scope `admin`.
    """
    return Listing(
        "GET", "/api/v1/statistics/server", ServerStatistics, {"limit": limit, "after": after}, field="users"
    )


def get_shared(token: str, *, authorization: str | None = None) -> Call[SharedAlbum]:
    """The album that a link leads to."""
    return Call("GET", f"/api/v1/shared/{quote(token, safe='')}", SharedAlbum, headers={"Authorization": authorization})


def get_shared_asset(token: str, asset_id: UUID, *, authorization: str | None = None) -> Call[SharedAsset]:
    """One asset of the album, with new addresses."""
    return Call(
        "GET",
        f"/api/v1/shared/{quote(token, safe='')}/assets/{asset_id}",
        SharedAsset,
        headers={"Authorization": authorization},
    )


def get_statistics(*, top: int | None = None) -> Call[Statistics]:
    """How much the caller has of what; `top` is how many cameras and lenses are told.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/statistics", Statistics, {"top": top})


def get_sync(repository_id: UUID) -> Call[SyncDTO]:
    """How true the catalogue is to a repository's disk, and what a person may do about it.

    For administrators.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("GET", f"/api/v1/repositories/{repository_id}/sync", SyncDTO)


def get_upload(task_id: int) -> Call[UploadState]:
    """What became of one of the caller's uploads.

    An API key needs the scope `read`.
    """
    return Call("GET", f"/api/v1/assets/uploads/{task_id}", UploadState)


def get_user(user_id: int) -> Call[Account]:
    """One user.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("GET", f"/api/v1/users/{user_id}", Account)


def is_alive() -> Call[Health]:
    """The process answers."""
    return Call("GET", "/api/v1/health", Health)


def is_ready() -> Call[Readiness]:
    """Whether work can be taken, and what is wrong if anything is."""
    return Call("GET", "/api/v1/health/ready", Readiness)


def let_reset(user_id: int) -> Call[OneTimeToken]:
    """A token with which the user chooses a new password, once and within a day.

    For administrators who signed in with a password: an API key may not do this.
    """
    return Call("POST", f"/api/v1/users/{user_id}/reset", OneTimeToken)


def like_asset(asset_id: UUID, body: LikeRequest) -> Call[Message]:
    """Say whether the caller likes one of their assets.

    An API key needs the scope `edit`.
    """
    return Call("PUT", f"/api/v1/assets/{asset_id}/like", Message, body=body)


def list_album_assets(
    album_id: int,
    *,
    sort: Literal["added", "position", "taken"] | None = None,
    sort_order: Literal["asc", "desc"] | None = None,
    limit: int | None = None,
    offset: int | None = None,
    after: str | None = None,
) -> Listing[AlbumAssetList, AlbumAsset]:
    """What an album shows, in its own order or by the time something was taken or added.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET",
        f"/api/v1/albums/{album_id}/assets",
        AlbumAssetList,
        {"sort": sort, "sort_order": sort_order, "limit": limit, "offset": offset, "after": after},
        field="assets",
    )


def list_albums(
    *,
    whose: Literal["all", "mine", "shared"] | None = None,
    limit: int | None = None,
    offset: int | None = None,
    after: str | None = None,
) -> Listing[AlbumList, Album]:
    """The caller's albums, newest first; `whose=shared` lists those that others share with them, `whose=all` both.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET",
        "/api/v1/albums",
        AlbumList,
        {"whose": whose, "limit": limit, "offset": offset, "after": after},
        field="albums",
    )


def list_albums_of(asset_id: UUID) -> Call[AlbumsOf]:
    """The albums that an asset is in, of those that the caller has part in; newest first.

    An API key needs the scope `read`.
    """
    return Call("GET", f"/api/v1/assets/{asset_id}/albums", AlbumsOf)


def list_assets(
    *,
    type: str | None = None,
    types: str | None = None,
    owner_id: int | None = None,
    limit: int | None = None,
    offset: int | None = None,
    sort_by: Literal["filename", "rating", "size", "taken", "uploaded"] | None = None,
    sort_order: Literal["asc", "desc"] | None = None,
    after: str | None = None,
) -> Listing[AssetList, AssetDTO]:
    """The caller's own assets by the time they were taken; `after` takes the `next` of the page before.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET",
        "/api/v1/assets",
        AssetList,
        {
            "type": type,
            "types": types,
            "owner_id": owner_id,
            "limit": limit,
            "offset": offset,
            "sort_by": sort_by,
            "sort_order": sort_order,
            "after": after,
        },
        field="assets",
    )


def list_audit(
    *, action: str | None = None, user_id: int | None = None, limit: int | None = None, after: str | None = None
) -> Listing[AuditList, AuditEntry]:
    """Sign-ins, keys, shares, deletions and what administrators did, the latest first; nobody can change any of it.

    For administrators; an API key needs the scope `admin`.
    """
    return Listing(
        "GET",
        "/api/v1/audit",
        AuditList,
        {"action": action, "user_id": user_id, "limit": limit, "after": after},
        field="entries",
    )


def list_clusters(*, zoom: int, bbox: str | None = None) -> Call[ClusterList]:
    """The caller's pictures on a part of the map, clustered; `bbox` is `west,south,east,north` in degrees.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/map/clusters", ClusterList, {"zoom": zoom, "bbox": bbox})


def list_days(*, month: str) -> Call[DayList]:
    """How many of the caller's assets each day of a month has.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/timeline/days", DayList, {"month": month})


def list_days_before(*, date: str | None = None, limit: int | None = None) -> Call[DaysBefore]:
    """The caller's pictures of a day, `MM-DD` or `today`, in other years: of each the liked and best rated first.

    `today` is by UTC: a client that knows better says the day. The 29th of February is remembered on the 28th of years that have none.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/on-this-day", DaysBefore, {"date": date, "limit": limit})


def list_duplicates(
    *, kind: Literal["exact", "near"] | None = None, limit: int | None = None, after: UUID | None = None
) -> Listing[DuplicatesList, DuplicatesDTO]:
    """The caller's assets that look alike, in groups; or, as `exact`, those that lie at several paths.

    Nothing is found while no ml-dispatcher runs; it needs no model for this.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET", "/api/v1/duplicates", DuplicatesList, {"kind": kind, "limit": limit, "after": after}, field="groups"
    )


def list_files(
    repository_id: UUID,
    *,
    state: Literal["corrupt", "missing", "other", "unread"],
    limit: int | None = None,
    after: str | None = None,
) -> Listing[FileList, FileDTO]:
    """Files that are missing, corrupt, unread, or nothing that is taken, by their paths.

    For administrators.

    For administrators; an API key needs the scope `admin`.
    """
    return Listing(
        "GET",
        f"/api/v1/repositories/{repository_id}/files",
        FileList,
        {"state": state, "limit": limit, "after": after},
        field="files",
    )


def list_filter_options() -> Call[FilterOptions]:
    """What there is to choose by among the caller's assets.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/assets/filter-options", FilterOptions)


def list_folder_assets(
    *,
    repository_id: UUID,
    path: str | None = None,
    path_encoded: str | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> Listing[FolderAssets, AssetDTO]:
    """The caller's assets that lie in a folder of a repository, by name; what lies below it is left out.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET",
        "/api/v1/folders/assets",
        FolderAssets,
        {"repository_id": repository_id, "path": path, "path_encoded": path_encoded, "limit": limit, "after": after},
        field="assets",
    )


def list_folders(
    *,
    repository_id: UUID,
    path: str | None = None,
    path_encoded: str | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> Listing[FolderList, FolderDTO]:
    """Folders in a folder of a repository that hold assets of the caller; without a path those at its root.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET",
        "/api/v1/folders",
        FolderList,
        {"repository_id": repository_id, "path": path, "path_encoded": path_encoded, "limit": limit, "after": after},
        field="folders",
    )


def list_invites(*, limit: int | None = None, after: str | None = None) -> Listing[InviteList, OpenInvite]:
    """The invitations that nobody has used yet, whoever made them; `after` takes the `next` before.

    For administrators; an API key needs the scope `admin`.
    """
    return Listing("GET", "/api/v1/invites", InviteList, {"limit": limit, "after": after}, field="invites")


def list_keys(*, limit: int | None = None, after: str | None = None) -> Listing[KeyList, Key]:
    """The caller's keys, the newest first, without what opens; `after` takes the `next` before.

    For people who signed in with a password: an API key may not do this.
    """
    return Listing("GET", "/api/v1/auth/keys", KeyList, {"limit": limit, "after": after}, field="keys")


def list_labels(*, limit: int | None = None, after: str | None = None) -> Call[LabelList]:
    """The labels of the caller's pictures by name, and what the caller taught; `after` takes the `next` before.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/labels", LabelList, {"limit": limit, "after": after})


def list_liked(
    *, limit: int | None = None, offset: int | None = None, after: str | None = None
) -> Listing[AssetList, AssetDTO]:
    """The caller's assets that they like.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET", "/api/v1/assets/liked", AssetList, {"limit": limit, "offset": offset, "after": after}, field="assets"
    )


def list_members(album_id: int) -> Call[MemberList]:
    """Everybody who has part in an album, its owner first.

    An API key needs the scope `read`.
    """
    return Call("GET", f"/api/v1/albums/{album_id}/members", MemberList)


def list_months() -> Call[MonthList]:
    """How many of the caller's assets each month has.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/timeline/months", MonthList)


def list_operations(*, limit: int | None = None, after: int | None = None) -> Listing[OperationList, OperationDTO]:
    """What the caller had done with many assets in the last month, the newest first.

    An API key needs the scope `read`.
    """
    return Listing("GET", "/api/v1/operations", OperationList, {"limit": limit, "after": after}, field="operations")


def list_points(
    *, bbox: str | None = None, limit: int | None = None, after: str | None = None
) -> Listing[PointList, Point]:
    """The caller's pictures of a part of the map one by one; `bbox` is `west,south,east,north` in degrees.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET", "/api/v1/map/points", PointList, {"bbox": bbox, "limit": limit, "after": after}, field="points"
    )


def list_rated(
    rating: int, *, limit: int | None = None, offset: int | None = None, after: str | None = None
) -> Listing[AssetList, AssetDTO]:
    """The caller's assets with so many stars; 0 are none.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET",
        f"/api/v1/assets/rating/{rating}",
        AssetList,
        {"limit": limit, "offset": offset, "after": after},
        field="assets",
    )


def list_repositories() -> Call[RepositoryList]:
    """Every repository, with its settings and whether it is there; administrators see where it lies.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/repositories", RepositoryList)


def list_scans(
    repository_id: UUID, *, limit: int | None = None, after: int | None = None
) -> Listing[ScanList, ScanDTO]:
    """Runs over a repository, newest first; `after` takes the `next` of the page before.

    For administrators.

    For administrators; an API key needs the scope `admin`.
    """
    return Listing(
        "GET", f"/api/v1/repositories/{repository_id}/scans", ScanList, {"limit": limit, "after": after}, field="scans"
    )


def list_sessions(*, limit: int | None = None, after: str | None = None) -> Listing[SessionList, SessionView]:
    """Where the caller is signed in, the last used first; `after` takes the `next` before.

    For people who signed in with a password: an API key may not do this.
    """
    return Listing("GET", "/api/v1/auth/sessions", SessionList, {"limit": limit, "after": after}, field="sessions")


def list_shared(
    token: str, *, limit: int | None = None, after: str | None = None, authorization: str | None = None
) -> Listing[SharedAssetList, SharedAsset]:
    """What the album shows, in its own order, with addresses that a page can put into its pictures."""
    return Listing(
        "GET",
        f"/api/v1/shared/{quote(token, safe='')}/assets",
        SharedAssetList,
        {"limit": limit, "after": after},
        headers={"Authorization": authorization},
        field="assets",
    )


def list_shares(album_id: int) -> Call[ShareList]:
    """The links to an album that the caller has part in, a hundred at most.

    An API key needs the scope `share`.
    """
    return Call("GET", f"/api/v1/albums/{album_id}/shares", ShareList)


def list_similar(asset_id: UUID, *, limit: int | None = None) -> Call[SimilarList]:
    """Those of the caller's own assets that look most like one that they may see, without what is hidden.

    An API key needs the scope `read`.
    """
    return Call("GET", f"/api/v1/assets/{asset_id}/similar", SimilarList, {"limit": limit})


def list_stacks(*, limit: int | None = None, after: int | None = None) -> Listing[StackList, PutTogetherDTO]:
    """What the caller put together, the newest first; where fewer than two are shown it is no stack.

    An API key needs the scope `read`.
    """
    return Listing("GET", "/api/v1/stacks", StackList, {"limit": limit, "after": after}, field="stacks")


def list_stages(
    *,
    state: Literal["blocked", "failed", "pending", "running"] | None = None,
    stage: str | None = None,
    error_class: Literal["permanent", "poison", "transient", "waiting"] | None = None,
    repository_id: UUID | None = None,
    all: bool | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> Listing[StageList, Work]:
    """Work on the caller's assets that is not done, the last change first; administrators see `all`.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET",
        "/api/v1/stages",
        StageList,
        {
            "state": state,
            "stage": stage,
            "error_class": error_class,
            "repository_id": repository_id,
            "all": all,
            "limit": limit,
            "after": after,
        },
        field="stages",
    )


def list_tags(
    *, parent: str | None = None, prefix: str | None = None, limit: int | None = None, after: str | None = None
) -> Listing[TagList, TagDTO]:
    """The caller's tags in the order of the tree, each with how many assets have it.

    `parent` asks for those right below one, empty for the top; `prefix` for those of which a level begins so, upper and lower case being the same. `after` takes the `next` of the page before.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET",
        "/api/v1/tags",
        TagList,
        {"parent": parent, "prefix": prefix, "limit": limit, "after": after},
        field="tags",
    )


def list_trash(*, limit: int | None = None, after: str | None = None) -> Listing[TrashList, TrashedDTO]:
    """What the caller threw away, the newest first, and when it goes for good; `after` takes the `next` before.

    An API key needs the scope `read`.
    """
    return Listing("GET", "/api/v1/trash", TrashList, {"limit": limit, "after": after}, field="assets")


def list_types() -> Call[AssetTypes]:
    """What an asset can be.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/assets/types", AssetTypes)


def list_uploads(
    *,
    limit: int | None = None,
    after: int | None = None,
    state: Literal["duplicate", "failed", "processing", "ready"] | None = None,
) -> Listing[UploadList, UploadState]:
    """What became of the caller's uploads, newest first; `after` takes the `next` of the page before.

    An API key needs the scope `read`.
    """
    return Listing(
        "GET", "/api/v1/assets/uploads", UploadList, {"limit": limit, "after": after, "state": state}, field="uploads"
    )


def list_users(*, limit: int | None = None, after: str | None = None) -> Listing[UserList, Account]:
    """Everybody who has an account, the oldest first; `after` takes the `next` before.

    For administrators; an API key needs the scope `admin`.
    """
    return Listing("GET", "/api/v1/users", UserList, {"limit": limit, "after": after}, field="users")


def login(body: LoginRequest) -> Call[AuthResponse]:
    """A pair of tokens for a name and a password; 429 after ten wrong ones within a quarter of an hour."""
    return Call("POST", "/api/v1/auth/login", AuthResponse, body=body)


def logout(body: RefreshRequest) -> Call[None]:
    """End a sign-in: none of its tokens is worth anything any more."""
    return Call("POST", "/api/v1/auth/logout", None, body=body)


def make_default(repository_id: UUID) -> Call[RepositoryDTO]:
    """Uploads that name no repository go to this one from now on.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("PUT", f"/api/v1/repositories/{repository_id}/default", RepositoryDTO)


def make_key(body: KeyRequest) -> Call[MadeKey]:
    """Make a key, to be sent as `Authorization: Bearer lum_...`; it is told this once.

    For people who signed in with a password: an API key may not do this.
    """
    return Call("POST", "/api/v1/auth/keys", MadeKey, body=body)


def make_stack(body: StackRequest) -> Call[PutTogetherDTO]:
    """Put some of the caller's assets together, each of which is in no other such stack.

    What is derived from files, as Live Photos are, stays beside it; and this stays however often files are read again.

    An API key needs the scope `edit`.
    """
    return Call("POST", "/api/v1/stacks", PutTogetherDTO, body=body)


def make_tag(body: TagRequest) -> Call[TagDTO]:
    """Make a tag, and those that it lies below; it stays until it is deleted, also while no asset has it.

    An API key needs the scope `edit`.
    """
    return Call("POST", "/api/v1/tags", TagDTO, body=body)


def make_user(body: UserRequest) -> Call[MadeUser]:
    """Make a user with a name, an address and a password; without these, an invitation for somebody.

    For administrators who signed in with a password: an API key may not do this.
    """
    return Call("POST", "/api/v1/users", MadeUser, body=body)


def me() -> Call[Me]:
    """Who the caller is, what they may do: all, or what the key's scopes allow; and how much of it they have stored."""
    return Call("GET", "/api/v1/auth/me", Me)


def merge_duplicates(body: MergeRequest) -> Call[MergedDTO]:
    """Have one of the caller's assets stand for others, which go into the trash and can be taken back; all or nothing.

    It gets their albums, tags and hearts, and title, description, stars and place where it has none. A key needs the scope `delete` as well.

    An API key needs the scope `edit`.
    """
    return Call("POST", "/api/v1/duplicates/merge", MergedDTO, body=body)


def motion(asset_id: UUID) -> File:
    """What moves in a photo: the video inside a motion photo, or the one that belongs to a Live Photo's still.

    The latter as browsers play it, once there is such a version.

    An API key needs the scope `read`.
    """
    return File("GET", f"/api/v1/assets/{asset_id}/motion", bytes)


def move_asset(album_id: int, asset_id: UUID, body: MoveAsset) -> Call[Message]:
    """Let an asset stand at this place of one of the caller's albums, the first being 0; the others close up.

    An API key needs the scope `edit`.
    """
    return Call("PUT", f"/api/v1/albums/{album_id}/assets/{asset_id}/position", Message, body=body)


def offer_download(body: DownloadRequest) -> Call[DownloadLink]:
    """A link to an archive (ZIP, not compressed) of originals: some assets, an album, or all that a filter finds.

    The link needs no sign-in, so a browser can follow it; it is good for once, and for five minutes to begin with.

    An API key needs the scope `read`.
    """
    return Call("POST", "/api/v1/downloads", DownloadLink, body=body)


def open_share(token: str, body: OpenShare | None | UnsetType = UNSET) -> Call[Visit]:
    """Follow a link, with its password where it has one; the answer opens its album for an hour.

    After ten wrong passwords from one place within a quarter of an hour the answer is 429.
    """
    return Call("POST", f"/api/v1/shared/{quote(token, safe='')}/open", Visit, body=body)


def original(asset_id: UUID) -> File:
    """The file as it was sent, byte for byte; ranges and conditions are honoured.

    An API key needs the scope `read`.
    """
    return File("GET", f"/api/v1/assets/{asset_id}/original", bytes)


def pause_stage(stage: str, body: PauseRequest) -> Call[StageSummary]:
    """Let no work of a stage start for some minutes; what runs is finished.

    For administrators.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("POST", f"/api/v1/stages/{quote(stage, safe='')}/pause", StageSummary, body=body)


def precheck(body: PrecheckRequest) -> Call[PrecheckResponse]:
    """Which files need not be sent, by their BLAKE3.

    An API key needs the scope `upload`.
    """
    return Call("POST", "/api/v1/assets/precheck", PrecheckResponse, body=body)


def preview(asset_id: UUID) -> File:
    """A video in three seconds, as an animated picture (WebP).

    An API key needs the scope `read`.
    """
    return File("GET", f"/api/v1/assets/{asset_id}/preview", bytes)


def purge_trash(body: PurgeRequest) -> Call[TrashPurged]:
    """Have assets in the trash go for good, all of the caller's or some; nothing brings them back.

    More than 1,000 of them, or more than 5 % of all that the caller has, are to be confirmed: the answer is 409 with a `confirm`, which is to be sent along within ten minutes, for the very same assets. Twenty or fewer never are.

    An API key needs the scope `delete`.
    """
    return Call("POST", "/api/v1/trash/purge", TrashPurged, body=body)


def put_asset_tag(asset_id: UUID, tag_id: int) -> Call[AssetTags]:
    """Give one of the caller's assets one of their tags; the answer is all that it has then.

    An API key needs the scope `edit`.
    """
    return Call("PUT", f"/api/v1/assets/{asset_id}/tags/{tag_id}", AssetTags)


def rate_and_like_asset(asset_id: UUID, body: RateLikeRequest) -> Call[Message]:
    """Give one of the caller's assets so many stars, and say whether they like it.

    An API key needs the scope `edit`.
    """
    return Call("PUT", f"/api/v1/assets/{asset_id}/rating-and-like", Message, body=body)


def rate_asset(asset_id: UUID, body: RateRequest) -> Call[Message]:
    """Give one of the caller's assets so many stars; 0 are none.

    An API key needs the scope `edit`.
    """
    return Call("PUT", f"/api/v1/assets/{asset_id}/rating", Message, body=body)


def refresh(body: RefreshRequest) -> Call[AuthResponse]:
    """A new pair for a refresh token, which is used up by it; a second use ends the sign-in."""
    return Call("POST", "/api/v1/auth/refresh", AuthResponse, body=body)


def register(body: RegisterRequest) -> Call[AuthResponse]:
    """Become a user and sign in: the first with `setup_token`, others with `invite`; 403 says what is missing."""
    return Call("POST", "/api/v1/auth/register", AuthResponse, body=body)


def remove_asset(album_id: int, asset_id: UUID) -> Call[Message]:
    """Take an asset out of an album; editors take out their own, the owner of the album any.

    An API key needs the scope `edit`.
    """
    return Call("DELETE", f"/api/v1/albums/{album_id}/assets/{asset_id}", Message)


def remove_key(key_id: int) -> Call[Message]:
    """Remove one of the caller's keys: it opens nothing from now on.

    For people who signed in with a password: an API key may not do this.
    """
    return Call("DELETE", f"/api/v1/auth/keys/{key_id}", Message)


def remove_member(album_id: int, user_id: int) -> Call[Message]:
    """Share an album with somebody no longer, or leave it oneself; what they added goes with them.

    An API key needs the scope `share`.
    """
    return Call("DELETE", f"/api/v1/albums/{album_id}/members/{user_id}", Message)


def remove_user(user_id: int, body: UserRemoval) -> Call[Removed]:
    """Delete a user: kept out at once, and gone once their assets are another's or purged, which takes a while.

    The first answer is 409 and says how much that is, with a `confirm` that is to be sent along within ten minutes. Asked again with something else, that is done with what is left. Nothing of anybody else is touched.

    For administrators who signed in with a password: an API key may not do this.
    """
    return Call("DELETE", f"/api/v1/users/{user_id}", Removed, body=body)


def rename_tag(tag_id: int, body: TagRequest) -> Call[TagChanged]:
    """Give a tag another path, and with it all that lies below; one that is there already has both then.

    Every asset that has it is changed, as an operation that can be watched.

    An API key needs the scope `edit`.
    """
    return Call("PATCH", f"/api/v1/tags/{tag_id}", TagChanged, body=body)


def repair_repository(repository_id: UUID, body: RepairRequest) -> Call[Repaired]:
    """Make missing folders; `rewrite_marker` with the repository's id also writes a lost `.lumiliorepo` again.

    Say so only when the directory is the repository's own: all that lies there belongs to it from then on.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("POST", f"/api/v1/repositories/{repository_id}/repair", Repaired, body=body)


def replace_metadata(asset_id: UUID, body: ReplaceRequest) -> Call[Message]:
    """Keep what is different in the `specific_metadata` of one of the caller's assets from what is shown.

    What is left out stays, and what only the file says is refused when it is different. `PATCH` takes things back.

    An API key needs the scope `edit`.
    """
    return Call("PUT", f"/api/v1/assets/{asset_id}", Message, body=body)


def reprocess_asset(asset_id: UUID) -> Call[Reprocessed]:
    """Read and render one of the caller's assets again, done or failed, before everything that nobody waits for.

    An API key needs the scope `edit`.
    """
    return Call("POST", f"/api/v1/assets/{asset_id}/reprocess", Reprocessed)


def reprocess_assets(body: ReprocessRequest, *, all: bool | None = None) -> Call[Reprocessing]:
    """Read and render many of the caller's assets again, behind what people wait for, but none in the trash.

    `missing` are those without all thumbnails or whose metadata an older version read, `failed` those that could not be processed, `all` the rest as well. `web` looks again at the versions for browsers alone, and makes those that are to be made otherwise by now. What is due already is not counted. With very many the answer comes with a `next`: send it as `after`, with all else as before, to go on. Administrators may take everybody's with `all`.

    An API key needs the scope `edit`.
    """
    return Call("POST", "/api/v1/assets/reprocess", Reprocessing, {"all": all}, body=body)


def request_scan(repository_id: UUID, body: ScanRequest | None | UnsetType = UNSET) -> Call[ScanDTO]:
    """Have a repository looked at, or a folder of it; without a body all of it, in full.

    For administrators.

    The answer is the run, which may have waited already for somebody else; it begins when no other is at work.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("POST", f"/api/v1/repositories/{repository_id}/scan", ScanDTO, body=body)


def reset_password(body: ResetRequest) -> Call[Message]:
    """Choose a password with the token that an administrator made; every sign-in of before ends."""
    return Call("POST", "/api/v1/auth/reset", Message, body=body)


def restore_asset(asset_id: UUID) -> Call[Message]:
    """Take one of the caller's assets back from the trash.

    An API key needs the scope `delete`.
    """
    return Call("POST", f"/api/v1/assets/{asset_id}/restore", Message)


def restore_duplicates(body: DismissRequest) -> Call[Message]:
    """Take back that some of the caller's assets only look alike: those that do are in a group again.

    An API key needs the scope `edit`.
    """
    return Call("POST", "/api/v1/duplicates/restore", Message, body=body)


def restore_trash(body: TrashChoice) -> Call[TrashRestored]:
    """Take assets back from the trash, all of the caller's or some; one that is not the caller's stops all.

    What is being purged stays there, and the answer names it.

    An API key needs the scope `delete`.
    """
    return Call("POST", "/api/v1/trash/restore", TrashRestored, body=body)


def resume_stage(stage: str) -> Call[StageSummary]:
    """End a pause before its time.

    For administrators.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("POST", f"/api/v1/stages/{quote(stage, safe='')}/resume", StageSummary)


def retry_stage(asset_id: UUID, stage: str) -> Call[Retried]:
    """Try one failed stage of one of the caller's assets again, before what nobody waits for.

    An API key needs the scope `edit`.
    """
    return Call("POST", f"/api/v1/assets/{asset_id}/stages/{quote(stage, safe='')}/retry", Retried)


def retry_stages(
    *,
    stage: str | None = None,
    error_class: Literal["permanent", "poison", "transient", "waiting"] | None = None,
    repository_id: UUID | None = None,
    all: bool | None = None,
) -> Call[Retried]:
    """Try all failed work of the caller again, or what the filters leave of it; administrators may take `all`.

    An API key needs the scope `edit`.
    """
    return Call(
        "POST",
        "/api/v1/stages/retry",
        Retried,
        {"stage": stage, "error_class": error_class, "repository_id": repository_id, "all": all},
    )


def revoke_share(album_id: int, share_id: int) -> Call[Message]:
    """Take a link back: it leads nowhere from now on.

    An API key needs the scope `share`.
    """
    return Call("DELETE", f"/api/v1/albums/{album_id}/shares/{share_id}", Message)


def search_assets(body: SearchRequest) -> Call[SearchAnswer]:
    """Those of the caller's assets that the query means and for which all holds that the filter says.

    An API key needs the scope `read`.
    """
    return Call("POST", "/api/v1/assets/search", SearchAnswer, body=body)


def sign_urls(body: UrlRequest) -> Call[UrlList]:
    """Addresses of up to 1,000 assets that work without a sign-in, for an hour at most; unseen assets are left out.

    Within a quarter of an hour they are the same ones, so that pictures stay in a browser's cache.

    An API key needs the scope `read`.
    """
    return Call("POST", "/api/v1/assets/urls", UrlList, body=body)


def start_operation(body: OperationRequest, *, idempotency_key: str | None = None) -> Call[OperationDTO]:
    """Do one thing with many of the caller's assets: with those that are named, or all that a filter chooses now.

    One that is not the caller's stops all before anything is done. The answer says how far it is: two hundred or fewer are done with it, unless something that was asked for before is not; ask `GET /operations/{operation_id}` for more. What is done stays done if it is stopped. A request that is repeated with its `Idempotency-Key` is the same operation. The trash asks for the scope `delete` of a key.

    An API key needs the scope `edit`.
    """
    return Call("POST", "/api/v1/operations", OperationDTO, body=body, headers={"Idempotency-Key": idempotency_key})


def stop_operation(operation_id: int) -> Call[OperationDTO]:
    """Stop an operation of the caller after what is being done of it just now; one that has ended stays as it is.

    An API key needs the scope `edit`.
    """
    return Call("DELETE", f"/api/v1/operations/{operation_id}", OperationDTO)


def summarize_stages(*, all: bool | None = None) -> Call[StageSummary]:
    """How much is not done, for how long it has been due, and which stages are paused.

    An API key needs the scope `read`.
    """
    return Call("GET", "/api/v1/stages/summary", StageSummary, {"all": all})


def switch_ml(body: SwitchRequest) -> Call[Switched]:
    """Have another embedding space be the one that searches compare in.

    For administrators.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("POST", "/api/v1/ml/switch", Switched, body=body)


def tag_asset(asset_id: UUID, body: TagRequest) -> Call[AssetTags]:
    """Give one of the caller's assets a tag, which is made if there is none; the answer is all that it has then.

    An API key needs the scope `edit`.
    """
    return Call("PUT", f"/api/v1/assets/{asset_id}/tags", AssetTags, body=body)


def take_back_invite(invite_id: int) -> Call[Message]:
    """Take an invitation back: it lets nobody in any more.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("DELETE", f"/api/v1/invites/{invite_id}", Message)


def teach_label(body: TeachRequest) -> Call[TaughtDTO]:
    """Teach a label by five to fifty of the caller's pictures; it is said of all others that show the same.

    It takes seconds, where an inference server has looked at the pictures, and holds for those to come. `GET /labels` tells how far it is.

    An API key needs the scope `edit`.
    """
    return Call("POST", "/api/v1/labels", TaughtDTO, body=body)


def thumbnail(asset_id: UUID, *, size: Literal["large", "medium", "small"] | None = None) -> File:
    """A small picture of an asset: 400, 800 or 1920 pixels on its longer side, unless the server makes others.

    A video's is a picture out of it, a recording's its cover.

    An API key needs the scope `read`.
    """
    return File("GET", f"/api/v1/assets/{asset_id}/thumbnail", bytes, {"size": size})


def transcode_asset(asset_id: UUID, body: TranscodeRequest) -> Call[Transcoding]:
    """Have the version for browsers made that `policy` says, whatever the repository's rules are.

    `smart` makes one where it is needed, `always` in any case; `never` stops what runs and removes what was made. The asset's `stages` tell how far it is. Asking again for the same is harmless, and tries again what failed.

    An API key needs the scope `edit`.
    """
    return Call("POST", f"/api/v1/assets/{asset_id}/transcode", Transcoding, body=body)


def trash_asset(asset_id: UUID) -> Call[Message]:
    """Put one of the caller's assets into the trash: hidden from lists, and kept until it is taken back.

    An API key needs the scope `delete`.
    """
    return Call("DELETE", f"/api/v1/assets/{asset_id}", Message)


def untag_asset(asset_id: UUID, *, path: str) -> Call[AssetTags]:
    """Take a tag away from one of the caller's assets; those below it stay.

    An API key needs the scope `edit`.
    """
    return Call("DELETE", f"/api/v1/assets/{asset_id}/tags", AssetTags, {"path": path})


def validate_repository(repository_id: UUID) -> Call[Validation]:
    """Examine a repository on the disk; nothing is changed.

    For administrators; an API key needs the scope `admin`.
    """
    return Call("POST", f"/api/v1/repositories/{repository_id}/validate", Validation)


def video_web(asset_id: UUID) -> File:
    """A video as every browser plays it: a version of its own once there is one, else the original.

    An API key needs the scope `read`.
    """
    return File("GET", f"/api/v1/assets/{asset_id}/video/web", bytes)


def waveform(asset_id: UUID, *, format: Literal["json", "png"] | None = None) -> File:
    """How loud a recording is over its time, as peaks (JSON) or, with `format=png`, as a picture of 1200 x 200.

    An API key needs the scope `read`.
    """
    return File("GET", f"/api/v1/assets/{asset_id}/waveform", bytes, {"format": format})
