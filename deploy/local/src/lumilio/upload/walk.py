"""Finds the files of a folder and reads them; names are bytes, for they need not be text."""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, TypeAlias

from blake3 import blake3

CHUNK = 1 << 20


class Found(NamedTuple):
    """A file that may be sent."""

    path: bytes
    size: int


class Skipped(NamedTuple):
    """Something that is not meant to be sent."""

    path: bytes
    reason: str


class Unreadable(NamedTuple):
    """Something that cannot be looked at."""

    path: bytes
    reason: str


class File(NamedTuple):
    """A file and what it held when it was read."""

    path: bytes
    size: int
    content_hash: str
    modified_ns: int


class Interrupted(Exception):
    """Somebody wants an end while a file is read."""


Thing: TypeAlias = Found | Skipped | Unreadable


def find(roots: Iterable[bytes]) -> Iterator[Thing]:
    """Everything below some folders, in no order; links are not followed, except where a root is one."""
    for root in roots:
        folders = [root]
        while folders:
            for thing in _look_into(folders.pop()):
                if isinstance(thing, bytes):
                    folders.append(thing)
                else:
                    yield thing


def hash_file(path: bytes, is_over: Callable[[], bool]) -> File:
    """Read a file once; OSError when that cannot be done, Interrupted when it is over before."""
    digest, size = blake3(), 0
    with opened(path) as file:
        modified_ns = os.fstat(file.fileno()).st_mtime_ns
        for chunk in chunks(file, is_over):
            digest.update(chunk)
            size += len(chunk)
    return File(path, size, digest.hexdigest(), modified_ns)


@contextmanager
def opened(path: bytes) -> Iterator[BinaryIO]:
    """A regular file to read from; whatever else has taken its name is neither followed nor waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no file any more")
        yield file


def chunks(file: BinaryIO, is_over: Callable[[], bool]) -> Iterator[bytes]:
    """The bytes of a file, piece by piece; Interrupted when it is over before."""
    while chunk := file.read(CHUNK):
        if is_over():
            raise Interrupted
        yield chunk


def reason(error: OSError) -> str:
    """What an error says to people."""
    return (error.strerror or str(error)).lower()


def _look_into(folder: bytes) -> Iterator[Thing | bytes]:
    """What lies in a folder, and its folders as bare paths; a root may be a single file."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield Skipped(entry.path, "hidden") if entry.name.startswith(b".") else _look_at(entry.path)
    except NotADirectoryError:
        yield _look_at(os.path.realpath(folder))
    except OSError as error:
        yield Unreadable(folder, reason(error))


def _look_at(path: bytes) -> Thing | bytes:
    try:
        seen = os.lstat(path)
    except OSError as error:
        return Unreadable(path, reason(error))
    if stat.S_ISDIR(seen.st_mode):
        return path
    if stat.S_ISREG(seen.st_mode):
        return Found(path, seen.st_size)
    return Skipped(path, "a link" if stat.S_ISLNK(seen.st_mode) else "neither a file nor a folder")
