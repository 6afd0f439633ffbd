"""Directories below a root: reached without following a link, made durably, and what lies in them."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MOST_SYNCED = 10_000
NO_UNNAMED = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL}

# Folders and manifests whose names this process has brought to the disk; to do so again for every photo is dear.
_synced: set[tuple[bytes, bytes, int, int]] = set()


class UnsafePath(ValueError):
    """A path does not stay below its root."""


@contextmanager
def folder(root: bytes, path: bytes = b"", *, make: bool = False, durable: bool = True) -> Iterator[int]:
    """An open directory below `root`, reached without following links; `make` creates missing levels."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in _components(path):
            is_new = make and _make(descriptor, name)
            child = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
            parent, descriptor = descriptor, child
            try:
                if make and durable:
                    sync_name(parent, child, within=(root, path), is_new=is_new)
            finally:
                os.close(parent)
        yield descriptor
    finally:
        os.close(descriptor)


def make(path: bytes, *, mode: int = 0o755) -> None:
    """A directory and what leads to it, durably; `mode` is for the directory alone."""
    path = os.path.abspath(path)
    if not os.path.isdir(path):
        parent, name = os.path.split(path)
        make(parent)
        with folder(parent) as directory:
            _make(directory, name, mode)
            os.fsync(directory)


def _make(parent: int, name: bytes, mode: int = 0o755) -> bool:
    """Make a directory; False when it is there."""
    with suppress(FileExistsError):
        os.mkdir(name, mode, dir_fd=parent)
        return True
    return False


def sync_name(parent: int, child: int, *, within: tuple[bytes, bytes], is_new: bool) -> None:
    """A name is durable before anything rests on it, also when another process just gave it; once is enough.

    What is new may have the number of what was removed, so it is not taken for that.
    """
    status = os.fstat(child)
    name = (*within, status.st_dev, status.st_ino)
    if is_new or name not in _synced:
        os.fsync(parent)
        if len(_synced) >= MOST_SYNCED:
            _synced.clear()
        _synced.add(name)


def _components(path: bytes) -> list[bytes]:
    names = [name for name in path.split(b"/") if name]
    if path.startswith(b"/") or b"\0" in path or any(name in {b".", b".."} for name in names):
        raise UnsafePath(f"not a path below a repository: {path!r}")
    return names


def sync(root: bytes, path: bytes) -> None:
    """The names in a directory survive a power cut from here on."""
    with folder(root, path) as directory:
        os.fsync(directory)


def remove_empty(root: bytes, path: bytes) -> None:
    """Take away a folder in which nothing lies; one that holds anything stays, and so does what is none."""
    parent, name = os.path.split(path)
    with suppress(OSError), folder(root, parent) as directory:
        os.rmdir(name, dir_fd=directory)


def probe(root: bytes, path: bytes = b"") -> None:
    """OSError unless a directory takes files; what is tried has no name and leaves nothing behind."""
    with folder(root, path) as directory:
        try:
            descriptor = os.open(b".", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=directory)
        except OSError as error:
            if error.errno not in NO_UNNAMED:
                raise
            if not os.access(b".", os.W_OK | os.X_OK, dir_fd=directory, effective_ids=True):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
            return
        with open(descriptor, "wb", buffering=0) as file:
            file.write(b"?")
            os.fsync(descriptor)


def list_names(root: bytes, path: bytes) -> list[bytes]:
    """The names of the regular files in a directory; none when it does not exist."""
    with suppress(FileNotFoundError), folder(root, path) as directory, os.scandir(directory) as entries:
        return [os.fsencode(entry.name) for entry in entries if entry.is_file(follow_symlinks=False)]
    return []


def walk(root: bytes, path: bytes) -> Iterator[tuple[bytes, int]]:
    """Every regular file below a directory with the time of its last change in ns; links are passed over."""
    folders: list[bytes] = []
    with suppress(FileNotFoundError), folder(root, path) as directory, os.scandir(directory) as entries:
        for entry in entries:
            below = b"/".join((path, os.fsencode(entry.name)))
            if entry.is_dir(follow_symlinks=False):
                folders.append(below)
            elif entry.is_file(follow_symlinks=False):
                yield below, entry.stat(follow_symlinks=False).st_mtime_ns
    for below in folders:
        yield from walk(root, below)
