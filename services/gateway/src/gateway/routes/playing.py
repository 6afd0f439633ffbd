"""Videos and recordings as browsers play them, and what is shown of them before that."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import route
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ASGIApp

from common.db import Pool, glance
from common.messages import Kind
from gateway import serving
from gateway.errors import Invalid, NotFound, NotReady
from gateway.queries import media as queries
from gateway.queries.media import Derived, Rendering
from gateway.queries.users import User
from gateway.routes.media import GET
from gateway.serving import Request

Shape = Literal["json", "png"]
KINDS: dict[Shape, str] = {"json": "waveform", "png": "waveform_image"}
CALLED: dict[Kind, str] = {"photo": "a photo", "video": "a video", "audio": "a recording"}


@route("/assets/{asset_id:uuid}/video/web", http_method=GET, status_code=200)
async def video_web(
    request: Request, pool: NamedDependency[Pool], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> ASGIApp:
    """A video as every browser plays it: a version of its own once there is one, else the original."""
    return await _web(request, pool, user, asset_id, "video")


@route("/assets/{asset_id:uuid}/audio/web", http_method=GET, status_code=200)
async def audio_web(
    request: Request, pool: NamedDependency[Pool], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> ASGIApp:
    """A recording as every browser plays it: a version of its own once there is one, else the original."""
    return await _web(request, pool, user, asset_id, "audio")


@route("/assets/{asset_id:uuid}/preview", http_method=GET, status_code=200)
async def preview(
    request: Request, pool: NamedDependency[Pool], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> ASGIApp:
    """A video in three seconds, as an animated picture (WebP)."""
    found, state = await _find(pool, user, asset_id, "preview", of="video")
    if found is None:
        raise _missing(state, "preview")
    return await serving.derived(request, pool, asset_id, found, "preview")


@route("/assets/{asset_id:uuid}/waveform", http_method=GET, status_code=200)
async def waveform(
    request: Request,
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    asset_id: FromPath[UUID],
    shape: Annotated[Shape, QueryParameter(name="format")] = "json",
) -> ASGIApp:
    """How loud a recording is over its time, as peaks (JSON) or, with `format=png`, as a picture of 1200 x 200."""
    found, state = await _find(pool, user, asset_id, KINDS[shape], of="audio")
    if found is None:
        raise _missing(state, "waveform")
    return await serving.derived(request, pool, asset_id, found, "waveform")


async def _web(request: Request, pool: Pool, user: User, asset_id: UUID, kind: Kind) -> ASGIApp:
    found, _ = await _find(pool, user, asset_id, "web", of=kind)
    return await serving.web(request, pool, asset_id, found, owner=user.user_id)


async def _find(
    pool: Pool, user: User, asset_id: UUID, rendition: str, *, of: Kind
) -> tuple[Derived | None, Rendering]:
    """A rendition of one of the caller's assets, which must be of this kind, and how far its rendering is."""
    async with glance(pool) as conn:
        state = await queries.find_rendering(conn, asset_id, owner=user.user_id)
        found = await queries.find_rendition(conn, asset_id, rendition, owner=user.user_id)
    if state is None:
        raise NotFound(f"no asset {asset_id}")
    if state.kind != of:
        raise Invalid(f"it is {CALLED[state.kind]}, and this is for {CALLED[of]}")
    return found, state


def _missing(state: Rendering, what: str) -> NotFound:
    if state.state == "failed":
        return NotFound(f"there will be no {what}: {state.error}")
    if state.state == "done":
        return NotFound(f"no {what} was made of it; processing it again may make one")
    return NotReady(f"the {what} is being made")
