"""One log line per request, with neither tokens nor query strings."""

import re
import time
from dataclasses import dataclass

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from common import log, metrics

LINES = log.get()
"""Kept, for to get it costs as much as to write a line."""
SECRET = re.compile(r"[A-Za-z0-9_-]{40,}")
"""What is as long as a link's token: somebody may have mistyped the rest of its path."""


def logged(app: ASGIApp) -> ASGIApp:
    """The same app, which tells every request in one line."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return await app(scope, receive, send)
        seen, started = _Seen(), time.monotonic()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
            await send(message)

        try:
            await app(scope, receive, noting)
        except Exception as error:  # noqa: BLE001  # the answer had begun: the server closes the connection
            seen.broken = f"{type(error.__cause__ or error).__name__}: {error.__cause__ or error}"
        finally:
            _tell(scope, seen, time.monotonic() - started)

    return told


@dataclass
class _Seen:
    """What became of a request; status 0 means that no answer was begun."""

    status: int = 0
    broken: str | None = None


def _tell(scope: HTTPScope, seen: _Seen, seconds: float) -> None:
    """The path's template stands for the path where there is one, so that lines can be counted by route."""
    metrics.answered(scope["method"], scope.get("path_template"), int(seen.status), seconds)
    user = scope.get("user")
    facts = {"user": user.user_id} if user else {}
    facts |= {"broken": seen.broken} if seen.broken else {}
    LINES.info(
        "request answered",
        method=scope["method"],
        path=scope.get("path_template") or SECRET.sub("…", scope["path"][:200]),
        status=int(seen.status),
        ms=round(seconds * 1000, 1),
        **facts,
    )
