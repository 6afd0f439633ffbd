"""Who asks: a person with a password, whose tokens are renewed in time, or the holder of an API key."""

import asyncio
import math
import threading
import time
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import msgspec

from lumilio_client import errors

EARLY_SECONDS = 30.0
LOGIN, REFRESH = "/api/v1/auth/login", "/api/v1/auth/refresh"
Flow = Generator[httpx.Request, httpx.Response, None]


class Pair(msgspec.Struct, frozen=True):
    """The access token lives for minutes; the refresh token buys the next pair."""

    token: str
    refresh_token: str = msgspec.field(name="refreshToken")
    expires_at: datetime = msgspec.field(name="expiresAt")


class _Signed(msgspec.Struct, frozen=True):
    data: Pair


class Key(httpx.Auth):
    """Asks with an API key, or with a token that somebody else renews."""

    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Flow:
        """Sign the request."""
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request

    def forget(self) -> None:
        """A key cannot be renewed."""


@dataclass
class Password(httpx.Auth):
    """Signs in with the first request, and renews its tokens before they end; many threads or tasks may share it."""

    server: str
    user: str
    password: str = field(repr=False)
    requires_response_body = True
    _pair: Pair | None = field(default=None, repr=False)
    _ends: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def forget(self) -> None:
        """The access token counts no more: the next request renews it first."""
        self._ends = 0.0

    def sync_auth_flow(self, request: httpx.Request) -> Flow:
        """Sign the request, with tokens that are fetched first where there are none or they end soon."""
        with self._lock:
            flow, answer = self._renewal(), None
            while (asked := _next(flow, answer)) is not None:
                answer = yield asked
                answer.read()
        self._sign(request)
        yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do the same in an event loop."""
        async with self._turn:
            flow, answer = self._renewal(), None
            while (asked := _next(flow, answer)) is not None:
                answer = yield asked
                await answer.aread()
        self._sign(request)
        yield request

    def _renewal(self) -> Flow:
        """A refresh token that counts no more, because it was used or its time is over, is no reason to give up."""
        if time.monotonic() < self._ends:
            return
        if self._pair is not None:
            answer = yield self._post(REFRESH, {"refreshToken": self._pair.refresh_token})
            if answer.is_success:
                return self._keep(answer)
            self._pair = None
        answer = yield self._post(LOGIN, {"username": self.user, "password": self.password})
        if not answer.is_success:
            raise errors.of(answer)
        self._keep(answer)
        return None

    def _post(self, path: str, body: dict[str, str]) -> httpx.Request:
        return httpx.Request("POST", self.server.rstrip("/") + path, json=body)

    def _keep(self, answer: httpx.Response) -> None:
        """How long a token lives is the difference of two times by the server's clock, whatever ours says."""
        self._pair = errors.read(answer, _Signed).data
        told = answer.headers.get("Date")
        lives = (self._pair.expires_at - parsedate_to_datetime(told)).total_seconds() if told else math.inf
        self._ends = time.monotonic() + lives - EARLY_SECONDS

    def _sign(self, request: httpx.Request) -> None:
        request.headers["Authorization"] = f"Bearer {self._pair.token if self._pair else ''}"


def _next(flow: Flow, answer: httpx.Response | None) -> httpx.Request | None:
    """What the flow asks for next, if it asks for anything."""
    try:
        return next(flow) if answer is None else flow.send(answer)
    except StopIteration:
        return None
