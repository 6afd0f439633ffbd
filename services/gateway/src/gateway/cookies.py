"""Carries tokens in cookies for pages, which are better off without them: nothing behind this knows of cookies."""

from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from gateway.refusing import refuse

ACCESS, REFRESH = "__Host-lumilio", "__Host-lumilio-refresh"
ASKED = b"carrier=cookie"
LOGIN, RENEW, LOGOUT = (f"/api/v1/auth/{name}" for name in ("login", "refresh", "logout"))
SAFE = {"GET", "HEAD", "OPTIONS"}
FOREIGN = "the request comes from a page of another site: cookies are for this server's own pages"
KEEP_SECONDS = 400 * 24 * 60 * 60
"""How long a browser keeps a cookie at most; what it is worth, the server decides."""


def carried(app: ASGIApp) -> ASGIApp:
    """The same app; a request without Authorization has the token of its cookie, unless another site made it."""

    async def spoken_for(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or _has(scope, b"authorization"):
            await app(scope, receive, send)
            return
        held, is_asked = _held(scope), scope["method"] == "POST" and scope["query_string"] == ASKED
        if (held or is_asked) and _is_foreign(scope):
            await refuse(send, HTTPStatus.FORBIDDEN, "not allowed", FOREIGN)
        elif is_asked and scope["path"] in {LOGIN, RENEW, LOGOUT}:
            await _exchange(app, scope, receive, send, held)
        else:
            if ACCESS in held:
                scope["headers"] = [*scope["headers"], (b"authorization", f"Bearer {held[ACCESS]}".encode("latin-1"))]
            await app(scope, receive, send)

    return spoken_for


async def _exchange(app: ASGIApp, scope: HTTPScope, receive: Receive, send: Send, held: dict[str, str]) -> None:
    """Sign in, go on or sign out: the tokens of the request and of the answer are in cookies, and nowhere else."""
    asking = receive if scope["path"] == LOGIN else _body(scope, {"refreshToken": held.get(REFRESH, "")})
    start: list[Message] = []
    pieces: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
        elif message["type"] == "http.response.body":
            pieces.append(message["body"])

    await app(scope, asking, keep)
    await _send(start[0], b"".join(pieces), send, is_over=scope["path"] == LOGOUT)


async def _send(start: Any, body: bytes, send: Send, *, is_over: bool) -> None:
    """The answer without its tokens; one that is no good answer goes out as it is."""
    headers = [header for header in start["headers"] if header[0].lower() != b"content-length"]
    if start["status"] == HTTPStatus.OK:
        said = msgspec.json.decode(body)
        data = said.get("data") or {}
        tokens = {ACCESS: data.pop("token", ""), REFRESH: data.pop("refreshToken", "")}
        headers += [_cookie(name, "" if is_over else value) for name, value in tokens.items()]
        body = msgspec.json.encode(said)
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": start["status"], "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _cookie(name: str, value: str) -> tuple[bytes, bytes]:
    seconds = KEEP_SECONDS if value else 0
    return b"set-cookie", f"{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}".encode()


def _body(scope: HTTPScope, said: dict[str, str]) -> Receive:
    """A body that says this, in place of the one that came."""
    body = msgspec.json.encode(said)
    others = [header for header in scope["headers"] if header[0] not in {b"content-length", b"content-type"}]
    scope["headers"] = [*others, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _held(scope: HTTPScope) -> dict[str, str]:
    """Our cookies of a request; none where there is anything odd about them."""
    found: SimpleCookie = SimpleCookie()
    try:
        for name, value in scope["headers"]:
            if name == b"cookie":
                found.load(value.decode("latin-1"))
    except CookieError:
        return {}
    return {name: found[name].value for name in (ACCESS, REFRESH) if name in found}


def _is_foreign(scope: HTTPScope) -> bool:
    """Whether another site made the browser send this, or nothing says that none did where something would change."""
    origin, site = _one(scope, b"origin"), _one(scope, b"sec-fetch-site")
    host = _one(scope, b"host")
    if origin:
        return origin.lower() not in {b"http://" + host.lower(), b"https://" + host.lower()}
    if scope["method"] not in SAFE or _has(scope, b"upgrade"):
        return site != b"same-origin"
    is_visit = _one(scope, b"sec-fetch-mode") == b"navigate" and _one(scope, b"sec-fetch-dest") == b"document"
    return site in {b"cross-site", b"same-site"} and not is_visit


def _one(scope: HTTPScope, name: bytes) -> bytes:
    values = [value for key, value in scope["headers"] if key == name]
    return values[0] if len(values) == 1 else b"?" if values else b""


def _has(scope: HTTPScope, name: bytes) -> bool:
    return any(key == name for key, _ in scope["headers"])
