"""Who really asks, where a proxy of the operator's stands between: nobody else is believed about it."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

SCHEMES = {b"http", b"https"}
MOST_HOPS = 20
Networks = tuple[IPv4Network | IPv6Network, ...]


def read(text: str) -> Networks:
    """Addresses and networks with commas between them; ValueError names what is neither."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def behind(app: ASGIApp, trusted: Networks) -> ASGIApp:
    """The same app; what a trusted proxy says of the client, the scheme and the host is taken for true."""

    async def believed(scope: Scope, receive: Receive, send: Send) -> None:
        if trusted and scope["type"] == ScopeType.HTTP and _is_of(trusted, (scope["client"] or ("",))[0]):
            _believe(scope, trusted)
        await app(scope, receive, send)

    return believed


def _believe(scope: HTTPScope, trusted: Networks) -> None:
    told = _hops(scope, b"x-forwarded-for")[-MOST_HOPS:]
    client = next((hop for hop in reversed(told) if not _is_of(trusted, hop)), told[0] if told else None)
    if client is not None and _address(client):
        scope["client"] = (client, 0)
    if (scheme := _only(scope, b"x-forwarded-proto")) in SCHEMES:
        scope["scheme"] = scheme.decode()
    if host := _only(scope, b"x-forwarded-host"):
        scope["headers"] = [(b"host", host), *(one for one in scope["headers"] if one[0] != b"host")]


def _hops(scope: HTTPScope, name: bytes) -> list[str]:
    lines = b",".join(value for key, value in scope["headers"] if key == name).decode("latin-1")
    return [hop.strip() for hop in lines.split(",") if hop.strip()]


def _only(scope: HTTPScope, name: bytes) -> bytes:
    """The one value of a header; nothing where a client could have sent another one through the proxy."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0].strip() if len(values) == 1 else b""


def _is_of(networks: Iterable[IPv4Network | IPv6Network], text: str) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        return None
