"""Reads originals again to see whether they still hold the bytes that they came with."""

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from common import files, folders, layout
from common.files import BROKEN_DISK, STARVED, Seen
from syncer.reading import GONE, Reading


class Kept(NamedTuple):
    """A file as it is recorded; nobody but the server writes one that `is_ours`."""

    file_record_id: int
    path: bytes
    seen: Seen
    content_hash: bytes
    is_ours: bool


class Compared(NamedTuple):
    """What came of reading some files, and how many seconds of a core or of a disk that took."""

    readings: list[Reading]
    seconds: float


def compare_all(root: bytes, kept: Sequence[Kept], *, is_probed: bool) -> Compared:
    """Read some files, one after the other; OSError when that says nothing of them.

    The machine is at its limits then, or all of the disk fails, which is tried out where `is_probed` says so.
    """
    wall, core = time.perf_counter(), time.process_time()
    readings = [compare(root, one, is_probed=is_probed) for one in kept]
    return Compared(readings, max(time.perf_counter() - wall, time.process_time() - core))


def compare(root: bytes, kept: Kept, *, is_probed: bool) -> Reading:
    """Read one file: `busy` when it is another one than was recorded, which may have been edited."""
    try:
        descriptor = files.open_original(root, kept.path)
    except OSError as error:
        return _unread(root, kept, error, is_probed=is_probed)
    try:
        return _compare(descriptor, kept)
    except OSError as error:
        return _unread(root, kept, error, is_probed=is_probed)
    finally:
        os.close(descriptor)


def _compare(descriptor: int, kept: Kept) -> Reading:
    seen = files.seen(os.fstat(descriptor))
    changed = Reading(kept.file_record_id, kept.path, "busy", seen)
    if seen != kept.seen and not kept.is_ours:
        return changed
    content_hash = _hash(descriptor)
    if content_hash != kept.content_hash:  # what is said of a disk should not be the fault of a cable
        content_hash = _hash(descriptor)
    if files.seen(os.fstat(descriptor)) != seen:
        return changed
    return Reading(kept.file_record_id, kept.path, "read", seen, content_hash)


def _hash(descriptor: int) -> bytes:
    """The hash of what lies on the disk: memory may know better, and what is read once need not stay there."""
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    content_hash = files.hash_open(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    return content_hash


def _unread(root: bytes, kept: Kept, error: OSError, *, is_probed: bool) -> Reading:
    """A file that cannot be read is one thing, a disk of which nothing can be read another."""
    if error.errno in STARVED:
        raise error
    if error.errno in GONE:
        return Reading(kept.file_record_id, kept.path, "gone")
    if isinstance(error, PermissionError):  # its bytes may be all right
        return Reading(kept.file_record_id, kept.path, "busy")
    if error.errno in BROKEN_DISK and is_probed:
        folders.probe(root, layout.STAGING)
    return Reading(kept.file_record_id, kept.path, "unreadable", trouble=error.strerror)
