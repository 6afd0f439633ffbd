"""By which names this server may be called: a page that gives our address a name of its own gets nothing."""

from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from gateway.refusing import refuse

AT_HOME = (".local", ".lan", ".home", ".home.arpa", ".internal", ".localdomain")
"""Names that only a person's own network gives."""
MESSAGE = "the request is not well formed"
KNOWN = 256
"""So many names are not read anew with every request."""


def names(allowed: str, public_url: str) -> frozenset[str]:
    """The names that an operator lists with commas, and the one in the server's public address."""
    listed = {part.strip().lower().rstrip(".") for part in allowed.split(",") if part.strip()}
    public = urlsplit(public_url).hostname
    return frozenset(listed | ({public} if public else set()))


def called(app: ASGIApp, allowed: frozenset[str], *, at_home: bool) -> ASGIApp:
    """The same app, for requests to an allowed name or to an address; `at_home` allows names of home networks, too."""

    async def meant(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and (reason := _wrong(scope, allowed, at_home=at_home)):
            await refuse(send, HTTPStatus.BAD_REQUEST, MESSAGE, reason)
        else:
            await app(scope, receive, send)

    return meant


def _wrong(scope: HTTPScope, allowed: frozenset[str], *, at_home: bool) -> str | None:
    """Why the request is not for us, if it is not."""
    given = [value for name, value in scope["headers"] if name == b"host"]
    if not given and scope["http_version"] == "1.0":
        return None
    if len(given) != 1:
        return "a request has one Host header"
    name = hostname(given[0])
    if name is None:
        return "the Host header is no name and no address"
    if name in allowed or _is_address(name) or (at_home and _is_at_home(name)):
        return None
    return "this server is not called so: an operator adds the name to LUMILIO_ALLOWED_HOSTS"


@lru_cache(KNOWN)
def hostname(host: bytes) -> str | None:
    """The name in a Host header, in small letters, without its port."""
    text = host.decode("latin-1").lower()
    try:
        parts = urlsplit(f"//{text}")
        name, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if name is None or parts.netloc != text or "@" in text or any(letter.isspace() for letter in text):
        return None
    return name.rstrip(".")


def _is_at_home(name: str) -> bool:
    return "." not in name or name.endswith(AT_HOME)


@lru_cache(KNOWN)
def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
