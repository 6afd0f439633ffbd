"""XMP sidecars on disk: the one kind of a person's files that is written anew, and only instead of what was read."""

import errno
import fcntl
import os
from contextlib import suppress
from typing import NamedTuple

from blake3 import blake3

from common import files, layout
from common.files import Seen
from common.folders import UnsafePath, folder

MODE = 0o640
ENDINGS = (layout.XMP, layout.XMP.upper())
REASONS = {
    errno.EINVAL: "is a folder, or something else that is no file",
    errno.EISDIR: "is a folder",
    errno.ELOOP: "is a link, and links are not followed",
    errno.ENOTDIR: "lies in what is no folder",
    errno.EACCES: "may not be read or written",
    errno.EPERM: "may not be read or written",
    errno.ENAMETOOLONG: "would have a name that is too long",
}

STAYING = {errno.ENOENT, errno.EEXIST, *REASONS}
"""Why a sidecar stays where it is: there is none, its name is taken where it should go, or it is none."""


class Unfit(Exception):
    """Where a sidecar should be is something else, or may be none; the text says what."""


class Changed(Exception):
    """What was to be replaced is no longer what was read: look again."""


class Gone(Exception):
    """The original beside which the sidecar should be is not there."""


class Version(NamedTuple):
    """A sidecar as it was read."""

    content: bytes
    seen: Seen
    mode: int


def read(root: bytes, path: bytes, *, limit: int) -> Version | None:
    """A sidecar, or None when there is none; Unfit for what is something else, or larger than the limit."""
    try:
        descriptor = files.open_original(root, path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unfit(path, error) from None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if status.st_size > limit:
            raise Unfit(f"{_name(path)} is larger than {limit >> 20} MB")
        seen = files.seen(status)
        return Version(file.read(limit + 1), seen, status.st_mode & 0o777)


def is_there(root: bytes, original: bytes) -> bool:
    """Whether anything has the name of an original's sidecar, whatever wrote it."""
    parent, name = os.path.split(original)
    with suppress(FileNotFoundError), folder(root, parent) as directory:
        return any(_is_taken(directory, name + ending) for ending in ENDINGS)
    return False


def bring(root: bytes, *, source: bytes, target: bytes) -> None:
    """The sidecars of an original go where that went; one that cannot, stays, and its name counts as taken.

    Repeating an interrupted one finishes it, and no other file is replaced.
    """
    for ending in ENDINGS:
        try:
            files.move(root, source + ending, target + ending)
        except OSError as error:
            if error.errno not in STAYING:
                raise


def forget(root: bytes, original: bytes) -> None:
    """Remove the sidecars of an original of ours that went for good; a person's own stay, so does what is no file."""
    if not layout.is_managed(original):
        raise UnsafePath(f"not an original of ours: {original!r}")
    parent, name = os.path.split(original)
    with suppress(FileNotFoundError), folder(root, parent) as directory:
        for ending in ENDINGS:
            try:
                os.unlink(name + ending, dir_fd=directory)
            except OSError as error:
                if error.errno not in STAYING:
                    raise


def write(root: bytes, path: bytes, content: bytes, *, instead_of: Version | None, beside: bytes | None = None) -> None:
    """A sidecar, whole and durable, instead of the very one that was read; Changed when another one is there by now.

    `beside` is its original, which stays where it is meanwhile. A crash leaves the old one, and at most a hidden file
    that the next writing removes.
    """
    if not path.endswith(layout.XMP):
        raise UnsafePath(f"not a sidecar: {path!r}")
    try:
        if beside is None:
            _write(root, path, content, instead_of)
        else:
            with files.held(root, beside) as original:
                seen = files.see(root, beside)
                if seen is None or seen.inode != files.seen(os.fstat(original)).inode:
                    raise Changed
                _write(root, path, content, instead_of)
    except FileNotFoundError:
        raise Gone("the original is not there at the moment") from None
    except OSError as error:
        raise _unfit(path, error) from None


def _write(root: bytes, path: bytes, content: bytes, instead_of: Version | None) -> None:
    parent, name = os.path.split(path)
    temporary = b".%s.tmp" % blake3(name).hexdigest()[:32].encode()
    with folder(root, parent, make=path.startswith(layout.PRIVATE)) as directory:
        with suppress(OSError):  # a file system without locks still has the check
            fcntl.flock(directory, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=directory)
        try:
            _fill(directory, temporary, content, MODE if instead_of is None else instead_of.mode)
            if instead_of is None:
                _give_new_name(directory, temporary, name)
            elif not _is_still(root, path, instead_of):
                raise Changed
            else:
                os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
            os.fsync(directory)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=directory)


def _is_still(root: bytes, path: bytes, version: Version) -> bool:
    try:
        return read(root, path, limit=len(version.content)) == version
    except Unfit:  # it is larger by now, or something else
        return False


def _fill(directory: int, name: bytes, content: bytes, mode: int) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(name, flags, 0o600, dir_fd=directory), "wb") as file:
        with suppress(PermissionError):  # some file systems know no modes
            os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _give_new_name(directory: int, temporary: bytes, name: bytes) -> None:
    try:
        files.named(directory, temporary, directory, name)
    except FileExistsError:
        raise Changed from None


def _unfit(path: bytes, error: OSError) -> Exception:
    reason = REASONS.get(error.errno or 0)
    return error if reason is None else Unfit(f"{_name(path)} {reason}")


def _is_taken(directory: int, name: bytes) -> bool:
    try:
        os.lstat(name, dir_fd=directory)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENAMETOOLONG}:
            raise
        return False
    return True


def _name(path: bytes) -> str:
    return os.path.basename(path).decode(errors="backslashreplace")
