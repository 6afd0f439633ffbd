"""What goes over the wire of scans and of how true the catalogue is to the disk."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from common.scan_queries import Counts, Reason, State
from gateway.queries.scans import FileCounts, Left

Mode = Literal["full", "quick"]
Path = Annotated[str, Meta(max_length=4096)]


class ScanRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be looked at: all of a repository, or the folder `path` as seen from its root.

    A name that is no UTF-8 is said by `path_encoded`, with percent signs, instead. `quick` looks only into folders that
    changed by their times. `accept_missing` is the id of the last run that asks: the same is done again, and may call
    as many files missing as that one counted.
    """

    path: Path | UnsetType = UNSET
    path_encoded: Annotated[str, Meta(max_length=3 * 4096)] | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    accept_missing: int | None = None


class ScanDTO(Struct, frozen=True, kw_only=True):
    """One run over a repository or a folder of it; `message` says in words where it stands and what to do.

    `asks` is how many files it would have to call missing, which a person is to allow, and `allowed` what a person has
    allowed. `path_encoded` is the folder without loss.
    """

    operation_id: int
    repository_id: UUID
    path: str
    path_encoded: str
    mode: Mode
    reason: Reason
    state: State
    message: str
    requested_by: int | None
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    counts: Counts
    asks: int | None
    allowed: int | None
    error: str | None


class ScanProgress(ScanDTO, frozen=True, kw_only=True):
    """A run, and what is left to be read and registered in all of its repository, whoever found it."""

    left: Left


class ScanList(Struct, frozen=True, kw_only=True):
    """A page of runs, newest first; `next` asks for the page that follows, as `after`."""

    scans: list[ScanDTO]
    limit: int
    next: int | UnsetType = UNSET


class Watched(Struct, frozen=True, kw_only=True):
    """How changes are noticed between scans; `note` says why, where a person may do something about it.

    The kernel watches `folders`, the `unwatched` ones are compared every minute; it forgot something `overflows` times.
    """

    mode: str = ""
    folders: int = 0
    unwatched: int = 0
    overflows: int = 0
    note: str | None = None


class SyncDTO(Struct, frozen=True, kw_only=True):
    """How true the catalogue is to a repository's disk, and in `advice` what a person may do about it.

    `size` is of the files that are present; `hidden_assets` are in no list because none of their files is there.
    `uncompared` files were never read again since they came, the others were at the earliest at `compared_since`.
    `alarms` say what should not be so for long. `last` has the last run for each reason.
    """

    repository_id: UUID
    state: Literal["online", "offline", "readonly"]
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
