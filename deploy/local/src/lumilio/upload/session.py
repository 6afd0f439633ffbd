"""Speaks HTTP as a signed-in user: tokens are renewed when they end, and shown to nobody."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import httpx
import msgspec

from lumilio.upload.patience import Away, Gone

PASSING = {408, 425, 429}
UNAUTHORIZED, NOT_FOUND = 401, 404
STATUS = "it answered"
GARBAGE = (msgspec.DecodeError, UnicodeDecodeError)


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The access token lives for minutes; the refresh token buys the next pair."""

    token: str
    refresh_token: str = msgspec.field(name="refreshToken")


class _Signed(msgspec.Struct, frozen=True):
    data: Tokens


class _Failure(msgspec.Struct, frozen=True):
    error: str


@dataclass
class Session:
    """A user's sign-in, shared by many threads."""

    http: httpx.Client
    user: str
    password: str = field(repr=False)
    tokens: Tokens | None = field(default=None, repr=False)
    _lock: Lock = field(default_factory=Lock)

    def ask(self, request: Callable[[dict[str, str]], httpx.Response]) -> httpx.Response:
        """The answer to a request that is made with these headers; Away when there is none now."""
        tokens = self.tokens or self.renew(None)
        answer = passed(lambda: request(_bearer(tokens)))
        if answer.status_code == UNAUTHORIZED:
            tokens = self.renew(tokens)
            answer = passed(lambda: request(_bearer(tokens)))
        return answer

    def renew(self, stale: Tokens | None) -> Tokens:
        """Tokens in the place of those that are over; whoever comes second gets what the first one fetched."""
        with self._lock:
            if self.tokens is None or self.tokens is stale:
                self.tokens = (self._refresh(stale) if stale else None) or self._sign_in()
            return self.tokens

    def _refresh(self, stale: Tokens) -> Tokens | None:
        return self._fetch("auth/refresh", {"refreshToken": stale.refresh_token})[0]

    def _sign_in(self) -> Tokens:
        tokens, answer = self._fetch("auth/login", {"username": self.user, "password": self.password})
        if tokens is None:
            raise Gone(f"signing in as {self.user} failed: {words(answer)}")
        return tokens

    def _fetch(self, path: str, body: dict[str, Any]) -> tuple[Tokens | None, httpx.Response]:
        answer = passed(lambda: self.http.post(path, json=body))
        with suppress(*GARBAGE):
            return msgspec.json.decode(answer.content, type=_Signed).data, answer
        return None, answer


def passed(request: Callable[[], httpx.Response]) -> httpx.Response:
    """An answer that would be the same a minute later; Away for any other, and for none."""
    try:
        answer = request()
    except httpx.RequestError as error:
        raise Away(_told(error)) from None
    if answer.status_code in PASSING or answer.is_server_error or _is_of_a_proxy(answer):
        raise Away(words(answer), after=_wish(answer))
    return answer


def _is_of_a_proxy(answer: httpx.Response) -> bool:
    """Some proxies say that there is no such thing while the server behind them starts; our server explains itself."""
    return answer.status_code == NOT_FOUND and words(answer).startswith(STATUS)


def _told(error: httpx.RequestError) -> str:
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)).lower() or type(error).__name__


def words(answer: httpx.Response) -> str:
    """Why the server refuses, in its own words where it has any."""
    if answer.has_redirect_location:
        return f"it has moved: use --server with {answer.headers['Location']}"
    with suppress(*GARBAGE):
        return msgspec.json.decode(answer.content, type=_Failure).error
    return f"{STATUS} {answer.status_code} {answer.reason_phrase}".rstrip()


def _wish(answer: httpx.Response) -> float:
    """What `Retry-After` asks for, in seconds."""
    after = answer.headers.get("Retry-After", "")
    return float(after) if after.isdecimal() else 0.0


def _bearer(tokens: Tokens) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.token}"}
