"""Finds and answers with each variant of an asset: the original, its thumbnails, and what else was made of it."""

from typing import Literal
from uuid import UUID

from litestar.types import ASGIApp

from common.db import Pool, glance
from common.messages import Kind
from gateway import serving
from gateway.errors import Invalid, NotFound, NotReady
from gateway.queries import media as queries
from gateway.queries import stacks
from gateway.queries.media import Derived, Rendering
from gateway.serving import Request

Size = Literal["small", "medium", "large"]
Variant = Literal[
    "small", "medium", "large", "original", "video", "audio", "motion", "preview", "waveform", "waveform_image"
]
SIZES: frozenset[str] = frozenset({"small", "medium", "large"})
SHOWN: dict[str, tuple[Kind, str]] = {
    "preview": ("video", "preview"),
    "waveform": ("audio", "waveform"),
    "waveform_image": ("audio", "waveform"),
}
"""What is shown of a video or a recording before it plays: of which kind it is, and what it is called."""
CALLED: dict[Kind, str] = {"photo": "a photo", "video": "a video", "audio": "a recording"}


async def answer(request: Request, pool: Pool, asset_id: UUID, variant: Variant, *, owner: int) -> ASGIApp:
    """Any variant of one of the owner's assets."""
    match variant:
        case "original":
            return await serving.original(request, pool, asset_id, owner=owner)
        case "small" | "medium" | "large":
            return await thumbnail(request, pool, asset_id, variant, owner=owner)
        case "motion":
            return await motion(request, pool, asset_id, owner=owner)
        case "video" | "audio":
            return await web(request, pool, asset_id, variant, owner=owner)
        case "preview" | "waveform" | "waveform_image":
            return await shown(request, pool, asset_id, variant, owner=owner)


async def thumbnail(request: Request, pool: Pool, asset_id: UUID, size: Size, *, owner: int) -> ASGIApp:
    """A small picture of one of the owner's assets; where there is none, why."""
    async with glance(pool) as conn:
        found = await queries.find_thumbnail(conn, asset_id, size, owner=owner)
        state = None if found else await queries.find_rendering(conn, asset_id, owner=owner)
    if found is None:
        raise _unrendered(state, asset_id)
    return await serving.derived(request, pool, asset_id, found, "thumbnail")


async def motion(request: Request, pool: Pool, asset_id: UUID, *, owner: int) -> ASGIApp:
    """What moves in one of the owner's photos."""
    async with glance(pool) as conn:
        found = await queries.find_rendition(conn, asset_id, "motion", owner=owner)
        video = None if found else await stacks.find_live_video(conn, asset_id, owner=owner)
        playable = await queries.find_rendition(conn, video, "web", owner=owner) if video else None
        state = await queries.find_rendering(conn, asset_id, owner=owner)
    if video is not None:
        return await serving.web(request, pool, video, playable, owner=owner)
    if found is None:
        raise _unmoved(state, asset_id)
    return await serving.derived(request, pool, asset_id, found, "video")


async def web(request: Request, pool: Pool, asset_id: UUID, kind: Kind, *, owner: int) -> ASGIApp:
    """One of the owner's videos or recordings as browsers play it."""
    found, _ = await _find(pool, asset_id, "web", of=kind, owner=owner)
    return await serving.web(request, pool, asset_id, found, owner=owner)


async def shown(request: Request, pool: Pool, asset_id: UUID, rendition: str, *, owner: int) -> ASGIApp:
    """What stands for one of the owner's videos or recordings before it plays."""
    kind, what = SHOWN[rendition]
    found, state = await _find(pool, asset_id, rendition, of=kind, owner=owner)
    if found is None:
        raise _missing(state, what)
    return await serving.derived(request, pool, asset_id, found, what)


async def _find(
    pool: Pool, asset_id: UUID, rendition: str, *, of: Kind, owner: int
) -> tuple[Derived | None, Rendering]:
    """A rendition of one of the owner's assets, which must be of this kind, and how far its rendering is."""
    async with glance(pool) as conn:
        state = await queries.find_rendering(conn, asset_id, owner=owner)
        found = await queries.find_rendition(conn, asset_id, rendition, owner=owner)
    if state is None:
        raise NotFound(f"no asset {asset_id}")
    if state.kind != of:
        raise Invalid(f"it is {CALLED[state.kind]}, and this is for {CALLED[of]}")
    return found, state


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


def _missing(state: Rendering, what: str) -> NotFound:
    if state.state == "failed":
        return NotFound(f"there will be no {what}: {state.error}")
    if state.state == "done":
        return NotFound(f"no {what} was made of it; processing it again may make one")
    return NotReady(f"the {what} is being made")
