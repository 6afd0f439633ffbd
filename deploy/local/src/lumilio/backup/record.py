"""What a backup is: its folder, the files in it, and `backup.json`, which is written last and says what they are."""

from datetime import datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes
from uuid import UUID

import msgspec
from blake3 import blake3
from msgspec import Struct

from lumilio import durable
from lumilio.refusal import CannotStart

FORMAT = 1
RECORD = "backup.json"
DUMP = "catalogue.dump"
ORIGINALS = "originals.jsonl.gz"
SECRETS = "secrets.json"
CHUNK = 1 << 20


class Part(Struct, frozen=True, kw_only=True):
    """A file of a backup; its hash is BLAKE3."""

    size: int
    hash: str


class Tree(Struct, frozen=True, kw_only=True):
    """A repository, where it lay, and where its own files did; both are percent-encoded."""

    id: UUID
    name: str
    root: str
    home: str

    @property
    def place(self) -> bytes:
        """The folder that it lay in."""
        return unquote_to_bytes(self.root)


class Backup(Struct, frozen=True, kw_only=True):
    """All that has to be known of a backup before it is used; `migrations` are names with the digests of their text."""

    format: int = FORMAT
    made_at: datetime
    lumilio: str
    postgres: int
    epoch: UUID
    migrations: dict[str, str]
    counts: dict[str, int]
    originals: int
    original_bytes: int
    repositories: list[Tree]
    parts: dict[str, Part]
    database_bytes: int | None = None
    """What the database took on its disk; backups of before say nothing of it."""

    @property
    def size(self) -> int:
        """The bytes of its files."""
        return sum(part.size for part in self.parts.values())


def measure(path: Path) -> Part:
    """What a file is at the moment."""
    digest = blake3()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
        return Part(size=file.tell(), hash=digest.hexdigest())


def write(folder: Path, backup: Backup) -> None:
    """Say what a backup is, durably; from here on it is one."""
    content = msgspec.json.format(msgspec.json.encode(backup)) + b"\n"
    durable.write(str(folder / RECORD), content, mode=0o600)


def read(folder: Path) -> Backup:
    """What a backup says of itself."""
    try:
        content = (folder / RECORD).read_bytes()
    except OSError as error:
        if next(folder.glob(f"*/{RECORD}"), None) is not None:
            todo = f"name one of those that `lumilio backup list --to {folder}` tells"
            raise CannotStart(f"{folder} holds backups: {todo}") from None
        raise CannotStart(f"{folder} is no whole backup, its {RECORD} cannot be read: {error.strerror}") from None
    try:
        found = msgspec.json.decode(content, type=Backup)
    except msgspec.DecodeError as error:
        raise CannotStart(f"{folder / RECORD} makes no sense ({error}): take another backup") from None
    if found.format != FORMAT:
        raise CannotStart(f"{folder} was made by a newer Lumilio ({found.lumilio}): use that one")
    return found


def faults(folder: Path, backup: Backup) -> list[str]:
    """What is wrong with the files of a backup, in words."""
    return [f"{name} {wrong}" for name, part in backup.parts.items() if (wrong := _fault(folder / name, part))]


def _fault(path: Path, part: Part) -> str | None:
    try:
        found = measure(path)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if found.size != part.size:
        return f"has {found.size:,} bytes instead of {part.size:,}"
    return None if found == part else "has other bytes than were written"
