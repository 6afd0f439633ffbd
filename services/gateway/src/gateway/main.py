"""The gateway's settings and wiring: it answers clients, makes uploads durable and announces them."""

import asyncio
from typing import Annotated

from msgspec import Meta

import common.settings
from common import http, process
from common.settings import NotNegative
from gateway import access, app, linger
from gateway.room import Reserve

# The pattern refuses the secret that the first version of this product shipped with; everybody knows it.
Secret = Annotated[str, Meta(min_length=32, pattern="^(?!default-secret-key)")]

Percent = Annotated[float, Meta(ge=0, le=100)]


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """What the gateway needs to know; `cors_origins` is a list with commas, empty for none.

    Uploads leave `reserve_bytes` or `reserve_percent` of a disk free, whichever is more.
    """

    jwt_secret: Secret
    host: str = "127.0.0.1"
    port: int = 8080
    access_token_seconds: int = 15 * 60
    refresh_token_seconds: int = 7 * 24 * 60 * 60
    max_upload_bytes: int = 50 * 1024**3
    reserve_bytes: NotNegative = 2 * 1024**3
    reserve_percent: Percent = 2.0
    cors_origins: str = ""


async def serve(config: Settings, stop: asyncio.Event) -> None:
    """Answer requests until told to stop."""
    async with process.core("gateway", config, stop) as core:
        api = app.create(
            core,
            jwt_secret=config.jwt_secret,
            access_token_seconds=config.access_token_seconds,
            refresh_token_seconds=config.refresh_token_seconds,
            max_upload_bytes=config.max_upload_bytes,
            reserve=Reserve(config.reserve_bytes, config.reserve_percent),
            cors_origins=[origin.strip() for origin in config.cors_origins.split(",") if origin.strip()],
        )
        await http.serve(linger.lingering(access.logged(api)), host=config.host, port=config.port, stop=stop)


def main() -> None:
    """Run the gateway until it is told to stop."""
    process.run("gateway", Settings, serve)
