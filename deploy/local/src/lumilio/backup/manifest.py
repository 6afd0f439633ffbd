"""The list of originals in a backup: a JSON object a line, compressed, from which each can be found and proven."""

import gzip
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes
from uuid import UUID

import msgspec
from msgspec import Struct

from common import layout
from lumilio.backup.queries import Row


class Original(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An original; its path is percent-encoded, for names of files need not be UTF-8, and its hash is BLAKE3."""

    repository: UUID
    path: str
    hash: str
    size: int
    owner: int
    asset: UUID
    modified_ns: int | None = None

    @property
    def relative(self) -> bytes:
        """Its path below the root of its repository."""
        return unquote_to_bytes(self.path)

    @property
    def is_staged(self) -> bool:
        """Whether it was an upload that waited for its place, which it gets in a moment."""
        return self.relative.startswith(layout.STAGING + b"/")


class Writer:
    """A list that is written, and how much it lists."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600, exist_ok=False)
        self._file = path.open("wb")
        self._packed = gzip.GzipFile(fileobj=self._file, mode="wb", filename="", mtime=0)
        self.count = self.size = 0

    def add(self, rows: Sequence[Row]) -> None:
        """List some originals."""
        for row in rows:
            self._packed.write(msgspec.json.encode(_original(row)) + b"\n")
            self.count += 1
            self.size += row.size

    def close(self) -> None:
        """The list is whole and on the disk."""
        self._packed.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def read(path: Path) -> Iterator[Original]:
    """Every original of a list."""
    decoder = msgspec.json.Decoder(Original)
    with gzip.open(path, "rb") as file:
        for line in file:
            yield decoder.decode(line)


def _original(row: Row) -> Original:
    return Original(
        repository=row.repository,
        path=quote_from_bytes(row.path),
        hash=row.hash.hex(),
        size=row.size,
        owner=row.owner,
        asset=row.asset,
        modified_ns=row.modified_ns,
    )
