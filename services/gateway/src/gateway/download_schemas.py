"""What goes over the wire about downloads."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from gateway.filter_schemas import AssetFilter

MOST = 10_000
Ids = Annotated[list[UUID], Meta(min_length=1, max_length=MOST)]


class DownloadRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted: some assets, an album, or all that a filter finds of the caller's own."""

    asset_ids: Ids | None = None
    album_id: int | None = None
    filter: AssetFilter | None = None


class DownloadLink(Struct, frozen=True, kw_only=True):
    """Where an archive of `count` originals is fetched, without a sign-in, once, and begun before `expires_at`.

    `bytes` is the length of the archive.
    """

    url: str
    file_name: str
    count: int
    bytes: int
    expires_at: datetime
