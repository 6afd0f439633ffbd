"""Originals on disk: opened, placed and removed only here, durably, never replacing a file or following a link."""

import ctypes
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple
from uuid import uuid4

from blake3 import blake3

from common import layout
from common.folders import UnsafePath, folder, sync_name

CHUNK = 1 << 20
ORIGINAL_MODE = 0o440
RENAME_NOREPLACE = 1
BROKEN_DISK = {errno.EIO, errno.EROFS, errno.ENODEV, errno.ENXIO, errno.ESTALE}
FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
NO_FOLDER = {errno.ENOTDIR, errno.ELOOP}
STARVED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_libc = ctypes.CDLL(None, use_errno=True)


class Offline(Exception):
    """A repository's root or its marker is not there: an outage, never a deletion."""


class Seen(NamedTuple):
    """What the disk says about a file."""

    size: int
    modified_ns: int
    inode: int


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
        status = os.fstat(descriptor)
        return Seen(status.st_size, status.st_mtime_ns, status.st_ino)
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
    digest, buffer, position = blake3(), memoryview(bytearray(CHUNK)), 0
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
    if _is_one(folder, name, other_folder, other):
        os.unlink(name, dir_fd=folder)
        os.fsync(folder)


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


def write_derived(root: bytes, path: bytes, content: bytes) -> None:
    """A file that can be made again: readers see it whole or not at all, and a power cut may take it away."""
    with _derived(root, path) as file:
        file.write(content)


def copy_derived(root: bytes, path: bytes, source: int, part: range) -> bytes:
    """A file that can be made again, as `write_derived` makes it, of a part of an open file; returns its BLAKE3."""
    digest = blake3()
    with _derived(root, path) as file:
        for start in range(part.start, part.stop, CHUNK):
            chunk = os.pread(source, min(CHUNK, part.stop - start), start)
            digest.update(chunk)
            file.write(chunk)
        if file.tell() < len(part):
            raise OSError(errno.EIO, "the file became shorter while it was read")
    return digest.digest()


@contextmanager
def making(root: bytes, path: bytes) -> Iterator[tuple[int, int]]:
    """Two descriptors of a file that a program makes, to write and to read it; it gets its name once all went well.

    Nothing is left of it when this process is killed, where the file system knows files without names.
    """
    with _unnamed(root, path, begin=_nameless) as (descriptor, temporary, directory):
        is_nameless = os.fstat(descriptor).st_nlink == 0
        name = _own_name(descriptor) if is_nameless else temporary
        reading = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
        try:
            yield descriptor, reading
            if is_nameless:
                os.link(name, temporary, dst_dir_fd=directory)
        finally:
            os.close(reading)
            os.close(descriptor)


@contextmanager
def _derived(root: bytes, path: bytes) -> Iterator[BinaryIO]:
    with _unnamed(root, path) as (descriptor, _, _), open(descriptor, "wb") as file:
        yield file


def _begun(directory: int, temporary: bytes) -> int:
    return os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o644, dir_fd=directory)


@contextmanager
def _unnamed(
    root: bytes, path: bytes, begin: Callable[[int, bytes], int | None] = _begun
) -> Iterator[tuple[int, bytes, int]]:
    """A new file that gets its name when all went well, and goes when not: open, under which name, in which folder."""
    parent, name = os.path.split(path)
    temporary = b".%s.tmp" % uuid4().hex.encode()
    with folder(root, parent, make=True, durable=False) as directory:
        descriptor = begin(directory, temporary)
        if descriptor is None:
            descriptor = _begun(directory, temporary)
        try:
            yield descriptor, temporary, directory
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=directory)
            raise


def _nameless(directory: int, trial: bytes) -> int | None:
    """A new file in a directory, without a name until one is given to it; None where it could not be had so.

    Whether it can be named is tried with an empty one, for otherwise that would be seen after all the work.
    """
    flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
    try:
        with open(os.open(b".", flags, 0o644, dir_fd=directory), "wb") as empty:
            os.link(_own_name(empty.fileno()), trial, dst_dir_fd=directory)
        os.unlink(trial, dir_fd=directory)
        return os.open(b".", flags, 0o644, dir_fd=directory)
    except OSError:  # a file with a name has the same trouble, if it is no lack of this
        return None


def _own_name(descriptor: int) -> bytes:
    """What an open file is called by this process, whether or not it has a name."""
    return b"/proc/self/fd/%d" % descriptor


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
