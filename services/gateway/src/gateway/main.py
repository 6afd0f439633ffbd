"""The gateway's settings and wiring: it answers clients, makes uploads durable and announces them."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

import common.settings
from common import db, http, process
from common.settings import AtLeastOne, Days, NotNegative, Percent, Port, Positive
from gateway import app, front, grounds, heads, hosts, proxies, signing
from gateway.addresses import Signer
from gateway.app import Options
from gateway.bearings import Bearings
from gateway.downloads import Limits
from gateway.front import Names
from gateway.operations import Operations
from gateway.reading import Reading, Replica
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
    """What the gateway needs to know."""

    jwt_secret: Secret
    """The key of every sign-in: 32 characters or more, and of no other use."""
    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` for all."""
    port: Port = 8080
    """Its port."""
    access_token_seconds: AtLeastOne = 10 * 60
    """How long a token lasts before it is renewed."""
    refresh_token_seconds: AtLeastOne = 7 * 24 * 60 * 60
    """How long somebody stays signed in who does nothing."""
    max_upload_bytes: AtLeastOne = 50 * 1024**3
    """The largest file that is taken."""
    uploads_at_once: AtLeastOne = 4
    """How many uploads of one person run at once; one more is answered with 429."""
    slow_seconds: Positive = heads.SLOW_SECONDS
    """How long a client may stand still while it is expected to send or to read."""
    reserve_bytes: NotNegative = 2 * 1024**3
    """What uploads leave free on a disk ..."""
    reserve_percent: Percent = 2.0
    """... or so much of it, whichever is more."""
    database_directory: str = ""
    """A folder on the disk of the database, if that is on this machine: uploads leave the reserve free there, too."""
    cors_origins: str = ""
    """Web pages of other addresses that may use the API, with commas between them."""
    trash_days: Days = 30
    """How many days something lies in the trash before it goes for good; 0 is for ever. As ingest is told."""
    repository_roots: Directories = ""
    """Directories below which administrators may make repositories, with colons or commas between them."""
    private_roots: Directories = ""
    """Where thumbnails and the like of repositories lie that may only be read; the same way."""
    media_secret: OtherSecret = ""
    """The key of signed addresses, 32 characters or more; without it one is derived from `LUMILIO_JWT_SECRET`."""
    previous_media_secret: OtherSecret = ""
    """The key before, whose addresses count until they expire."""
    public_url: PublicUrl = ""
    """Where people find the server, `https://photos.example.com`: an allowed name; signed addresses begin so."""
    allowed_hosts: str = ""
    """The names that the server answers to, with commas between them; without it, addresses and names of a home network
    ([security.md](security.md)).
    """
    trusted_proxies: str = ""
    """Addresses and networks of proxies that are believed about clients, with commas between them."""
    download_files: AtLeastOne = 10_000
    """How many originals one archive may have."""
    download_bytes: AtLeastOne = 500 * 1024**3
    """How many bytes of originals one archive may have."""
    setup_token: SetupToken = ""
    """What the first user of all registers with, 16 characters or more ([accounts.md](accounts.md))."""
    open_registration: bool = False
    """`true` lets everybody who finds the server become a user; else invitations do."""
    replica_url: str = ""
    """A replica of the database, from which lists are read that may lag ([operators.md](operators.md#size))."""
    replica_lag_seconds: Positive = 5.0
    """How far behind it may be; while it is further, or away, all is read from the database."""

    def __post_init__(self) -> None:
        if self.jwt_secret in {urlsplit(url).password for url in (self.database_url, self.replica_url, self.nats_url)}:
            raise ValueError("LUMILIO_JWT_SECRET is a password of the database or the bus too: make another one")
        proxies.read(self.trusted_proxies)


async def serve(config: Settings, stop: asyncio.Event) -> None:
    """Answer requests until told to stop."""
    async with process.core("gateway", config, stop) as core, _replica(config) as replica:
        keys = signing.keys(config.media_secret or config.jwt_secret, config.previous_media_secret)
        signer = Signer(keys, Bearings(core.pool), config.public_url)
        working = Operations(core)
        api = app.create(core, _options(config), signer, working, Reading(core.pool, replica))
        tokens = Tokens(config.jwt_secret, config.access_token_seconds)
        answering = front.of(api, core.pool, signer=signer, tokens=tokens, names=_names(config))
        protocol = heads.bounded(config.slow_seconds)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(working.run(stop))
            if replica:
                tasks.create_task(replica.follow(core.pool, stop))
            gc.collect()
            gc.freeze()  # what is loaded stays: looking through it for garbage held up requests for 80 ms now and then
            await http.serve(answering, host=config.host, port=config.port, stop=stop, protocol=protocol)
            stop.set()


@asynccontextmanager
async def _replica(config: Settings) -> AsyncIterator[Replica | None]:
    if not config.replica_url:
        yield None
        return
    async with db.open_pool(config.replica_url) as pool:
        yield Replica(pool, config.replica_lag_seconds)


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
