"""The bytes of originals, of thumbnails, and of what moves in a photo."""

import asyncio
import os
from http import HTTPStatus
from typing import Any, Literal, NoReturn
from uuid import UUID

from litestar import Request, route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.types import ASGIApp, Method

from common import formats, layout, marker
from common.db import Pool, glance
from common.formats import BY_MIME
from common.messages import Kind
from gateway import media
from gateway.errors import Invalid, NotFound, NotReady
from gateway.media import Media
from gateway.queries import media as queries
from gateway.queries import stacks
from gateway.queries.media import Derived, Place
from gateway.queries.users import User

Size = Literal["small", "medium", "large"]
GET: list[Method] = ["GET", "HEAD"]


@route("/assets/{asset_id:uuid}/original", http_method=GET, status_code=200)
async def original(
    request: Request[Any, Any, Any],
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    asset_id: FromPath[UUID],
) -> ASGIApp:
    """The file as it was sent, byte for byte; ranges and conditions are honoured."""
    return await _original(request, pool, user, asset_id)


async def _original(request: Request[Any, Any, Any], pool: Pool, user: User, asset_id: UUID) -> ASGIApp:
    async with glance(pool) as conn:
        found = await queries.find_original(conn, asset_id, owner=user.user_id)
        places = await queries.list_places(conn, asset_id)
    if found is None:
        raise NotFound(f"no asset {asset_id}")
    headers = {
        "content-type": found.mime_type,
        "content-disposition": media.disposition(found.original_filename, found.mime_type),
    }
    plan = media.plan(request, size=found.size, etag=found.content_hash.hex(), headers=headers)
    if plan.status == HTTPStatus.NOT_MODIFIED:
        return Media(plan, None)
    return Media(plan, await _open(pool, asset_id, places, size=found.size))


@route("/assets/{asset_id:uuid}/thumbnail", http_method=GET, status_code=200)
async def thumbnail(
    request: Request[Any, Any, Any],
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    asset_id: FromPath[UUID],
    size: FromQuery[Size] = "medium",
) -> ASGIApp:
    """A small picture of an asset: 400, 800 or 1920 pixels on its longer side, unless the server makes others."""
    async with glance(pool) as conn:
        found = await queries.find_thumbnail(conn, asset_id, size, owner=user.user_id)
        if found is None:
            state = await queries.find_render(conn, asset_id, owner=user.user_id)
            raise _unrendered(state, asset_id)
    return await _derived(request, pool, asset_id, found, headers={"content-type": found.mime_type})


@route("/assets/{asset_id:uuid}/motion", http_method=GET, status_code=200)
async def motion(
    request: Request[Any, Any, Any],
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    asset_id: FromPath[UUID],
) -> ASGIApp:
    """What moves in a photo: the video inside a motion photo, or the one that belongs to a Live Photo's still."""
    async with glance(pool) as conn:
        found = await queries.find_rendition(conn, asset_id, "motion", owner=user.user_id)
        video = None if found else await stacks.find_live_video(conn, asset_id, owner=user.user_id)
        state = await queries.find_render(conn, asset_id, owner=user.user_id)
    if video is not None:
        return await _original(request, pool, user, video)
    if found is None:
        raise _unmoved(state, asset_id)
    name = os.path.splitext(found.original_filename)[0] + formats.BY_MIME[found.mime_type].extension
    disposition = media.disposition(name, found.mime_type)
    headers = {"content-type": found.mime_type, "content-disposition": disposition}
    return await _derived(request, pool, asset_id, found, headers=headers)


@route("/assets/{asset_id:uuid}/video/web", http_method=GET, status_code=200)
async def video_web(
    request: Request[Any, Any, Any],
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    asset_id: FromPath[UUID],
) -> ASGIApp:
    """A video as every browser plays it: a version of its own, else the original."""
    return await _web(request, pool, user, asset_id, "video")


@route("/assets/{asset_id:uuid}/audio/web", http_method=GET, status_code=200)
async def audio_web(
    request: Request[Any, Any, Any],
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    asset_id: FromPath[UUID],
) -> ASGIApp:
    """A recording as every browser plays it: a version of its own, else the original."""
    return await _web(request, pool, user, asset_id, "audio")


async def _web(request: Request[Any, Any, Any], pool: Pool, user: User, asset_id: UUID, kind: Kind) -> ASGIApp:
    async with glance(pool) as conn:
        found = await queries.find_rendition(conn, asset_id, "web", owner=user.user_id)
        original = await queries.find_original(conn, asset_id, owner=user.user_id)
    if original is None:
        raise NotFound(f"no asset {asset_id}")
    if BY_MIME[original.mime_type].kind != kind:
        raise Invalid(f"it is no {kind}")
    if found is None:
        return await _original(request, pool, user, asset_id)
    return await _derived(request, pool, asset_id, found, headers={"content-type": found.mime_type})


async def _derived(
    request: Request[Any, Any, Any], pool: Pool, asset_id: UUID, found: Derived, headers: dict[str, str]
) -> ASGIApp:
    """A file that was made of an original; it is made again where it is damaged."""
    plan = media.plan(request, size=found.length, etag=found.hash.hex(), headers=headers)
    if plan.status == HTTPStatus.NOT_MODIFIED:
        return Media(plan, None)
    descriptor = await asyncio.to_thread(media.open_exact, found.home, found.path, size=found.length)
    if descriptor is None:
        await asyncio.to_thread(marker.check, found.root, found.repository_id, found.private_root)
        async with glance(pool) as conn:
            await queries.render_again(conn, asset_id)
        what = "video" if found.mime_type.startswith("video/") else "thumbnail"
        raise NotReady(f"the {what} is damaged on the disk and is being made again")
    return Media(plan, descriptor)


async def _open(pool: Pool, asset_id: UUID, places: list[Place], *, size: int) -> int:
    """A file may get its place between the look and the opening, so a second look counts."""
    descriptor = await _open_first(places, size=size)
    if descriptor is None:
        async with glance(pool) as conn:
            places = await queries.list_places(conn, asset_id)
        descriptor = await _open_first(places, size=size)
    if descriptor is None:
        await _explain_absence(places)
    return descriptor


async def _open_first(places: list[Place], *, size: int) -> int | None:
    for place in places:
        descriptor = await asyncio.to_thread(media.open_exact, place.root, _path(place), size=size)
        if descriptor is not None:
            return descriptor
    return None


async def _explain_absence(places: list[Place]) -> NoReturn:
    """A repository that is gone is an outage; a file that is gone from one that is there is not."""
    for place in places:
        await asyncio.to_thread(marker.check, place.root, place.repository_id, place.private_root)
    raise NotFound("the file is not on the disk; its row is, so it may come back")


def _path(place: Place) -> bytes:
    return place.path if place.path is not None else layout.staged(place.staged_name or "")


def _unrendered(state: queries.RenderState | None, asset_id: UUID) -> NotFound:
    if state is None:
        return NotFound(f"no asset {asset_id}")
    if state.state == "failed":
        return NotFound(f"there will be no thumbnail: {state.error}")
    return NotReady("the thumbnail is being made")


def _unmoved(state: queries.RenderState | None, asset_id: UUID) -> NotFound:
    if state is None:
        return NotFound(f"no asset {asset_id}")
    if state.state in {"done", "failed"}:
        return NotFound("nothing moves in it: it is no motion photo, and no Live Photo whose video is here")
    return NotReady("whether anything moves in it is being found out")
