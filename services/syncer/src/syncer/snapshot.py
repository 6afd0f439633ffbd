"""What lies in a repository right now: one folder after the other, of any size, without following links."""

import errno
import os
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISLNK, S_ISREG
from typing import NamedTuple, TypeAlias

from common import files, folders, layout
from common.names import shown
from syncer import mounts
from syncer.ignoring import Ignored

MOUNTINFO = Path("/proc/self/mountinfo")
LONGEST = 2500
"""Bytes of a path that an index takes."""
UNSETTLED_NS = 2_000_000_000
MOST_TROUBLES = 20
MOST_FILES = 10_000
ENCODING, ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


# A regular file: path, size, modified_ns, inode, and when its bytes or names changed last, whatever date it was given.
# A plain tuple, since a million is made in one go.
File: TypeAlias = tuple[bytes, int, int, int, int]


class Listing(NamedTuple):
    """A folder with what lies directly in it; a `modified_ns` of 0 says that its names may change again unseen.

    One with very many files comes in parts, of which the last has the subfolders.
    """

    folder: bytes
    modified_ns: int
    files: list[File]
    subfolders: list[bytes]


@dataclass
class Tally:
    """What a walk met: how much it passed over and why, and what kept it from being whole."""

    folders: int = 0
    files: int = 0
    length: int = 0
    linked: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    is_whole: bool = True
    covered: list[bytes] = field(default_factory=list)
    """What other disks are mounted upon, so that nobody knows whether files still lie there."""

    def cover(self, path: bytes) -> None:
        """Something else is mounted upon a path."""
        self.skipped["other disks"] += 1
        self.covered.append(path)

    def trouble(self, path: bytes, error: OSError) -> None:
        """Something below could not be seen."""
        self.is_whole = False
        if len(self.troubles) < MOST_TROUBLES:
            name = shown(path) or "the root"
            self.troubles.append(f"{name}: {error.strerror}")


def walk(
    root: bytes, trees: Iterable[bytes], *, ignored: Ignored, tally: Tally, known: Collection[bytes] | None = None
) -> Iterator[Listing]:
    """The folders `trees` and all below them; with `known`, of theirs only what is not among these."""
    with folders.folder(root) as directory:
        device = os.fstat(directory).st_dev
    mounted = frozenset(mounts.below(MOUNTINFO.read_bytes(), os.path.realpath(root)))
    tops = set(trees)
    for top in [top for top in tops if any((top + b"/").startswith(point + b"/") for point in mounted)]:
        tops.remove(top)
        tally.cover(top)
    waiting = sorted(tops, reverse=True)
    while waiting:
        path = waiting.pop()
        try:
            for part in _list(root, path, device, ignored, tally):
                _leave_out(part, mounted, tally)
                yield part
                waiting += (below for below in part.subfolders if known is None or below not in known)
        except OSError as error:
            _missed(path, error, tally, is_top=path in tops)


def _missed(path: bytes, error: OSError, tally: Tally, *, is_top: bool) -> None:
    """A folder that was asked for may be gone; one that vanished amid the walk may be where we have been already."""
    if is_top and path and error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
        return
    tally.trouble(path, error)


def _leave_out(part: Listing, mounted: frozenset[bytes], tally: Tally) -> None:
    """Nothing that is mounted is of the repository, also not what is of the same disk, which looks like all else."""
    for path in mounted.intersection(part.subfolders) if mounted else ():
        part.subfolders.remove(path)
        tally.cover(path)
    for file in [file for file in part.files if file[0] in mounted] if mounted else ():
        part.files.remove(file)
        tally.files -= 1
        tally.length -= file[1]
        tally.cover(file[0])


def _list(root: bytes, path: bytes, device: int, ignored: Ignored, tally: Tally) -> Iterator[Listing]:
    with folders.folder(root, path) as directory:
        status = os.fstat(directory)
        if status.st_dev != device:
            tally.cover(path)
            return
        modified_ns = settled_ns(status)
        found = Listing(path, modified_ns, [], [])
        with os.scandir(directory) as entries:
            for entry in entries:
                _take(entry, path and path + b"/", found, ignored, tally)
                if len(found.files) == MOST_FILES:
                    yield found
                    found = Listing(path, modified_ns, [], [])
    tally.folders += 1
    yield found


def _take(entry: "os.DirEntry[str]", prefix: bytes, found: Listing, ignored: Ignored, tally: Tally) -> None:
    name = entry.name.encode(ENCODING, ERRORS)  # what os.fsencode does, in half the time
    path = prefix + name
    if ignored.fits(name):
        if path not in {layout.PRIVATE, layout.MARKER}:
            tally.skipped["ignored names"] += 1
    elif len(path) > LONGEST:
        tally.skipped["paths that are too long"] += 1
    elif entry.is_dir(follow_symlinks=False):
        found.subfolders.append(path)
    else:
        _take_file(entry, path, found, tally)


def _take_file(entry: "os.DirEntry[str]", path: bytes, found: Listing, tally: Tally) -> None:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return  # it went while we looked, as it may at any time
    except OSError as error:
        tally.trouble(path, error)
        return
    if S_ISREG(status.st_mode):
        size, modified, inode = status.st_size, status.st_mtime_ns, status.st_ino
        if modified > files.MOST or inode > files.MOST:
            _, modified, inode = files.seen(status)
        changed = status.st_ctime_ns
        tally.files += 1
        tally.length += size
        if status.st_nlink > 1:
            tally.linked += 1
        found.files.append((path, size, modified, inode, max(changed, modified)))
    else:
        tally.skipped["links" if S_ISLNK(status.st_mode) else "devices, pipes and sockets"] += 1


def changed_ns(status: os.stat_result) -> int:
    """When something last changed, whatever date it was given."""
    return min(max(status.st_mtime_ns, status.st_ctime_ns), files.MOST)


def settled_ns(status: os.stat_result) -> int:
    """The same, if that may be relied upon: what changed just now may do so again within one tick of the clock."""
    changed = changed_ns(status)
    return 0 if abs(time.time_ns() - changed) < UNSETTLED_NS else changed
