"""What lies in repositories long after it was of use: failed uploads, half-written and forgotten derived files."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from itertools import islice

from common import files, folders, layout, log, marker, repository_queries
from common import queries as core
from common.db import Pool
from common.repository_queries import Repository
from ingest import leftovers_queries as queries
from ingest.queries import lock_upload_state

BATCH = 1000
DAY = 24 * 60 * 60.0


async def clean(pool: Pool, *, failed_seconds: float) -> None:
    """Remove it from every repository that is there; nothing is touched in one that is not."""
    async with pool.connection() as conn:
        now = await core.find_now(conn)
        repositories = await repository_queries.list_repositories(conn)
    for repository in repositories:
        with contextlib.suppress(files.Offline), files.outages():
            await asyncio.to_thread(marker.check, repository.root, repository.repository_id, repository.private_root)
            await _clean_failed(pool, repository, before=now - failed_seconds)
            await _clean_derived(pool, repository, before=now - DAY)


async def _clean_failed(pool: Pool, repository: Repository, *, before: float) -> None:
    """Failed uploads were kept for people; after a month nobody came."""
    async for paths in _old(repository, layout.FAILED, before):
        for path in paths:
            await _forget_failed(pool, repository, path)


async def _forget_failed(pool: Pool, repository: Repository, path: bytes) -> None:
    """Decide and remove under the row's lock, as what is not settled may still be placed from here."""
    bare = path.removesuffix(layout.SIDECAR)
    if path == bare and await asyncio.to_thread(files.see, repository.home, layout.sidecar(path)) is not None:
        return  # the note tells since when it lies here
    name = os.path.basename(bare).decode(errors="replace")
    async with pool.connection() as conn:
        if await lock_upload_state(conn, name) != "staged":
            for other in (bare, layout.sidecar(bare)):
                await asyncio.to_thread(files.forget, repository.home, other)
            log.get().info("failed upload removed", name=name)


async def _clean_derived(pool: Pool, repository: Repository, *, before: float) -> None:
    for below, stage in layout.DERIVED.items():
        await _clean_below(pool, repository, below, stage, before=before)


async def _clean_below(pool: Pool, repository: Repository, below: bytes, stage: str, *, before: float) -> None:
    async for paths in _old(repository, below, before):
        made = {path: found for path in paths if (found := layout.made_by(path)) is not None}
        async with pool.connection() as conn:
            named = await queries.list_named(conn, repository.repository_id, made)
        for path in paths:
            if layout.is_unfinished(path):
                await asyncio.to_thread(files.forget, repository.home, path)
            elif path in made and path not in named:
                await _forget_made(pool, repository, path, made[path], stage)


async def _forget_made(pool: Pool, repository: Repository, path: bytes, made: layout.Made, stage: str) -> None:
    """Decide and remove while nobody can settle the work that makes such: what its worker still may name stays."""
    async with pool.connection() as conn:
        epoch = await queries.lock_making(conn, stage, owner=made.owner_id, content_hash=made.content_hash)
        named = await queries.list_named(conn, repository.repository_id, {path: made})
        if epoch != made.epoch and path not in named:
            await asyncio.to_thread(files.forget, repository.home, path)
            log.get().info("derived file removed that no row names", path=path.decode(errors="replace"))


async def _old(repository: Repository, below: bytes, before: float) -> AsyncIterator[list[bytes]]:
    """The files below a folder that were changed last before a time, some at once."""
    found = (path for path, modified_ns in folders.walk(repository.home, below) if modified_ns / 1e9 <= before)
    while paths := await asyncio.to_thread(_next, found):
        yield paths


def _next(found: Iterator[bytes]) -> list[bytes]:
    return list(islice(found, BATCH))
