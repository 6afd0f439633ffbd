"""Serves an ASGI app inside a service: the service owns the signals, uvicorn the sockets."""

import asyncio
from contextlib import nullcontext
from typing import Any

import uvicorn

CLOSE_SECONDS = 5


async def serve(app: Any, *, host: str, port: int, stop: asyncio.Event, protocol: Any = "auto") -> None:
    """Answer requests until told to stop; requests in hand get a few seconds to finish."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=protocol,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=CLOSE_SECONDS,
    )
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    stopping = asyncio.create_task(_stop(server, stop))
    try:
        await server.serve()
    finally:
        stopping.cancel()


async def _stop(server: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    server.should_exit = True
