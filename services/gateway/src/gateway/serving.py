"""Answers with originals and with what was made of them, wherever they lie; what is damaged is made again."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, NoReturn, TypeAlias
from uuid import UUID

import litestar
from litestar.types import ASGIApp

from common import files, layout, marker
from common.db import Pool, glance
from common.formats import BY_MIME
from common.stages import Stage
from gateway import media
from gateway.errors import NotFound, NotReady
from gateway.media import Media
from gateway.queries import media as queries
from gateway.queries.media import Derived, Original, Place

Request: TypeAlias = litestar.Request[Any, Any, Any]

LARGEST_READ = 64 << 20
"""Up to which size a file of another date is read before it is sent, for it may be the same all the same."""
PAUSES = (0.0, 0.1, 0.4, 1.0)
"""Seconds before each further look for a file that is not where it was; the later ones only while it is moved."""
STANDS_IN = {"cache-control": "private, no-cache"}
"""Of an original that is played until there is a version for browsers: whoever asks again gets that."""


async def original(
    request: Request, pool: Pool, asset_id: UUID, *, owner: int, headers: Mapping[str, str] | None = None
) -> ASGIApp:
    """The bytes that one of the owner's assets came as, from wherever a copy of them lies."""
    found, places = await _find(pool, asset_id, owner=owner)
    told = {
        "content-type": found.mime_type,
        "content-disposition": media.disposition(found.original_filename, found.mime_type),
        **(headers or {}),
    }
    plan = media.plan(request, size=found.size, etag=found.content_hash.hex(), headers=told)
    if plan.status == HTTPStatus.NOT_MODIFIED:
        return Media(plan, None)
    return Media(plan, await _open(pool, asset_id, found, places))


async def opened(pool: Pool, asset_id: UUID, *, owner: int) -> tuple[Original, int]:
    """What one of the owner's assets came as, and a descriptor of it, which the caller closes."""
    found, places = await _find(pool, asset_id, owner=owner)
    return found, await _open(pool, asset_id, found, places)


async def derived(
    request: Request, pool: Pool, asset_id: UUID, found: Derived, what: str, *, stage: Stage = Stage.RENDER
) -> ASGIApp:
    """A file that was made of an original; where it is damaged, its stage makes it again and it is not ready."""
    plan = media.plan(request, size=found.length, etag=found.hash.hex(), headers=_told(request, found))
    if plan.status == HTTPStatus.NOT_MODIFIED:
        return Media(plan, None)
    descriptor = await asyncio.to_thread(media.open_exact, found.home, found.path, size=found.length)
    if descriptor is None:
        await asyncio.to_thread(marker.check, found.root, found.repository_id, found.private_root)
        if reason := await _make_again(pool, asset_id, found, stage):
            raise NotFound(f"the {what} is damaged on the disk, and making it again failed: {reason}")
        raise NotReady(f"the {what} is damaged on the disk and is being made again")
    return Media(plan, descriptor)


async def web(request: Request, pool: Pool, asset_id: UUID, found: Derived | None, *, owner: int) -> ASGIApp:
    """The version for browsers of one of the owner's assets; where there is none or it is damaged, the original."""
    if found is not None:
        with suppress(NotFound):
            return await derived(request, pool, asset_id, found, "web version", stage=Stage.TRANSCODE)
    return await original(request, pool, asset_id, owner=owner, headers=STANDS_IN)


def _told(request: Request, found: Derived) -> dict[str, str]:
    """Its type, and the original's name with the ending of its type; what has no name is for programs alone."""
    headers = {"content-type": found.mime_type}
    if found.mime_type in BY_MIME:
        headers["content-disposition"] = media.derived_name(found.original_filename, found.mime_type)
    if request.query_params.get("v") == media.version(found.hash):
        headers["cache-control"] = media.NAMED
    return headers


async def _make_again(pool: Pool, asset_id: UUID, found: Derived, stage: Stage) -> str | None:
    """Why that is of no use, if it is not; a stage that keeps what has the same recipe must not know of it any more."""
    async with pool.connection() as conn:
        await queries.make_again(conn, asset_id, stage)
        if stage == Stage.TRANSCODE:
            await queries.forget_rendition(conn, asset_id, found.path)
        return await queries.find_failure(conn, asset_id, stage)


async def _find(pool: Pool, asset_id: UUID, *, owner: int) -> tuple[Original, list[Place]]:
    async with glance(pool) as conn:
        found = await queries.find_original(conn, asset_id, owner=owner)
        places = await queries.list_places(conn, asset_id, found.content_hash) if found else []
    if found is None:
        raise NotFound(f"no asset {asset_id}")
    return found, places


async def _open(pool: Pool, asset_id: UUID, found: Original, places: list[Place]) -> int:
    """A file may get its place between the look and the opening, so further looks count."""
    descriptor, is_moving = await _open_first(places, found), True
    for pause in PAUSES:
        if descriptor is not None or not is_moving:
            break
        await asyncio.sleep(pause)
        async with glance(pool) as conn:
            is_moving = await queries.is_moving(conn, asset_id)
            places = await queries.list_places(conn, asset_id, found.content_hash)
        descriptor = await _open_first(places, found)
    if descriptor is None:
        await _explain_absence(found, places, is_moving=is_moving)
    return descriptor


async def _open_first(places: list[Place], found: Original) -> int | None:
    for place in places:
        descriptor = await asyncio.to_thread(_open_one, place, found)
        if descriptor is not None:
            return descriptor
    return None


def _open_one(place: Place, found: Original) -> int | None:
    """A file in a person's own folders may have been edited a moment ago: its bytes are not what its row says then."""
    descriptor = media.open_exact(place.root, _path(place), size=found.size)
    if descriptor is None or place.is_kept or _is_right(descriptor, place, found):
        return descriptor
    os.close(descriptor)
    return None


def _is_right(descriptor: int, place: Place, found: Original) -> bool:
    if files.seen(os.fstat(descriptor)).modified_ns == place.modified_ns:
        return True
    return found.size <= LARGEST_READ and files.hash_open(descriptor) == found.content_hash


async def _explain_absence(found: Original, places: list[Place], *, is_moving: bool) -> NoReturn:
    """A repository that is gone is an outage; a file that is gone from one that is there is not."""
    for place in places:
        await asyncio.to_thread(marker.check, place.root, place.repository_id, place.private_root)
    if is_moving:
        raise NotReady("the file is not on the disk while it is on its way to another folder: ask again in a moment")
    if found.is_changed or await asyncio.to_thread(_is_edited, places):
        raise NotReady("another program has just changed the file, and it is being read again")
    if found.is_damaged:
        raise NotFound("the file on the disk is damaged: put a good copy in its place, or upload it again")
    if found.missing_since is not None:
        day = f"{found.missing_since:%Y-%m-%d %H:%M} UTC"
        raise NotFound(f"the file is not on the disk at the moment, since {day}: when it is there again, so is this")
    raise NotFound("the file is not on the disk at the moment; its row is kept, so it may come back")


def _is_edited(places: list[Place]) -> bool:
    """Whether a file that people may edit is there, though not as its row says."""
    with suppress(OSError):
        return any(not place.is_kept and files.see(place.root, _path(place)) is not None for place in places)
    return False


def _path(place: Place) -> bytes:
    return place.path if place.path is not None else layout.staged(place.staged_name or "")
