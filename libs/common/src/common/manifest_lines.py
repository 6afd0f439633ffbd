"""What a repository says of its originals, a line each, from which the catalogue can be made anew."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote_from_bytes
from uuid import UUID

import msgspec

from common import files, layout


def encoded(
    path: bytes,
    *,
    name: str,
    content_hash: bytes,
    size: int,
    owner_id: int,
    asset_id: UUID,
    **more: datetime | str | None,
) -> bytes:
    """A line about an original: where it lies, what it is and whose; `more` says since when, or from where."""
    said = {
        "path": quote_from_bytes(path),
        "name": name,
        "hash": content_hash.hex(),
        "size": size,
        "owner": owner_id,
        "asset": str(asset_id),
    }
    return msgspec.json.encode(said | more)


def append(home: bytes, lines: Sequence[bytes], *, now: datetime) -> None:
    """Write lines down, durably; of two lines about a path the later one counts."""
    files.append_durably(home, layout.manifest(now), b"\n".join(lines))
