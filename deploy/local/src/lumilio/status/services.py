"""Asks services how they are."""

import asyncio
from collections.abc import Mapping, Sequence

import httpx
import msgspec

from common.health import Readiness
from lumilio.status.seen import Service

ANSWER_SECONDS = 8.0
"""A service itself waits some seconds for a disk or a database that hangs."""


class _Envelope(msgspec.Struct):
    data: Readiness


async def ask(health: Mapping[str, str]) -> Sequence[Service]:
    """Each service by its name and the address where it tells how it is."""
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS) as client:
        return await asyncio.gather(*(_ask(client, name, url) for name, url in sorted(health.items())))


async def _ask(client: httpx.AsyncClient, name: str, url: str) -> Service:
    """One that is not ready answers as well, and says why."""
    try:
        body = (await client.get(url)).content
        state = _read(url, body)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError):
        return Service(name=name, problems=None)
    return Service(name=name, problems=state.problems)


def _read(url: str, body: bytes) -> Readiness:
    """What the API answers is in an envelope."""
    return (
        msgspec.json.decode(body, type=_Envelope).data if "/api/" in url else msgspec.json.decode(body, type=Readiness)
    )
