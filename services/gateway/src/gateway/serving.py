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

from common import layout, marker
from common.db import Pool, glance
from common.formats import BY_MIME
from common.stages import Stage
from gateway import media
from gateway.errors import NotFound, NotReady
from gateway.media import Media
from gateway.queries import media as queries
from gateway.queries.media import Derived, Place

Request: TypeAlias = litestar.Request[Any, Any, Any]

STANDS_IN = {"cache-control": "private, no-cache"}
"""Of an original that is played until there is a version for browsers: whoever asks again gets that."""


async def original(
    request: Request, pool: Pool, asset_id: UUID, *, owner: int, headers: Mapping[str, str] | None = None
) -> ASGIApp:
    """The bytes that one of the owner's assets came as, from wherever a copy of them lies."""
    async with glance(pool) as conn:
        found = await queries.find_original(conn, asset_id, owner=owner)
        places = await queries.list_places(conn, asset_id)
    if found is None:
        raise NotFound(f"no asset {asset_id}")
    told = {
        "content-type": found.mime_type,
        "content-disposition": media.disposition(found.original_filename, found.mime_type),
        **(headers or {}),
    }
    plan = media.plan(request, size=found.size, etag=found.content_hash.hex(), headers=told)
    if plan.status == HTTPStatus.NOT_MODIFIED:
        return Media(plan, None)
    return Media(plan, await _open(pool, asset_id, places, size=found.size))


async def derived(
    request: Request, pool: Pool, asset_id: UUID, found: Derived, what: str, *, stage: Stage = Stage.RENDER
) -> ASGIApp:
    """A file that was made of an original; where it is damaged, its stage makes it again and it is not ready."""
    plan = media.plan(request, size=found.length, etag=found.hash.hex(), headers=_told(found))
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


def _told(found: Derived) -> dict[str, str]:
    """Its type, and the original's name with the ending of its type; what has no name is for programs alone."""
    headers = {"content-type": found.mime_type}
    if known := BY_MIME.get(found.mime_type):
        name = os.path.splitext(found.original_filename)[0] + known.extension
        headers["content-disposition"] = media.disposition(name, found.mime_type)
    return headers


async def _make_again(pool: Pool, asset_id: UUID, found: Derived, stage: Stage) -> str | None:
    """Why that is of no use, if it is not; a stage that keeps what has the same recipe must not know of it any more."""
    async with pool.connection() as conn:
        await queries.make_again(conn, asset_id, stage)
        if stage == Stage.TRANSCODE:
            await queries.forget_rendition(conn, asset_id, found.path)
        return await queries.find_failure(conn, asset_id, stage)


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
