"""Originals on disk: opened, placed and removed only here, durably, never replacing a file or following a link."""

import ctypes
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from blake3 import blake3

from common import layout
from common.folders import UnsafePath, folder, sync_name

CHUNK = 1 << 20
ORIGINAL_MODE = 0o440
RENAME_NOREPLACE = 1
BROKEN_DISK = {errno.EIO, errno.EROFS, errno.ENODEV, errno.ENXIO, errno.ESTALE}
FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
NO_FILE = {errno.ENOTDIR, errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENXIO}
NO_FOLDER = {errno.ENOTDIR, errno.ELOOP}
STARVED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
MOST = (1 << 63) - 1
_libc = ctypes.CDLL(None, use_errno=True)


class Offline(Exception):
    """A repository's root or its marker is not there: an outage, never a deletion."""


class Seen(NamedTuple):
    """What the disk says about a file."""

    size: int
    modified_ns: int
    inode: int


def seen(status: os.stat_result) -> Seen:
    """What the disk says, in numbers that a database takes: dates end in 2262, and some inodes need every bit."""
    return Seen(status.st_size, min(status.st_mtime_ns, MOST), status.st_ino & MOST)


@contextmanager
def outages() -> Iterator[None]:
    """Work with a disk; that it is full or fails, or the machine at its limits, is an outage, and nobody's fault."""
    try:
        yield
    except OSError as error:
        if error.errno in STARVED:
            raise Offline(f"the machine has too little for it at the moment: {error.strerror}") from error
        if error.errno in BROKEN_DISK | FULL_DISK:
            raise Offline(f"the disk does not take it: {error.strerror}") from error
        raise


def check_room(root: bytes, spare: int) -> None:
    """Offline when a disk has so little room left that what can be made again leaves it to what cannot."""
    disk = os.statvfs(root)
    if disk.f_bavail * disk.f_frsize < spare:
        raise Offline("the disk is nearly full: make room on it")


def create(root: bytes, path: bytes) -> int:
    """A new private file, open for writing and reading, and locked while it is; the caller syncs and closes it."""
    parent, name = os.path.split(path)
    with folder(root, parent, make=True) as directory:
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=directory)
    with suppress(OSError):  # a file system without locks still has the age of the file
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def is_being_written(root: bytes, path: bytes) -> bool:
    """Whether somebody has the file open since `create`, as far as the file system can tell."""
    with _opened(root, path) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return isinstance(error, BlockingIOError)
    return False


def open_original(root: bytes, path: bytes) -> int:
    """A regular file below the root, open for reading; no link is followed, and nothing else is opened for long."""
    parent, name = os.path.split(path)
    with folder(root, parent) as directory:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", name)
    return descriptor


@contextmanager
def _opened(root: bytes, path: bytes) -> Iterator[int]:
    descriptor = open_original(root, path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def see(root: bytes, path: bytes) -> Seen | None:
    """Size, time and inode of a file, or None when there is none."""
    with suppress(FileNotFoundError), _opened(root, path) as descriptor:
        return seen(os.fstat(descriptor))
    return None


def touched_ns(root: bytes, path: bytes) -> int | None:
    """When a file was last written, named or dated, whatever date it was given; None when there is none."""
    with suppress(FileNotFoundError), _opened(root, path) as descriptor:
        status = os.fstat(descriptor)
        return max(status.st_mtime_ns, status.st_ctime_ns)
    return None


def count_names(root: bytes, path: bytes) -> int:
    """How many names a file has."""
    with _opened(root, path) as descriptor:
        return os.fstat(descriptor).st_nlink


def hash_file(root: bytes, path: bytes) -> bytes | None:
    """The BLAKE3 of a file, or None when there is none."""
    with suppress(FileNotFoundError), _opened(root, path) as descriptor:
        return hash_open(descriptor)
    return None


def hash_open(descriptor: int) -> bytes:
    """The BLAKE3 of an open file, wherever it was read last."""
    size = os.fstat(descriptor).st_size  # of many small files the room for reading costs more than the reading
    digest, buffer, position = blake3(), memoryview(bytearray(min(max(size, 1), CHUNK))), 0
    while length := os.preadv(descriptor, [buffer], position):
        digest.update(buffer[:length])
        position += length
    return digest.digest()


def write_new(root: bytes, path: bytes, content: bytes, *, mode: int) -> None:
    """A file of ours, whole and durable; FileExistsError when its name is taken, which is never replaced."""
    source = layout.staged(f"{uuid4()}.part")
    try:
        with open(create(root, source), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        place(root, source, path, mode=mode)
    finally:
        forget(root, source)


def place(root: bytes, source: bytes, target: bytes, *, mode: int = ORIGINAL_MODE) -> None:
    """Give a staged file its final name, durably; FileExistsError when the name is taken, which is never replaced."""
    with (
        folder(root, os.path.dirname(source)) as from_folder,
        folder(root, os.path.dirname(target), make=True) as to_folder,
    ):
        name, new_name = os.path.basename(source), os.path.basename(target)
        with suppress(PermissionError):  # some file systems know no modes
            os.chmod(name, mode, dir_fd=from_folder)
        named(from_folder, name, to_folder, new_name)
        os.fsync(to_folder)


def move(root: bytes, source: bytes, target: bytes) -> None:
    """Give a file another name instead, durably; FileExistsError when another file has it.

    The bytes have a name at every moment, repeating an interrupted move finishes it, and while somebody else moves the
    file it is a BlockingIOError.
    """
    with (
        held(root, source),
        folder(root, os.path.dirname(source)) as from_folder,
        folder(root, os.path.dirname(target), make=True) as to_folder,
    ):
        name, new_name = os.path.basename(source), os.path.basename(target)
        try:
            named(from_folder, name, to_folder, new_name)
        except FileExistsError:
            if not _is_one(from_folder, name, to_folder, new_name):
                raise
        os.fsync(to_folder)
        _unname(from_folder, name, to_folder, new_name)


def drop(root: bytes, path: bytes, *, kept: bytes) -> None:
    """Remove one of two names of a file, durably; nothing happens unless both are names of one file."""
    with (
        suppress(FileNotFoundError, NotADirectoryError),
        held(root, kept),
        folder(root, os.path.dirname(path)) as from_folder,
        folder(root, os.path.dirname(kept)) as to_folder,
    ):
        _unname(from_folder, os.path.basename(path), to_folder, os.path.basename(kept))


@contextmanager
def held(root: bytes, path: bytes) -> Iterator[int]:
    """Be the only one who moves a file, so that two who mean opposite things cannot take both its names."""
    with _opened(root, path) as descriptor:
        _lock(descriptor)
        yield descriptor


class OtherBytes(Exception):
    """Under the name of what was to go for good is something else, which stays."""


@dataclass(frozen=True)
class Condemned:
    """An original that is to go for good: open, held, and found to have exactly the bytes that were named."""

    descriptor: int
    directory: int
    name: bytes
    seen: os.stat_result
    _opened: ExitStack

    def remove(self) -> None:
        """Take its name away, durably; BlockingIOError, and nothing done, when somebody wrote to it or has its name."""
        with suppress(FileNotFoundError):
            named = os.stat(self.name, dir_fd=self.directory, follow_symlinks=False)
            if not _identity(named) == _identity(self.seen) == _identity(os.fstat(self.descriptor)):
                raise BlockingIOError(errno.EAGAIN, "the file is just being written", self.name)
            os.unlink(self.name, dir_fd=self.directory)
        os.fsync(self.directory)

    def close(self) -> None:
        """Let others have the file, or what is left of it."""
        self._opened.close()


def condemn(root: bytes, path: bytes, *, content_hash: bytes) -> Condemned:
    """Hold an original to have it go for good, which only one with exactly this content can.

    FileNotFoundError when nothing has its name, OtherBytes when something else does, and BlockingIOError while somebody
    moves it.
    """
    with ExitStack() as opened:
        try:
            directory = opened.enter_context(folder(root, os.path.dirname(path)))
            descriptor = opened.enter_context(held(root, path))
        except OSError as error:
            if error.errno in NO_FILE:
                raise OtherBytes from None
            raise
        seen = os.fstat(descriptor)
        if hash_open(descriptor) != content_hash:
            raise OtherBytes
        return Condemned(descriptor, directory, os.path.basename(path), seen, opened.pop_all())


def _identity(seen: os.stat_result) -> tuple[int, ...]:
    """What differs once a file is written or another has its name, whatever date it is given."""
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _lock(descriptor: int) -> None:
    """Lock an open file against others who do so, where the file system knows locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        pass


def _is_one(folder: int, name: bytes, other_folder: int, other: bytes) -> bool:
    """Whether two names are names of one file."""
    with suppress(FileNotFoundError):
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
        return os.path.samestat(seen, os.stat(other, dir_fd=other_folder, follow_symlinks=False))
    return False


def _unname(folder: int, name: bytes, other_folder: int, other: bytes) -> None:
    if _is_one(folder, name, other_folder, other) and not _has_one_name(folder, name, other_folder):
        os.unlink(name, dir_fd=folder)
        os.fsync(folder)


def _has_one_name(folder: int, name: bytes, other_folder: int) -> bool:
    """Whether two names of a file are one name written in two ways, as where upper and lower case are the same."""
    is_one_folder = os.path.samestat(os.fstat(folder), os.fstat(other_folder))
    return is_one_folder and os.stat(name, dir_fd=folder, follow_symlinks=False).st_nlink == 1


def named(from_folder: int, name: bytes, to_folder: int, new_name: bytes) -> None:
    """A second name, or where the file system knows no links a new one; a taken name is never replaced."""
    try:
        os.link(name, new_name, src_dir_fd=from_folder, dst_dir_fd=to_folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        _rename_new(from_folder, name, to_folder, new_name)


def _rename_new(from_folder: int, name: bytes, to_folder: int, new_name: bytes) -> None:
    """Rename without replacing, for file systems that know no hard links."""
    if _libc.renameat2(from_folder, name, to_folder, new_name, RENAME_NOREPLACE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), os.fsdecode(new_name))


def forget(root: bytes, path: bytes) -> None:
    """Remove a file of our own, staged or derived, and never an original; nothing happens when it is gone already."""
    if not path.startswith(layout.PRIVATE + b"/") or layout.is_trashed(path):
        raise UnsafePath(f"not a private file of ours: {path!r}")
    with suppress(FileNotFoundError), folder(root, os.path.dirname(path)) as directory:
        os.unlink(os.path.basename(path), dir_fd=directory)


def append_durably(root: bytes, path: bytes, line: bytes) -> None:
    """Add a line to a file of ours; it is on the disk when this returns."""
    parent, name = os.path.split(path)
    with folder(root, parent, make=True) as directory:
        flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=directory)
        try:
            is_new = os.fstat(descriptor).st_size == 0
            # A line that a crash cut short must not swallow the next one, so every line starts by itself.
            with open(descriptor, "wb", closefd=False) as file:
                file.write(b"\n" + line + b"\n")
            os.fsync(descriptor)
            sync_name(directory, descriptor, within=(root, path), is_new=is_new)
        finally:
            os.close(descriptor)
