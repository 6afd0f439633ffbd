"""Asks services how they are."""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus

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
        answer = await client.get(url)
        state = _read(url, answer.content)
    except (httpx.HTTPError, httpx.InvalidURL):
        return Service(name=name, problems=None)
    except msgspec.DecodeError:
        if answer.status_code == HTTPStatus.BAD_REQUEST:  # all that can be wrong with such a question is its host
            return Service(name=name, problems=[f"name the host of {url} in LUMILIO_ALLOWED_HOSTS to hear how it is"])
        return Service(name=name, problems=None, other=f"{answer.status_code} from {url}")
    return Service(name=name, problems=state.problems)


def _read(url: str, body: bytes) -> Readiness:
    """What the API answers is in an envelope."""
    return (
        msgspec.json.decode(body, type=_Envelope).data if "/api/" in url else msgspec.json.decode(body, type=Readiness)
    )
