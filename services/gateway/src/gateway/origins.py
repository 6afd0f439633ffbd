"""Where a request comes from, as far as it tells."""

from typing import Any, NamedTuple

from litestar.connection import ASGIConnection

MOST_LETTERS = 200


class Origin(NamedTuple):
    """The address of the client, and what it calls itself; nothing of either is believed."""

    address: str
    user_agent: str


def of(request: ASGIConnection[Any, Any, Any, Any]) -> Origin:
    """Where a request comes from, in letters that can be shown."""
    address = request.client.host if request.client else ""
    return Origin(_shown(address)[:100], _shown(request.headers.get("user-agent", ""))[:MOST_LETTERS])


def _shown(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
