"""Originals on their way to another strategy, as tests wish it and as they find it."""

import os
from pathlib import Path
from uuid import uuid4

import msgspec

from common import layout, relocation_queries
from common.db import Pool, glance
from common.relocating import Order
from ingest.handlers import Ingest
from ingest.relocations import Relocations
from tests.support.given import Repository
from tests.support.placing import place_all, settle
from tests.support.rows import ask

HOLDER = uuid4()
OPEN = "select relocation_id from relocations where tidied_at is null"


def one_ingest(pool: Pool) -> Relocations:
    """What works off wishes, always in the name of one ingest."""
    return Relocations(pool, 1, lambda: None, HOLDER)


async def wish(pool: Pool, repository: Repository, order: Order) -> None:
    """Have the originals of the inbox lie so."""
    async with glance(pool) as conn:
        assert await relocation_queries.request(conn, repository.repository_id, order)


async def stop(pool: Pool, repository: Repository) -> None:
    """Have the rest of them stay."""
    async with glance(pool) as conn:
        assert await relocation_queries.stop(conn, repository.repository_id)


async def fed(pool: Pool) -> None:
    """Whatever is wished is listed, and the first originals are due."""
    relocations = one_ingest(pool)
    while await ask(pool, f"{OPEN} and (marked_at is null or listed_to is not null)"):
        assert await relocations.go_on()
    await relocations.go_on()


async def worked_off(pool: Pool, ingest: Ingest) -> None:
    """Nothing that was wished is left to do."""
    relocations = one_ingest(pool)
    while await ask(pool, OPEN):
        assert await relocations.go_on()
        await settle(pool, ingest)
    await place_all(pool, ingest)


async def relocated(pool: Pool, ingest: Ingest, repository: Repository, order: Order) -> None:
    """The originals of the inbox lie so."""
    await wish(pool, repository, order)
    await worked_off(pool, ingest)


def manifest(repository: Repository) -> list[dict[str, str]]:
    """The lines of all manifests, the oldest first."""
    folder = Path(os.fsdecode(repository.root), os.fsdecode(layout.MANIFESTS))
    lines = [line for path in sorted(folder.iterdir()) for line in path.read_bytes().splitlines() if line]
    return [msgspec.json.decode(line) for line in lines]


def empty_folders(repository: Repository) -> list[str]:
    """Folders in the inbox in which nothing lies."""
    inbox = Path(os.fsdecode(repository.root), "inbox")
    return [str(path.relative_to(inbox)) for path in inbox.rglob("*") if path.is_dir() and not any(path.iterdir())]
