"""Files that can be made again: each gets its name once it is whole, and never that of an original."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO
from uuid import uuid4

from blake3 import blake3

from common import layout
from common.files import CHUNK
from common.folders import UnsafePath, folder, sync


def write(root: bytes, path: bytes, content: bytes) -> None:
    """A file that can be made again: readers see it whole or not at all, and a power cut may take it away."""
    with _derived(root, path) as file:
        file.write(content)


def copy(root: bytes, path: bytes, source: int, part: range) -> bytes:
    """A file that can be made again, as `write` makes it, of a part of an open file; returns its BLAKE3."""
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
def renewing(root: bytes, path: bytes, *, kept: bytes) -> Iterator[BinaryIO]:
    """A file instead of the one of that name, which gets the name `kept`: one of both is there whole, at any moment."""
    for private in (path, kept):
        if not private.startswith(layout.MANIFESTS + b"/"):
            raise UnsafePath(f"not a private file of ours: {private!r}")
    with _unnamed(root, path) as (descriptor, _, directory), open(descriptor, "wb") as file:
        with suppress(PermissionError):  # some file systems know no modes
            os.fchmod(descriptor, 0o600)
        yield file
        file.flush()
        os.fsync(descriptor)
        with suppress(FileNotFoundError):
            os.rename(os.path.basename(path), os.path.basename(kept), src_dir_fd=directory, dst_dir_fd=directory)
    sync(root, os.path.dirname(path))


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
    if not path.startswith(layout.PRIVATE + b"/") or layout.is_trashed(path):
        raise UnsafePath(f"not a private file of ours: {path!r}")
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
