"""Puts the routes together: what is public, what needs a sign-in, and what every answer carries."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Litestar, MediaType, Request, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import MutableScopeHeaders
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import Message, Scope

from common.db import Connection, Pool
from common.process import Core
from gateway import errors
from gateway.auth import SignIn, Tokens, guard
from gateway.grounds import Grounds
from gateway.queries.users import User
from gateway.room import Room
from gateway.routes import (
    assets,
    edits,
    health,
    index,
    media,
    playing,
    repositories,
    reprocess,
    sessions,
    stages,
    transcode,
    trash,
    uploads,
)
from gateway.uploads import FORM_BYTES, Intake

API = "/api/v1"
LARGEST_BODY = 1_000_000

NOWHERE = Grounds()
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def create(
    core: Core,
    *,
    jwt_secret: str,
    access_token_seconds: int,
    refresh_token_seconds: int,
    max_upload_bytes: int,
    cors_origins: list[str],
    grounds: Grounds = NOWHERE,
    room: Room | None = None,
) -> Litestar:
    """The whole API over a running core."""
    tokens = Tokens(jwt_secret, access_token_seconds)
    sign_in = SignIn(core.pool, tokens, refresh_token_seconds)
    intake = Intake(core.pool, core.relay, max_upload_bytes, room or Room())

    def provide_core() -> Core:
        return core

    def provide_pool() -> Pool:
        return core.pool

    async def provide_conn() -> AsyncIterator[Connection]:
        async with core.pool.connection() as conn:
            yield conn

    public = Router(API, route_handlers=[health.is_alive, health.is_ready])
    signing = Router(API, route_handlers=[sessions.login, sessions.refresh, sessions.logout])
    sending = Router(
        "/",
        route_handlers=[uploads.upload, uploads.upload_batch],
        request_max_body_size=max_upload_bytes + FORM_BYTES,
    )
    private = Router(
        API,
        guards=[guard(core.pool, tokens)],
        dependencies={"user": Provide(_user, sync_to_thread=False)},
        security=[{"token": []}],
        route_handlers=[
            sessions.me,
            sending,
            uploads.precheck,
            uploads.list_uploads,
            uploads.get_upload,
            assets.list_assets,
            assets.list_types,
            assets.get_asset,
            reprocess.reprocess_asset,
            reprocess.reprocess_assets,
            edits.edit_asset,
            edits.rate_asset,
            edits.describe_asset,
            trash.trash_asset,
            trash.restore_asset,
            media.original,
            media.thumbnail,
            media.motion,
            playing.video_web,
            playing.audio_web,
            playing.preview,
            playing.waveform,
            transcode.transcode_asset,
            transcode.cancel_transcode,
            repositories.list_repositories,
            repositories.get_repository,
            repositories.create_repository,
            repositories.validate_repository,
            repositories.repair_repository,
            repositories.make_default,
            stages.list_stages,
            stages.summarize,
            stages.retry,
            stages.retry_all,
            stages.pause,
            stages.resume,
        ],
    )
    return Litestar(
        [index.index, public, signing, private],
        dependencies={
            "core": Provide(provide_core, sync_to_thread=False),
            "pool": Provide(provide_pool, sync_to_thread=False),
            "conn": Provide(provide_conn),
            "sign_in": Provide(lambda: sign_in, sync_to_thread=False),
            "grounds": Provide(lambda: grounds, sync_to_thread=False),
            "intake": Provide(lambda: intake, sync_to_thread=False),
        },
        exception_handlers={Exception: errors.answer},
        before_send=[_harden],
        request_max_body_size=LARGEST_BODY,
        cors_config=_cors(cors_origins),
        openapi_config=_description(),
        logging_config=None,
    )


def _user(request: Request[User, Any, Any]) -> User:
    return request.user


async def _harden(message: Message, _: Scope) -> None:
    """What an answer says itself is left as it is."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)


def _cors(origins: list[str]) -> CORSConfig | None:
    if not origins:
        return None
    return CORSConfig(
        allow_origins=origins,
        allow_methods=["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Range", "X-Content-Hash"],
        expose_headers=["Content-Disposition", "Content-Range", "ETag", "Retry-After"],
    )


def _description() -> OpenAPIConfig:
    """The OpenAPI document alone: pages around it would load their parts from elsewhere."""
    return OpenAPIConfig(
        title="Lumilio Photos",
        version="1",
        description="Photos on storage you own.",
        path=f"{API}/openapi.json",
        render_plugins=[JsonRenderPlugin(path="/", media_type=MediaType.JSON)],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={"token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
        ),
    )
