"""What every answer says to browsers, whoever gave it: nothing in it runs, and no other site may use it."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}


def harmless(app: ASGIApp) -> ASGIApp:
    """The same app; what an answer says itself is left as it is."""

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        async def saying(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                missing = [header for header in HEADERS.items() if header[0] not in said]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await app(scope, receive, saying if scope["type"] == ScopeType.HTTP else send)

    return answered
