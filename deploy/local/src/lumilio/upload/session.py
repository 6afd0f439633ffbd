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
from lumilio_client import Call, api
from lumilio_client.api import AuthResponse
from lumilio_client.client import Envelope, said

PASSING = {408, 425, 429}
UNAUTHORIZED, NOT_FOUND = 401, 404
STATUS = "it answered"
GARBAGE = (msgspec.DecodeError, UnicodeDecodeError)


class _Failure(msgspec.Struct, frozen=True):
    error: str


@dataclass
class Session:
    """A user's sign-in, shared by many threads."""

    http: httpx.Client
    user: str
    password: str = field(repr=False)
    tokens: AuthResponse | None = field(default=None, repr=False)
    _lock: Lock = field(default_factory=Lock)

    def ask(self, request: Callable[[dict[str, str]], httpx.Response]) -> httpx.Response:
        """The answer to a request that is made with these headers; Away when there is none now."""
        tokens = self.tokens or self.renew(None)
        answer = passed(lambda: request(_bearer(tokens)))
        if answer.status_code == UNAUTHORIZED:
            tokens = self.renew(tokens)
            answer = passed(lambda: request(_bearer(tokens)))
        return answer

    def renew(self, stale: AuthResponse | None) -> AuthResponse:
        """Tokens in the place of those that are over; whoever comes second gets what the first one fetched."""
        with self._lock:
            if self.tokens is None or self.tokens is stale:
                self.tokens = (self._refresh(stale) if stale else None) or self._sign_in()
            return self.tokens

    def _refresh(self, stale: AuthResponse) -> AuthResponse | None:
        return self._fetch(api.refresh(api.RefreshRequest(refresh_token=stale.refresh_token)))[0]

    def _sign_in(self) -> AuthResponse:
        tokens, answer = self._fetch(api.login(api.LoginRequest(username=self.user, password=self.password)))
        if tokens is None:
            raise Gone(f"signing in as {self.user} failed: {words(answer)}")
        return tokens

    def _fetch(self, call: Call[AuthResponse]) -> tuple[AuthResponse | None, httpx.Response]:
        answer = passed(lambda: send(self.http, call, {}))
        with suppress(*GARBAGE):
            return msgspec.json.decode(answer.content, type=Envelope[AuthResponse]).data, answer
        return None, answer


def send(http: httpx.Client, call: Call[Any], headers: dict[str, str], **options: Any) -> httpx.Response:
    """The answer to a call, whatever it is."""
    told = said(call)
    told["headers"] |= headers
    return http.request(call.method, call.path, **told, **options)


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


def _bearer(tokens: AuthResponse) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.token}"}
