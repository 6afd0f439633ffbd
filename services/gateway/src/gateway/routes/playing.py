"""Videos and recordings as browsers play them, and what is shown of them before that."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import route
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.types import ASGIApp

from common.db import Pool
from gateway import variants
from gateway.declared import gives
from gateway.policies import READ
from gateway.routes.media import GET
from gateway.serving import Request

Shape = Literal["json", "png"]
KINDS: dict[Shape, str] = {"json": "waveform", "png": "waveform_image"}
WAVE = gives("application/json", "image/png")


@route("/assets/{asset_id:uuid}/video/web", http_method=GET, status_code=200, opt=READ | gives("video/*"))
async def video_web(
    request: Request, pool: NamedDependency[Pool], owner: NamedDependency[int], asset_id: FromPath[UUID]
) -> ASGIApp:
    """A video as every browser plays it: a version of its own once there is one, else the original."""
    return await variants.web(request, pool, asset_id, "video", owner=owner)


@route("/assets/{asset_id:uuid}/audio/web", http_method=GET, status_code=200, opt=READ | gives("audio/*"))
async def audio_web(
    request: Request, pool: NamedDependency[Pool], owner: NamedDependency[int], asset_id: FromPath[UUID]
) -> ASGIApp:
    """A recording as every browser plays it: a version of its own once there is one, else the original."""
    return await variants.web(request, pool, asset_id, "audio", owner=owner)


@route("/assets/{asset_id:uuid}/preview", http_method=GET, status_code=200, opt=READ | gives("image/webp"))
async def preview(
    request: Request, pool: NamedDependency[Pool], owner: NamedDependency[int], asset_id: FromPath[UUID]
) -> ASGIApp:
    """A video in three seconds, as an animated picture (WebP)."""
    return await variants.shown(request, pool, asset_id, "preview", owner=owner)


@route("/assets/{asset_id:uuid}/waveform", http_method=GET, status_code=200, opt=READ | WAVE)
async def waveform(
    request: Request,
    pool: NamedDependency[Pool],
    owner: NamedDependency[int],
    asset_id: FromPath[UUID],
    shape: Annotated[Shape, QueryParameter(name="format")] = "json",
) -> ASGIApp:
    """How loud a recording is over its time, as peaks (JSON) or, with `format=png`, as a picture of 1200 x 200."""
    return await variants.shown(request, pool, asset_id, KINDS[shape], owner=owner)


HANDLERS = [video_web, audio_web, preview, waveform]
