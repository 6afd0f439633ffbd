"""The gateway's settings and wiring: it answers clients, makes uploads durable and announces them."""

import asyncio
import gc
import os
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

import common.settings
from common import http, process
from common.settings import AtLeastOne, Days, NotNegative, Percent, Port, Positive
from gateway import app, front, grounds, heads, hosts, proxies, signing
from gateway.addresses import Signer
from gateway.app import Options
from gateway.bearings import Bearings
from gateway.downloads import Limits
from gateway.front import Names
from gateway.operations import Operations
from gateway.room import Reserve, Room
from gateway.tokens import Tokens

# The pattern refuses the secret that the first version of this product shipped with; everybody knows it.
Secret = Annotated[str, Meta(min_length=32, pattern="^(?!default-secret-key)")]

OtherSecret = Annotated[str, Meta(pattern="^(|(?!default-secret-key).{32,})$")]

# The scheme and the host that people type, without a path.
PublicUrl = Annotated[str, Meta(pattern=r"^(https?://[^/?#\s@]+)?$")]

# What the first user shows; nobody guesses sixteen letters at a hundred tries in a quarter of an hour.
SetupToken = Annotated[str, Meta(pattern="^(.{16,200})?$")]

# One absolute directory, or several with colons or commas between them.
Directories = Annotated[str, Meta(pattern="^(/.*)?$")]


class Settings(common.settings.Settings, frozen=True, kw_only=True):
    """What the gateway needs to know; `cors_origins` is a list with commas, empty for none.

    Uploads leave `reserve_bytes` or `reserve_percent` of a disk free, whichever is more; `database_directory` lies on
    the disk of the database, where that is on this machine.

    Repositories may be made below `repository_roots`; below `private_roots` lie the own files of those that may not be
    written to.

    A client may stand still for `slow_seconds` while it is expected to go on.

    `media_secret` signs addresses of media, by default with a key that is derived from `jwt_secret`; what the previous
    one signed still counts. `public_url` is where people find this server, for addresses that leave it.
    `allowed_hosts` are the names it answers to, `trusted_proxies` the addresses and networks of proxies of yours.

    The first user of all registers with `setup_token`; later ones need an invitation, unless `open_registration` is on.
    """

    jwt_secret: Secret
    host: str = "127.0.0.1"
    port: Port = 8080
    access_token_seconds: AtLeastOne = 10 * 60
    refresh_token_seconds: AtLeastOne = 7 * 24 * 60 * 60
    max_upload_bytes: AtLeastOne = 50 * 1024**3
    uploads_at_once: AtLeastOne = 4
    slow_seconds: Positive = heads.SLOW_SECONDS
    reserve_bytes: NotNegative = 2 * 1024**3
    reserve_percent: Percent = 2.0
    database_directory: str = ""
    cors_origins: str = ""
    trash_days: Days = 30
    repository_roots: Directories = ""
    private_roots: Directories = ""
    media_secret: OtherSecret = ""
    previous_media_secret: OtherSecret = ""
    public_url: PublicUrl = ""
    allowed_hosts: str = ""
    trusted_proxies: str = ""
    download_files: AtLeastOne = 10_000
    download_bytes: AtLeastOne = 500 * 1024**3
    setup_token: SetupToken = ""
    open_registration: bool = False

    def __post_init__(self) -> None:
        if self.jwt_secret in {urlsplit(url).password for url in (self.database_url, self.nats_url)}:
            raise ValueError("LUMILIO_JWT_SECRET is a password of the database or the bus too: make another one")
        proxies.read(self.trusted_proxies)


async def serve(config: Settings, stop: asyncio.Event) -> None:
    """Answer requests until told to stop."""
    async with process.core("gateway", config, stop) as core:
        keys = signing.keys(config.media_secret or config.jwt_secret, config.previous_media_secret)
        signer = Signer(keys, Bearings(core.pool), config.public_url)
        working = Operations(core)
        api = app.create(core, _options(config), signer, working)
        tokens = Tokens(config.jwt_secret, config.access_token_seconds)
        answering = front.of(api, core.pool, signer=signer, tokens=tokens, names=_names(config))
        protocol = heads.bounded(config.slow_seconds)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(working.run(stop))
            gc.collect()
            gc.freeze()  # what is loaded stays: looking through it for garbage held up requests for 80 ms now and then
            await http.serve(answering, host=config.host, port=config.port, stop=stop, protocol=protocol)
            stop.set()


def _options(config: Settings) -> Options:
    reserve = Reserve(config.reserve_bytes, config.reserve_percent)
    return Options(
        jwt_secret=config.jwt_secret,
        access_token_seconds=config.access_token_seconds,
        refresh_token_seconds=config.refresh_token_seconds,
        max_upload_bytes=config.max_upload_bytes,
        uploads_at_once=config.uploads_at_once,
        trash_days=config.trash_days,
        cors_origins=[origin.strip() for origin in config.cors_origins.split(",") if origin.strip()],
        grounds=grounds.read(config.repository_roots, config.private_roots),
        room=Room(reserve, os.fsencode(config.database_directory) or None),
        downloads=Limits(config.download_files, config.download_bytes),
        setup_token=config.setup_token,
        open_registration=config.open_registration,
    )


def _names(config: Settings) -> Names:
    """Without a list the server answers to addresses, and to names that only a network at home gives."""
    allowed = hosts.names(config.allowed_hosts, config.public_url)
    return Names(allowed, not config.allowed_hosts.strip(), proxies.read(config.trusted_proxies))


def main() -> None:
    """Run the gateway until it is told to stop."""
    process.run("gateway", Settings, serve)
