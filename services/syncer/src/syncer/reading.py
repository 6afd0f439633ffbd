"""Reads files that were found: whether they stand still, what they are, and the hash of their bytes."""

import errno
import fcntl
import os
import time
from typing import Literal, NamedTuple

from common import files, tracks
from common.files import STARVED, Seen
from common.sniff import HEAD_BYTES, sniff

SETTLE_NS = 2_000_000_000
PATIENCE_NS = 600 * 1_000_000_000
"""So long after its last change a file is taken although somebody has it open for writing, as some do for ever."""
LEAST_HOLLOW = 1 << 30
MOST_EXTENTS = 1000
GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL}

Outcome = Literal["read", "other", "busy", "gone", "unreadable"]


class Wanted(NamedTuple):
    """A file to read; `steady` is what the disk said of it when it was looked at some seconds ago.

    One that changed less than `settle_ns` ago by our clock is read only if it is as steady as that.
    """

    file_record_id: int
    path: bytes
    steady: Seen | None = None
    settle_ns: int = SETTLE_NS


class Reading(NamedTuple):
    """What came of reading a file: its hash and type if it is one that we take, or why there is none."""

    file_record_id: int
    path: bytes
    outcome: Outcome
    seen: Seen | None = None
    content_hash: bytes | None = None
    mime_type: str | None = None
    trouble: str | None = None


def read(root: bytes, wanted: Wanted) -> Reading:
    """Read one file; `busy` when it is being written, or was just now."""
    try:
        descriptor = files.open_original(root, wanted.path)
    except OSError as error:
        return _unread(wanted, error)
    try:
        return _read(descriptor, wanted)
    except OSError as error:
        return _unread(wanted, error)
    except Exception as error:  # noqa: BLE001  # a file that nobody can make sense of must not keep the others waiting
        return unreadable(wanted, f"it cannot be read: {type(error).__name__}")
    finally:
        os.close(descriptor)


def unreadable(wanted: Wanted, trouble: str) -> Reading:
    """A file that cannot be read, and why."""
    return Reading(wanted.file_record_id, wanted.path, "unreadable", trouble=trouble)


def _read(descriptor: int, wanted: Wanted) -> Reading:
    status = os.fstat(descriptor)
    seen = files.seen(status)
    nothing = Reading(wanted.file_record_id, wanted.path, "busy", seen)
    if _is_moving(descriptor, status, wanted):
        return nothing
    mime_type = _kind(descriptor, seen.size)
    if mime_type and _is_hollow(descriptor, seen.size):
        return unreadable(wanted, "most of it is missing: it is being downloaded, or was cut short")
    content_hash = files.hash_open(descriptor) if mime_type else None
    if files.seen(os.fstat(descriptor)) != seen:
        return nothing
    outcome: Outcome = "read" if mime_type else "other"
    return Reading(wanted.file_record_id, wanted.path, outcome, seen, content_hash, mime_type)


def _unread(wanted: Wanted, error: OSError) -> Reading:
    if error.errno in STARVED:
        raise error
    outcome: Outcome = "gone" if error.errno in GONE else "unreadable"
    return Reading(wanted.file_record_id, wanted.path, outcome, trouble=error.strerror)


def _is_moving(descriptor: int, status: os.stat_result, wanted: Wanted) -> bool:
    """Whether a file was changed just now, or is about to be."""
    now = time.time_ns()
    is_settled = now - max(status.st_mtime_ns, status.st_ctime_ns) >= wanted.settle_ns
    if not is_settled and files.seen(status) != wanted.steady:
        return True
    return now - status.st_ctime_ns < PATIENCE_NS and _is_written(descriptor)


def _is_hollow(descriptor: int, size: int) -> bool:
    """Whether a large file has less than half of its bytes; to read the others would take hours, and tell nothing."""
    if size < LEAST_HOLLOW:
        return False
    held = position = 0
    for _ in range(MOST_EXTENTS):
        try:
            start = os.lseek(descriptor, position, os.SEEK_DATA)
        except OSError as error:  # nothing but a hole behind it, or a file system that knows none
            return error.errno == errno.ENXIO and held < size // 2
        position = os.lseek(descriptor, start, os.SEEK_HOLE)
        held += position - start
    return False


def _is_written(descriptor: int) -> bool:
    """Whether somebody has the file open for writing, as far as the file system tells and lets us know."""
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _kind(descriptor: int, size: int) -> str | None:
    """What a file is by its bytes, None for what we do not take."""
    known = sniff(os.pread(descriptor, HEAD_BYTES, 0))
    if known is not None:
        known = tracks.settled(known, lambda start, length: os.pread(descriptor, length, start), size)
    return known.mime_type if known else None
