"""Placing, as tests do it and as they find it on the disk."""

import os
from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import structs
from nats.aio.client import Client

from common import folders, layout, marker, streams
from common.bus import Bus
from common.db import Pool
from common.marker import Clash, LocalSettings, Strategy
from common.outbox import Relay
from common.settings import Settings
from common.stages import Stage
from common.worker import Worker
from ingest.handlers import Ingest
from tests.support.given import Repository, User
from tests.support.rows import ask, claim_next, do
from tests.support.staging import Staged, stage

PHOTO = b"\xff\xd8\xff a photo"


async def staged(pool: Pool, repository: Repository, user: User, content: bytes = PHOTO, name: str = "p.jpg") -> Staged:
    """An upload of this user that waits in staging."""
    return await stage(
        pool,
        repository_id=repository.repository_id,
        root=repository.root,
        owner=user.user_id,
        content=content,
        file_name=name,
    )


async def place_all(pool: Pool, ingest: Ingest) -> None:
    """Place whatever is due."""
    while (found := await claim_next(pool, Stage.PLACE)) is not None:
        await ingest.place(found)


async def placed(pool: Pool, repository: Repository, user: User, content: bytes, name: str = "p.jpg") -> UUID:
    """An asset that has its place, to be rendered."""
    upload = await staged(pool, repository, user, content, name)
    await place_all(pool, Ingest(pool))
    return upload.asset_id


async def settle(pool: Pool, ingest: Ingest) -> None:
    """Do whatever is due as a worker does, with its outcomes, until nothing is left to wait for."""
    idle = Bus(client := Client(), client.jetstream())
    config = Settings(database_url="", nats_url="")
    worker = Worker(pool, idle, Relay(pool, idle, 60), config, streams.PLACE, Stage.PLACE, ingest.place, 1)
    while await ask(pool, "select 1 from asset_stages where stage = 'place' and next_at is not null"):
        while (found := await claim_next(pool, Stage.PLACE)) is not None:
            await worker._attempt(found)
        await do(pool, "update asset_stages set next_at = now() where next_at > now() and stage = 'place'")


def originals(repository: Repository) -> dict[str, bytes]:
    """What lies in the inbox, by its path below the year."""
    inbox = Path(os.fsdecode(repository.root)) / "inbox"
    return {path.name: path.read_bytes() for path in sorted(inbox.rglob("*")) if path.is_file()}


def staging(repository: Repository) -> list[bytes]:
    """The names in staging."""
    return folders.list_names(repository.root, layout.STAGING)


async def new_asset(pool: Pool, repository: Repository, user: User, number: int) -> UUID:
    """An asset whose place stage is due."""
    return (await staged(pool, repository, user, PHOTO + b"%d" % number)).asset_id


def keep(repository: Repository, *, strategy: Strategy = "date", clash: Clash = "uuid", names: bool = True) -> None:
    """Write into the marker how files are kept from now on."""
    path = os.path.join(repository.root, layout.MARKER)
    rules = structs.replace(
        marker.read(repository.root),
        storage_strategy=strategy,
        local_settings=LocalSettings(preserve_original_filename=names, handle_duplicate_filenames=clash),
    )
    Path(os.fsdecode(path)).write_bytes(msgspec.yaml.encode(rules))


def paths(repository: Repository, below: bytes = layout.INBOX) -> dict[str, bytes]:
    """What lies below a folder, by its whole path in it."""
    folder = Path(os.fsdecode(repository.root), os.fsdecode(below))
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
