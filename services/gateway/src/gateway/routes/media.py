"""The bytes of originals, of thumbnails, and of what moves in a photo."""

from typing import Literal
from uuid import UUID

from litestar import route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp, Method

from common.db import Pool, glance
from gateway import serving
from gateway.errors import NotFound, NotReady
from gateway.queries import media as queries
from gateway.queries import stacks
from gateway.queries.media import Rendering
from gateway.queries.users import User
from gateway.serving import Request

Size = Literal["small", "medium", "large"]
GET: list[Method] = ["GET", "HEAD"]


@route("/assets/{asset_id:uuid}/original", http_method=GET, status_code=200)
async def original(
    request: Request, pool: NamedDependency[Pool], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> ASGIApp:
    """The file as it was sent, byte for byte; ranges and conditions are honoured."""
    return await serving.original(request, pool, asset_id, owner=user.user_id)


@route("/assets/{asset_id:uuid}/thumbnail", http_method=GET, status_code=200)
async def thumbnail(
    request: Request,
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    asset_id: FromPath[UUID],
    size: FromQuery[Size] = "medium",
) -> ASGIApp:
    """A small picture of an asset: 400, 800 or 1920 pixels on its longer side, unless the server makes others.

    A video's is a picture out of it, a recording's its cover.
    """
    async with glance(pool) as conn:
        found = await queries.find_thumbnail(conn, asset_id, size, owner=user.user_id)
        state = None if found else await queries.find_rendering(conn, asset_id, owner=user.user_id)
    if found is None:
        raise _unrendered(state, asset_id)
    return await serving.derived(request, pool, asset_id, found, "thumbnail")


@route("/assets/{asset_id:uuid}/motion", http_method=GET, status_code=200)
async def motion(
    request: Request, pool: NamedDependency[Pool], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> ASGIApp:
    """What moves in a photo: the video inside a motion photo, or the one that belongs to a Live Photo's still.

    The latter as browsers play it, once there is such a version.
    """
    async with glance(pool) as conn:
        found = await queries.find_rendition(conn, asset_id, "motion", owner=user.user_id)
        video = None if found else await stacks.find_live_video(conn, asset_id, owner=user.user_id)
        web = await queries.find_rendition(conn, video, "web", owner=user.user_id) if video else None
        state = await queries.find_rendering(conn, asset_id, owner=user.user_id)
    if video is not None:
        return await serving.web(request, pool, video, web, owner=user.user_id)
    if found is None:
        raise _unmoved(state, asset_id)
    return await serving.derived(request, pool, asset_id, found, "video")


def _unrendered(state: Rendering | None, asset_id: UUID) -> NotFound:
    if state is None:
        return NotFound(f"no asset {asset_id}")
    if state.state == "failed":
        return NotFound(f"there will be no thumbnail: {state.error}")
    if state.state == "done" and state.kind == "audio":
        return NotFound("it has no cover picture")
    return NotReady("the thumbnail is being made")


def _unmoved(state: Rendering | None, asset_id: UUID) -> NotFound:
    if state is None:
        return NotFound(f"no asset {asset_id}")
    if state.state in {"done", "failed"}:
        return NotFound("nothing moves in it: it is no motion photo, and no Live Photo whose video is here")
    return NotReady("whether anything moves in it is being found out")
