"""All originals of an album in one archive, for visitors of a link that allows it."""

from uuid import UUID

from common.db import Connection, Pool, glance
from gateway import archive_names
from gateway.downloads import Downloads
from gateway.errors import Forbidden
from gateway.packing import OwnerOf, Packed
from gateway.queries import downloads as queries
from gateway.queries import shared
from gateway.queries.shares import Opened


async def pack(pool: Pool, downloads: Downloads, opened: Opened) -> Packed:
    """The archive; it breaks off when the link ends meanwhile, or something is taken out of the album."""
    if not opened.allow_download:
        raise Forbidden("this link shows pictures and does not give originals away")
    async with glance(pool) as conn:
        items = await queries.list_album(conn, opened.album_id, limit=downloads.limits.files + 1)
    downloads.check(items)
    return Packed(pool, items, _owner_for(opened.token_hash), archive_names.safe(f"{opened.album_name}.zip"))


def _owner_for(token_hash: bytes) -> OwnerOf:
    async def owner_of(conn: Connection, asset_id: UUID) -> int | None:
        return await shared.find_downloadable(conn, token_hash, asset_id)

    return owner_of
