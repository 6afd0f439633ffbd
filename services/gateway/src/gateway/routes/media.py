"""The bytes of originals, of thumbnails, and of what moves in a photo."""

from uuid import UUID

from litestar import route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp, Method

from common.db import Pool
from gateway import serving, variants
from gateway.declared import gives
from gateway.policies import READ
from gateway.serving import Request
from gateway.variants import Size

GET: list[Method] = ["GET", "HEAD"]
PICTURE = gives("image/webp", "image/jpeg")
FILES = gives("image/*", "video/*", "audio/*")


@route("/assets/{asset_id:uuid}/original", http_method=GET, status_code=200, opt=READ | FILES)
async def original(
    request: Request, pool: NamedDependency[Pool], owner: NamedDependency[int], asset_id: FromPath[UUID]
) -> ASGIApp:
    """The file as it was sent, byte for byte; ranges and conditions are honoured."""
    return await serving.original(request, pool, asset_id, owner=owner)


@route("/assets/{asset_id:uuid}/thumbnail", http_method=GET, status_code=200, opt=READ | PICTURE)
async def thumbnail(
    request: Request,
    pool: NamedDependency[Pool],
    owner: NamedDependency[int],
    asset_id: FromPath[UUID],
    size: FromQuery[Size] = "medium",
) -> ASGIApp:
    """A small picture of an asset: 400, 800 or 1920 pixels on its longer side, unless the server makes others.

    A video's is a picture out of it, a recording's its cover.
    """
    return await variants.thumbnail(request, pool, asset_id, size, owner=owner)


@route("/assets/{asset_id:uuid}/motion", http_method=GET, status_code=200, opt=READ | gives("video/*"))
async def motion(
    request: Request, pool: NamedDependency[Pool], owner: NamedDependency[int], asset_id: FromPath[UUID]
) -> ASGIApp:
    """What moves in a photo: the video inside a motion photo, or the one that belongs to a Live Photo's still.

    The latter as browsers play it, once there is such a version.
    """
    return await variants.motion(request, pool, asset_id, owner=owner)


HANDLERS = [original, thumbnail, motion]
