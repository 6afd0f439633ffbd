"""Who is asking: the token or key of each request, and whether its route is for them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from msgspec import structs

from common.db import Connection, Pool, glance
from gateway import origins, policies, tokens
from gateway.errors import NotSignedIn
from gateway.policies import SCOPES, Caller
from gateway.queries import keys, users
from gateway.tokens import Tokens

Asked: TypeAlias = ASGIConnection[Any, Any, Any, Any]
CLOCKS_DIFFER_SECONDS = 10


def guard(given: Mapping[str, Any]) -> Callable[[Asked, BaseRouteHandler], Awaitable[None]]:
    """Holds every route to its policy; who is asking is looked up every time, and the database's clock counts."""

    async def permitted(request: Asked, handler: BaseRouteHandler) -> None:
        if "policy" not in handler.opt and request.scope.get("method") == "OPTIONS":
            return
        policy = policies.of(handler.opt)
        if policy.is_open:
            return
        caller = await identify(given["pool"], given["tokens"], request)
        request.scope["user"], request.scope["auth"] = caller.user, caller
        policy.check(caller)

    return permitted


async def identify(pool: Pool, known: Tokens, request: Asked) -> Caller:
    """Who is asking, an active user; NotSignedIn where the request does not say so."""
    shown, address = _shown(request), origins.of(request).address
    async with glance(pool) as conn:
        if shown.startswith(tokens.KEY_PREFIX):
            return await _by_key(conn, shown, address)
        return await _by_token(conn, known, shown, address)


async def _by_token(conn: Connection, known: Tokens, token: str, address: str) -> Caller:
    bearer = known.read(token)
    user = await users.find_bearer(conn, bearer, leeway=CLOCKS_DIFFER_SECONDS)
    if user is None:
        raise NotSignedIn("the token is not valid: its time is over, its sign-in has ended, or it names nobody")
    return Caller(user=user, session_id=bearer.session_id, address=address)


async def _by_key(conn: Connection, shown: str, address: str) -> Caller:
    """What the key may do and its user still may; to every route an administrator is only who may administer by it."""
    key = await keys.find_held(conn, tokens.digest(shown))
    user = await users.find_user(conn, key.user_id) if key else None
    if key is None or user is None:
        raise NotSignedIn("the key is not valid: its time is over, or it was removed")
    if not key.is_noted:
        await keys.mark_used(conn, key.key_id)
    held = frozenset(scope for scope in SCOPES if scope in key.scopes and (scope != "admin" or user.is_admin))
    user = structs.replace(user, is_admin="admin" in held)
    return Caller(user=user, scopes=held, key_id=key.key_id, address=address)


def _shown(request: Asked) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not token or " " in token:
        raise NotSignedIn("send the header `Authorization: Bearer` with a token from /api/v1/auth/login, or a key")
    return token
