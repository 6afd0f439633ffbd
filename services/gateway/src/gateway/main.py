"""The gateway's settings and wiring: it answers clients, makes uploads durable and announces them."""

import asyncio
import os
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

import common.settings
from common import http, process
from common.settings import AtLeastOne, NotNegative, Percent, Port
from gateway import access, app, grounds, heads, linger
from gateway.room import Reserve, Room

# The pattern refuses the secret that the first version of this product shipped with; everybody knows it.
Secret = Annotated[str, Meta(min_length=32, pattern="^(?!default-secret-key)")]

# One absolute directory, or several with colons or commas between them.
Directories = Annotated[str, Meta(pattern="^(/.*)?$")]


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """What the gateway needs to know; `cors_origins` is a list with commas, empty for none.

    Uploads leave `reserve_bytes` or `reserve_percent` of a disk free, whichever is more; `database_directory` lies on
    the disk of the database, where that is on this machine.

    Repositories may be made below `repository_roots`; below `private_roots` lie the own files of those that may not be
    written to.
    """

    jwt_secret: Secret
    host: str = "127.0.0.1"
    port: Port = 8080
    access_token_seconds: AtLeastOne = 15 * 60
    refresh_token_seconds: AtLeastOne = 7 * 24 * 60 * 60
    max_upload_bytes: AtLeastOne = 50 * 1024**3
    reserve_bytes: NotNegative = 2 * 1024**3
    reserve_percent: Percent = 2.0
    database_directory: str = ""
    cors_origins: str = ""
    repository_roots: Directories = ""
    private_roots: Directories = ""

    def __post_init__(self) -> None:
        if self.jwt_secret in {urlsplit(url).password for url in (self.database_url, self.nats_url)}:
            raise ValueError("LUMILIO_JWT_SECRET is a password of the database or the bus too: make another one")


async def serve(config: Settings, stop: asyncio.Event) -> None:
    """Answer requests until told to stop."""
    async with process.core("gateway", config, stop) as core:
        api = app.create(
            core,
            jwt_secret=config.jwt_secret,
            access_token_seconds=config.access_token_seconds,
            refresh_token_seconds=config.refresh_token_seconds,
            max_upload_bytes=config.max_upload_bytes,
            room=Room(
                Reserve(config.reserve_bytes, config.reserve_percent), os.fsencode(config.database_directory) or None
            ),
            grounds=grounds.read(config.repository_roots, config.private_roots),
            cors_origins=[origin.strip() for origin in config.cors_origins.split(",") if origin.strip()],
        )
        answering = linger.lingering(access.logged(api))
        await http.serve(answering, host=config.host, port=config.port, stop=stop, protocol=heads.Bounded)


def main() -> None:
    """Run the gateway until it is told to stop."""
    process.run("gateway", Settings, serve)
