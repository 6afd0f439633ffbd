"""The marker at the root of a repository: which one it is, and how its owner wants files to be kept there."""

import os
import re
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import msgspec
import yaml
from msgspec import Meta, Struct, field

from common import files, folders, layout, rendering
from common.files import Offline

LARGEST = 64 * 1024
DEEPEST = 20
LARGEST_NUMBER = 2**63 - 1
STRATEGY_LINE = re.compile(rb"^storage_strategy[ \t]*:[^#\r\n]*?(?=[ \t]*(#|\r|$))", re.MULTILINE)
Strategy = Literal["date", "flat", "cas"]
Clash = Literal["uuid", "rename", "overwrite"]
IGNORED = [
    *(".DS_Store", "Thumbs.db", "ehthumbs.db", "Icon?", "Icon\r", "*.tmp", "*.temp", "*.part", "*.partial", "*.wbk"),
    *("*.bak", "*.orig", "*~", "~$*", "*.swp", "*.swo", ".*.swp", ".lumilio", ".Trash", ".Trashes", ".fseventsd"),
    *(".Spotlight-V100", ".TemporaryItems", "lost+found", "desktop.ini", "*._*", "npm-debug.log", "yarn-error.log"),
]


class SyncSettings(Struct, frozen=True, kw_only=True):
    """How often a repository is scanned, which names are passed over, and how changes are noticed between scans.

    They are judged where they are used, so that a slip in them keeps nobody from storing photos.
    `watch` is `auto` (the kernel tells; where it cannot, as on network disks, a look every minute), `polling` or `off`.
    """

    quick_scan_interval: Any = "5m"
    full_scan_interval: Any = "30m"
    ignore_patterns: list[str] = field(default_factory=IGNORED.copy)
    watch: Any = "auto"


class LocalSettings(Struct, frozen=True, kw_only=True):
    """How uploads are named; `max_file_size` is in bytes, 0 for any."""

    preserve_original_filename: bool = True
    handle_duplicate_filenames: Clash = "uuid"
    max_file_size: Annotated[int, Meta(ge=0, le=LARGEST_NUMBER)] = 0


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class Marker(Struct, frozen=True, kw_only=True):
    """What `.lumiliorepo` says; keys that we do not know are left to those who do."""

    version: str = "1.0"
    id: UUID
    name: str
    created_at: datetime = field(default_factory=_now)
    storage_strategy: Strategy = "date"
    sync_settings: SyncSettings = field(default_factory=SyncSettings)
    local_settings: LocalSettings = field(default_factory=LocalSettings)
    rendering: Any = field(default_factory=rendering.written)
    """As it stands there; what is wrong in it keeps nobody from storing photos, so `rendering.read` judges it."""


def check(root: bytes, repository_id: UUID, private_root: bytes | None = None) -> Marker:
    """The marker of this very repository; Offline unless it is there, and can take files if it is to.

    A root that may not be written to has its marker in its private root, and is there when it holds anything.
    """
    marker = recognize(root, repository_id, private_root)
    if private_root is None:
        check_disk(root)
    return marker


def recognize(root: bytes, repository_id: UUID, private_root: bytes | None = None) -> Marker:
    """The marker of this very repository, for who only reads there; Offline unless it is there."""
    marker = read(private_root or root)
    _compare(marker, repository_id)
    if private_root is not None:
        _look(root, repository_id)
    return marker


def check_disk(root: bytes) -> None:
    """Offline unless both take files, and what lies in staging can be linked into the inbox."""
    if _usable_device(root, layout.STAGING) != _usable_device(root, layout.INBOX):
        raise Offline("in the repository inbox and .lumilio lie on different disks: put them on one")


def find(root: bytes) -> Marker | None:
    """The marker at a root, or None when there is none; Offline when it makes no sense."""
    return read(root) if os.path.lexists(os.path.join(root, layout.MARKER)) else None


def read(root: bytes) -> Marker:
    """The marker at a root; Offline when there is none, or none that makes sense."""
    try:
        status = os.lstat(os.path.join(root, layout.MARKER))
        return _parsed(root, status.st_ino, status.st_mtime_ns, status.st_size)
    except FileNotFoundError:
        where = "its folder has no .lumiliorepo" if os.path.isdir(root) else "its folder is gone"
        raise Offline(f"the repository is not there: {where}; is its disk mounted?") from None
    except OSError as error:
        raise Offline(f"the repository is not there: {error.strerror}") from None
    except (msgspec.DecodeError, yaml.YAMLError, ValueError) as error:
        raise Offline(f"the file {layout.MARKER.decode()} of the repository makes no sense: {error}") from None


def choose(root: bytes, repository_id: UUID, strategy: Strategy) -> Marker:
    """Have uploads named so from now on, and return the marker; whatever else people wrote in it stays as it is."""
    found = check(root, repository_id)
    if found.storage_strategy == strategy:
        return found
    wanted = msgspec.structs.replace(found, storage_strategy=strategy)
    with open(files.open_original(root, layout.MARKER), "rb") as file:
        text, mode = file.read(LARGEST), os.fstat(file.fileno()).st_mode & 0o777
    changed = _with_strategy(text, strategy)
    if not _says(changed, wanted):
        raise Offline(f"the strategy in {layout.MARKER.decode()} cannot be changed: write `storage_strategy` by hand")
    temporary = b"/".join((layout.PRIVATE, b"%s.tmp" % uuid4().hex.encode()))
    files.write_new(root, temporary, changed, mode=mode)
    with folders.folder(root) as directory:
        os.rename(temporary, layout.MARKER, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)
    return wanted


def _says(text: bytes, wanted: Marker) -> bool:
    try:
        return msgspec.yaml.decode(text, type=Marker) == wanted
    except (msgspec.DecodeError, yaml.YAMLError):
        return False


def _with_strategy(text: bytes, strategy: Strategy) -> bytes:
    """The same text with another strategy in it, or one more line."""
    line = b"storage_strategy: " + strategy.encode()
    changed, count = STRATEGY_LINE.subn(line, text)
    return changed if count else text.rstrip(b"\n") + b"\n" + line + b"\n"


@lru_cache(maxsize=64)
def _parsed(root: bytes, _inode: int, _modified_ns: int, _size: int) -> Marker:
    with open(files.open_original(root, layout.MARKER), "rb") as file:
        text = file.read(LARGEST)
    _refuse_tricks(text)
    return msgspec.yaml.decode(text, type=Marker)


def _refuse_tricks(text: bytes) -> None:
    """ValueError for what people do not write and readers of YAML die of: tags, aliases that multiply, deep nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} levels deep")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
            raise ValueError("it has aliases or tags: write plain values")


def _compare(marker: Marker, repository_id: UUID) -> None:
    if marker.id != repository_id:
        raise Offline(f"in the place of repository {repository_id} is another one: {marker.id}")


def _look(root: bytes, repository_id: UUID) -> None:
    """A root without a marker is told from an empty mount point by what is in it."""
    try:
        with os.scandir(root) as entries:
            is_empty = next(entries, None) is None
    except OSError as error:
        raise Offline(f"the repository is not there: {error.strerror}") from None
    if is_empty:
        raise Offline("the repository is not there: its directory is empty")
    if (own := find(root)) is not None:
        _compare(own, repository_id)


def _usable_device(root: bytes, path: bytes) -> int:
    """The disk of a folder that takes files; one that is missing is made when it is needed."""
    try:
        with suppress(FileNotFoundError), folders.folder(root, path) as directory:
            if not os.access(b".", os.W_OK | os.X_OK, dir_fd=directory, effective_ids=True):
                name = path.decode()
                raise Offline(f"the folder {name} of the repository takes no files: is its disk mounted read-only?")
            return os.fstat(directory).st_dev
        return os.stat(root).st_dev
    except OSError as error:
        if error.errno in files.NO_FOLDER:
            raise Offline(f"{path.decode()} of the repository is a file or a link: put a folder there") from None
        raise Offline(f"the folder {path.decode()} of the repository cannot be used: {error.strerror}") from None
