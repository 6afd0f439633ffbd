"""How files are sent: one multipart body, read while it goes, that may be sent again under its key."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

import httpx

# Longer than a server takes to sync a large file on a slow disk.
TIMEOUT = httpx.Timeout(120, connect=10)
PATH = "/api/v1/assets"


@dataclass(frozen=True)
class Upload:
    """A file to be sent from where it stands; the key makes sending it twice have one effect."""

    file: IO[bytes]
    name: str
    repository_id: UUID | None = None
    modified_at: datetime | None = None
    content_hash: str | None = None
    is_bulk: bool = False
    key: str = field(default_factory=lambda: str(uuid4()))

    def parts(self) -> Mapping[str, Any]:
        """What httpx is given; the fields go before the file."""
        fields = {
            "repository_id": str(self.repository_id) if self.repository_id else None,
            "modified_at": self.modified_at.isoformat() if self.modified_at else None,
        }
        headers = {"Idempotency-Key": self.key, "X-Content-Hash": self.content_hash}
        return {
            "data": {name: value for name, value in fields.items() if value is not None},
            "files": {"file": (self.name, self.file)},
            "headers": {name: value for name, value in headers.items() if value is not None},
            "params": {"lane": "bulk"} if self.is_bulk else {},
            "timeout": TIMEOUT,
        }


@contextmanager
def opened(file: str | PathLike[str] | IO[bytes]) -> Iterator[IO[bytes]]:
    """The bytes of a file from where it stands, or of one that is named from its beginning."""
    if isinstance(file, str | PathLike):
        with Path(file).open("rb") as source:
            yield source
    else:
        yield file


def called(file: str | PathLike[str] | IO[bytes], name: str | None) -> str:
    """What the server is to call a file."""
    if name is not None:
        return name
    where = file if isinstance(file, str | PathLike) else getattr(file, "name", "")
    return Path(str(where)).name or "file"
