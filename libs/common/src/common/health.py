"""Live and ready, as probes and people ask for it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg_pool import PoolTimeout

from common import http, queries
from common.bus import Bus
from common.db import Pool, glance

ANSWER_SECONDS = 3


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """`ready` says whether work can be taken; `problems` says in words what is wrong."""

    ready: bool
    problems: list[str]


async def check(pool: Pool, bus: Bus, *, notes: Sequence[str] = ()) -> Readiness:
    """The database decides readiness; a missing bus only slows things down; `notes` are problems known since start."""
    problems = [*notes, *([] if bus.connected else ["the message bus is away: work goes on by polling"])]
    try:
        async with asyncio.timeout(ANSWER_SECONDS), glance(pool) as conn:
            unsafe = await queries.unsafe_settings(conn)
    except (psycopg.Error, PoolTimeout, TimeoutError):
        return Readiness(ready=False, problems=["the database does not answer", *problems])
    problems += [f"the database runs with an unsafe {name}: a commit could be lost" for name in unsafe]
    return Readiness(ready=not unsafe, problems=problems)


async def serve(host: str, port: int, ready: Callable[[], Awaitable[Readiness]]) -> None:
    """Answer `/live` and `/ready` until cancelled; port 0 means nobody asks."""
    if port == 0:
        return

    async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        state = await ready() if scope["path"] == "/ready" else Readiness(ready=True, problems=[])
        await send({"type": "http.response.start", "status": 200 if state.ready else 503, "headers": []})
        await send({"type": "http.response.body", "body": msgspec.json.encode(state)})

    stop = asyncio.Event()
    answering = asyncio.create_task(http.serve(app, host=host, port=port, stop=stop))
    try:
        await asyncio.shield(answering)
    finally:
        stop.set()
        await answering
