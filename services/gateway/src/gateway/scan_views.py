"""Runs over repositories as clients see them, and what a person is told to do."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from common import scan_folders
from common.scan_queries import Counts, Operation
from gateway import cursors
from gateway.queries.scans import Figures, FileCounts, FileCursor, Left, OddFile
from gateway.repository_schemas import RepositoryDTO
from gateway.scan_schemas import FileDTO, FileList, ScanDTO, ScanList, ScanProgress, SyncDTO, Watched


def scan(operation: Operation) -> ScanDTO:
    """One run."""
    return ScanDTO(**_fields(operation))


def progress(operation: Operation, left: Left) -> ScanProgress:
    """One run, and how much reading and registering is left."""
    return ScanProgress(**_fields(operation), left=left)


def page(found: Sequence[Operation], *, limit: int) -> ScanList:
    """A page of runs, with the way to the page after it if there may be one."""
    following = found[-1].operation_id if len(found) == limit else UNSET
    return ScanList(scans=[scan(one) for one in found], limit=limit, next=following)


def files(found: Sequence[OddFile], *, limit: int) -> FileList:
    """A page of files, with the way to the page after it if there may be one."""
    end = FileCursor(path=found[-1].path) if len(found) == limit else None
    return FileList(files=[_file(one) for one in found], limit=limit, next=cursors.write(end))


def sync(
    shown: RepositoryDTO,
    figures: Figures,
    *,
    still: Sequence[Operation],
    last: Sequence[Operation],
    asking: Operation | None,
) -> SyncDTO:
    """How true the catalogue is to a repository."""
    reason = figures.offline_reason or shown.reason
    running = [scan(one) for one in still if one.state == "running"]
    asks = scan(asking) if asking else None
    return SyncDTO(
        repository_id=shown.id,
        state="offline" if reason else shown.state,
        reason=reason or UNSET,
        files=FileCounts(**{name: getattr(figures, name) for name in FileCounts.__struct_fields__}),
        size=figures.size,
        hidden_assets=figures.hidden_assets,
        uncompared=figures.uncompared,
        compared_since=figures.compared_since,
        watched=_watched(figures.watched),
        running=running[0] if running else None,
        waiting=[scan(one) for one in still if one.state == "queued"],
        asking=asks,
        last=[scan(one) for one in last],
        alarms=_alarms(figures),
        advice=_advice(figures, reason or None, asks),
    )


def _fields(operation: Operation) -> dict[str, Any]:
    return {
        "operation_id": operation.operation_id,
        "repository_id": operation.repository_id,
        "path": operation.folder.decode(errors="replace"),
        "path_encoded": scan_folders.encoded(operation.folder),
        "mode": "quick" if operation.is_quick else "full",
        "reason": operation.reason,
        "state": operation.state,
        "message": _message(operation),
        "requested_by": operation.requested_by,
        "requested_at": operation.requested_at,
        "started_at": operation.started_at,
        "ended_at": operation.ended_at,
        "counts": msgspec.convert(operation.counts, Counts),
        "asks": operation.asks,
        "allowed": operation.allowed,
        "error": operation.error,
    }


def _message(operation: Operation) -> str:
    if operation.state == "asking":
        return (
            f"{operation.asks or 0:,} files are not where they were, and nothing was called missing: is a disk away? "
            f"If they are gone for good: `lumilio scan --repository {operation.repository_id} --accept-missing`, "
            f"or a scan with `accept_missing`: {operation.operation_id}"
        )
    return {
        "queued": "it waits for its turn",
        "running": "it is at work",
        "done": "all was looked at",
        "partial": "some folders could not be read, and nothing below them was called missing",
        "failed": f"it was broken off, and nothing was called missing: {operation.error or 'nobody knows why'}",
    }[operation.state]


def _watched(written: str | None) -> Watched | None:
    """What the watcher said of itself, as far as this version understands it."""
    try:
        return msgspec.json.decode(written, type=Watched) if written else None
    except msgspec.DecodeError:
        return None


def _alarms(figures: Figures) -> list[str]:
    found = []
    if figures.missing_long:
        found.append(
            f"{figures.missing_long:,} files have been missing for more than a day, and three scans did not find them: "
            "put them back, or throw their assets away"
        )
    if figures.corrupt:
        found.append(
            f"{figures.corrupt:,} files hold other bytes than their assets had, though nobody wrote them: "
            "examine the disk, and put good copies in their places"
        )
    return found


def _advice(figures: Figures, offline: str | None, asking: ScanDTO | None) -> list[str]:
    found = []
    if offline:
        found.append("bring the disk back: nothing of the repository is called missing meanwhile")
    if asking:
        found.append(asking.message)
    if figures.unread or figures.waiting:
        found.append(f"wait: {figures.unread + figures.waiting:,} files are still to be read or registered")
    if figures.missing:
        found.append("`files?state=missing` lists what is missing; what is put back is shown again by itself")
    return found


def _file(file: OddFile) -> FileDTO:
    return FileDTO(
        path=file.path.decode(errors="replace"),
        path_encoded=scan_folders.encoded(file.path),
        state=file.state,
        size=file.size,
        asset_id=file.asset_id,
        since=file.since,
        read_after=file.read_after,
        trouble=file.trouble,
    )
