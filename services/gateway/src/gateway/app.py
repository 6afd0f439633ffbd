"""Puts the routes together: what is public, what needs a sign-in, and what every answer carries."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import Litestar, Request, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import Message, Scope

from common.db import Connection
from common.process import Core
from gateway import errors, origins, policies, seeing, spelling, strict_json
from gateway.addresses import Signer
from gateway.auth import SignIn
from gateway.callers import guard
from gateway.confirming import Confirmations
from gateway.download_tickets import Tickets
from gateway.downloads import Downloads, Limits
from gateway.grounds import Grounds
from gateway.operations import Operations
from gateway.policies import Caller
from gateway.queries.users import User
from gateway.query_vectors import QueryVectors
from gateway.reading import Asking, Connect, Reading
from gateway.registering import Registration
from gateway.room import Room
from gateway.routes import (
    album_assets,
    album_members,
    albums,
    assets,
    audit,
    contract,
    downloads,
    duplicates,
    edits,
    folders,
    health,
    index,
    keys,
    labels,
    lists,
    media,
    ml,
    on_this_day,
    operations,
    organising,
    passwords,
    places,
    playing,
    repositories,
    reprocess,
    scans,
    server,
    sessions,
    share_page,
    shared,
    shares,
    signed,
    similar,
    stacks,
    stages,
    statistics,
    tags,
    timeline,
    transcode,
    trash,
    uploads,
    users,
)
from gateway.search import Search
from gateway.share_visits import Visits
from gateway.tokens import Tokens
from gateway.upload_turns import Turns
from gateway.uploads import FORM_BYTES, Intake
from gateway.vocabulary import Vocabularies

API = "/api/v1"
LARGEST_BODY = 1_000_000
LARGEST_SIGN_IN = 2_000_000  # whatever somebody takes for a password is a wrong one

OF_USERS = (
    *(sessions, passwords, keys, users, audit),
    *(uploads, repositories, scans, stages, ml),
    *(lists, timeline, places, folders, on_this_day, statistics),
    *(assets, similar, edits, organising, tags, labels, stacks, duplicates),
    *(albums, album_assets, album_members, shares),
    *(media, playing, signed, downloads),
    *(operations, reprocess, transcode, trash),
)
"""The routes that need a sign-in: each module lists its own as `HANDLERS`."""

GIVEN = (
    *("core", "pool", "operations", "signer", "grounds", "trash_days"),
    *("sign_in", "registration", "visits", "intake", "search", "downloads", "confirmations"),
)
"""What routes ask for by name, whichever server they belong to."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What an operator decides about the API."""

    jwt_secret: str
    access_token_seconds: int = 900
    refresh_token_seconds: int = 3600
    max_upload_bytes: int = 1 << 30
    uploads_at_once: int = 4
    trash_days: int = 30
    cors_origins: list[str] = field(default_factory=list)
    grounds: Grounds = field(default_factory=Grounds)
    room: Room = field(default_factory=Room)
    downloads: Limits = field(default_factory=Limits)
    setup_token: str = ""
    open_registration: bool = False


def create(
    core: Core, options: Options, signer: Signer, working: Operations, reading: Reading | None = None
) -> Litestar:
    """The whole API over a running core."""
    return supply(build(options), core, options, signer, working, reading)


def build(options: Options) -> Litestar:
    """Every route, which can answer nothing before it is supplied with what it works with."""
    given: dict[str, Any] = {}
    app = Litestar(
        [index.index, contract.openapi, contract.docs, signed.follow_url, share_page.pages, *_routers(options)],
        guards=[guard(given), spelling.check],
        dependencies={
            **{name: _given(given, name) for name in GIVEN},
            "conn": _connection(given),
            "connect": _connect(given),
            "origin": Provide(origins.of, sync_to_thread=False),
        },
        exception_handlers={Exception: errors.answer},
        before_send=[_mark(given)],
        request_max_body_size=LARGEST_BODY,
        request_class=strict_json.Request,
        cors_config=_cors(options.cors_origins),
        openapi_config=None,
        logging_config=None,
        state=State({"given": given}, deep_copy=False),
    )
    return policies.require(app)


def supply(
    app: Litestar, core: Core, options: Options, signer: Signer, working: Operations, reading: Reading | None = None
) -> Litestar:
    """The same app over a running core; what it had before is forgotten."""
    app.state["given"].update(_collaborators(core, options), signer=signer, operations=working)
    app.state["given"]["reading"] = reading or Reading(core.pool)
    return app


def _routers(options: Options) -> list[Router]:
    signing = [*sessions.SIGNING, *passwords.SIGNING]
    sending = Router("/", route_handlers=uploads.SENDING, request_max_body_size=options.max_upload_bytes + FORM_BYTES)
    of_users = [handler for module in OF_USERS for handler in module.HANDLERS]
    about_the_caller = {
        "user": Provide(_user, sync_to_thread=False),
        "owner": Provide(seeing.provide_owner),
        "caller": Provide(_caller, sync_to_thread=False),
    }
    return [
        Router(API, route_handlers=[health.is_alive, health.is_ready, server.describe, downloads.download]),
        Router(f"{API}/shared", route_handlers=shared.HANDLERS),
        Router(API, route_handlers=signing, request_max_body_size=LARGEST_SIGN_IN),
        Router(API, route_handlers=[sending, *of_users], dependencies=about_the_caller),
    ]


def _collaborators(core: Core, options: Options) -> dict[str, Any]:
    """What routes ask for by name and every request shares."""
    pool, secret = core.pool, options.jwt_secret
    tokens = Tokens(secret, options.access_token_seconds)
    sign_in = SignIn(pool, tokens, options.refresh_token_seconds)
    turns = Turns(options.uploads_at_once)
    return {
        "core": core,
        "pool": pool,
        "tokens": tokens,
        "sign_in": sign_in,
        "registration": Registration(pool, sign_in, options.setup_token, options.open_registration),
        "visits": Visits(pool, secret, sign_in.hashing),
        "intake": Intake(pool, core.relay, options.max_upload_bytes, options.room, turns=turns),
        "search": Search(pool.connection, QueryVectors(core.bus), Vocabularies()),
        "downloads": Downloads(pool, Tickets(secret), options.downloads),
        "confirmations": Confirmations(secret),
        "grounds": options.grounds,
        "trash_days": options.trash_days,
    }


def _given(given: Mapping[str, Any], name: str) -> Provide:
    return Provide(lambda: given[name], sync_to_thread=False)


def _connection(given: Mapping[str, Any]) -> Provide:
    async def provide(request: Asking) -> AsyncIterator[Connection]:
        async with given["reading"].of(request)() as conn:
            yield conn

    return Provide(provide)


def _connect(given: Mapping[str, Any]) -> Provide:
    def provide(request: Asking) -> Connect:
        connect: Connect = given["reading"].of(request)
        return connect

    return Provide(provide, sync_to_thread=False)


def _mark(given: Mapping[str, Any]) -> Callable[[Message, Scope], Awaitable[None]]:
    async def mark(message: Message, scope: Scope) -> None:
        await given["reading"].mark(message, scope)

    return mark


def _caller(request: Request[User, Caller, Any]) -> Caller:
    return request.auth


def _user(request: Request[User, Any, Any]) -> User:
    return request.user


def _cors(allowed: list[str]) -> CORSConfig | None:
    if not allowed:
        return None
    return CORSConfig(
        allow_origins=allowed,
        allow_methods=["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Range", "X-Content-Hash"],
        expose_headers=["Content-Disposition", "Content-Range", "ETag", "Retry-After"],
    )
