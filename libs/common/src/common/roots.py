"""A repository's root on the disk: made, adopted, examined and mended, while no file of a person is ever changed."""

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

import msgspec

from common import files, folders, layout, marker, rendering
from common.files import Offline
from common.marker import Marker

MARKER_MODE = 0o644
NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


class Refused(Exception):
    """A directory cannot be this repository; the text says why, and what to do."""


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a repository on the disk, in words; warnings do not keep it from working."""

    valid: bool
    errors: list[str]
    warnings: list[str]


def create(root: bytes, made: Marker, *, private_root: bytes | None = None) -> None:
    """Folders first, the marker last, all durable: what has a marker is complete. A marker that is there stays."""
    home = private_root or root
    folders.make(home)
    repair(root, private_root=private_root)
    if marker.find(home) is None:
        files.write_new(home, layout.MARKER, msgspec.yaml.encode(made), mode=MARKER_MODE)


def repair(root: bytes, *, private_root: bytes | None = None) -> list[str]:
    """Make the folders that are missing; returns which."""
    home, missing = private_root or root, []
    for path in _folders(private_root):
        if not os.path.lexists(os.path.join(home, path)):
            missing.append(path.decode())
        with folders.folder(home, path, make=True):
            pass
    return missing


def takes_files(root: bytes) -> bool:
    """Whether a directory may be written to; one that is still to be made may be."""
    try:
        folders.probe(root)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno not in NOT_ALLOWED:
            raise
        return False
    return True


def refuse_unfit(root: bytes, others: Iterable[bytes]) -> None:
    """Refused unless a directory, or one to be made, can become a repository beside the others as far as one sees."""
    if {layout.PRIVATE, layout.MARKER} & set(root.split(b"/")):
        raise Refused("the directory is a private one of a repository: choose another")
    if nested := nesting(root, others):
        raise Refused(f"{nested}: choose a directory beside it")
    if os.path.lexists(root) and not os.path.isdir(root):
        raise Refused("the path leads to a file: choose a directory")
    for path in layout.FOLDERS:
        if _is_in_the_way(os.path.join(root, path)):
            raise Refused(f"`{path.decode()}` is a file or a link where a folder is needed: move it away")
    if marker.find(root) is None and _holds_anything(os.path.join(root, layout.INBOX)):
        raise Refused("the directory has an `inbox` with files, and this server keeps its own there: rename it first")


def nesting(root: bytes, others: Iterable[bytes]) -> str | None:
    """Which repository a directory lies in or has in it, in words; markers on the disk count, known or not."""
    for parent in _parents(root):
        if os.path.lexists(os.path.join(parent, layout.MARKER)):
            return "the directory lies inside another repository"
    for other in others:
        if root.startswith(other + b"/"):
            return "the directory lies inside another repository"
        if other.startswith(root + b"/"):
            return "the directory has another repository in it"
    return None


def validate(
    root: bytes, repository_id: UUID, *, private_root: bytes | None = None, others: Sequence[bytes] = ()
) -> Validation:
    """Examine a repository on the disk; nothing is changed."""
    if not os.path.isdir(root):
        away = "the directory is not there: is its disk mounted?"
        return Validation(valid=False, errors=[away], warnings=[])
    errors = [*_outage(root, repository_id, private_root), *_obstacles(root, private_root)]
    if nested := nesting(root, others):
        errors.append(nested)
    missing = [f"the folder {path.decode()} is missing: repair makes it" for path in _missing(root, private_root)]
    return Validation(valid=not errors, errors=errors, warnings=[*missing, *_odd_wishes(private_root or root)])


def _outage(root: bytes, repository_id: UUID, private_root: bytes | None) -> Iterator[str]:
    try:
        marker.check(root, repository_id, private_root)
    except Offline as outage:
        yield str(outage)


def _obstacles(root: bytes, private_root: bytes | None) -> Iterator[str]:
    """Folders that are none, and those that take no files although they must."""
    home = private_root or root
    for path in _folders(private_root):
        try:
            folders.probe(home, path)
        except OSError as error:
            if error.errno in files.NO_FOLDER:
                yield f"{path.decode()} is no folder: move it away, then repair"
            elif error.errno != errno.ENOENT:
                yield f"the folder {path.decode()} takes no files: {error.strerror}"


def _odd_wishes(home: bytes) -> list[str]:
    """What the marker says that makes no sense and keeps nothing from working."""
    try:
        found = marker.find(home)
    except Offline:
        return []
    return rendering.read(found.rendering)[1] if found else []


def _missing(root: bytes, private_root: bytes | None) -> list[bytes]:
    home = private_root or root
    return [path for path in _folders(private_root) if not os.path.lexists(os.path.join(home, path))]


def _folders(private_root: bytes | None) -> tuple[bytes, ...]:
    return layout.FOLDERS if private_root is None else layout.PRIVATE_FOLDERS


def _parents(root: bytes) -> Iterator[bytes]:
    while (parent := os.path.dirname(root)) != root:
        yield parent
        root = parent


def _is_in_the_way(path: bytes) -> bool:
    return os.path.lexists(path) and (os.path.islink(path) or not os.path.isdir(path))


def _holds_anything(path: bytes) -> bool:
    try:
        return bool(os.listdir(path))
    except OSError:
        return False
