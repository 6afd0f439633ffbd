"""Brings back uploads that were acknowledged and have neither their place nor, any more, a row."""

import asyncio
import os
from typing import NamedTuple

from common import files, folders, intake, layout, tracks, trash
from common.db import Connection
from common.formats import Format
from common.intake import Received
from common.names import shown
from common.repository_queries import Repository
from common.sniff import HEAD_BYTES, sniff
from lumilio.rebuild import staged_queries as queries
from lumilio.rebuild.adopting import Summary, make_owners

UNKNOWN = "nothing tells whose it is, so it stays where it is for you to look at"


class Staged(NamedTuple):
    """A whole upload: its staged name, what was noted when it arrived, and what it is."""

    name: str
    received: Received
    size: int
    format: Format


async def adopt(conn: Connection, repository: Repository, summary: Summary, *, is_trial: bool) -> None:
    """Have placed what lies in staging whole and has no row; what is being written belongs to somebody."""
    for name in await asyncio.to_thread(folders.list_names, repository.root, layout.STAGING):
        staged_name = os.fsdecode(name)
        if not staged_name.isprintable() or await queries.is_known(conn, staged_name):
            continue
        found = await asyncio.to_thread(_examine, repository.root, staged_name)
        if found is None:
            summary.trouble("an unknown upload", f"{shown(name)}: {UNKNOWN}")
            continue
        summary.counts["uploads brought back"] += 1
        if not is_trial:
            await make_owners(conn, [found.received.owner], summary)
            await _save(conn, repository, found)


def _examine(root: bytes, name: str) -> Staged | None:
    path = layout.staged(name)
    if files.is_being_written(root, path):
        return None
    descriptor = files.open_original(root, path)
    try:
        received, size = intake.read(descriptor), os.fstat(descriptor).st_size
        known = sniff(os.pread(descriptor, HEAD_BYTES, 0))
        known = known and tracks.settled(known, lambda start, length: os.pread(descriptor, length, start), size)
        if received is None or known is None or files.hash_open(descriptor).hex() != received.hash:
            return None
        return Staged(name, received, size, known)
    finally:
        os.close(descriptor)


async def _save(conn: Connection, repository: Repository, found: Staged) -> None:
    async with conn.transaction():
        asset_id = await queries.save_asset(
            conn,
            owner=found.received.owner,
            content_hash=bytes.fromhex(found.received.hash),
            size=found.size,
            kind=found.format.kind,
            mime_type=found.format.mime_type,
            name=found.received.name,
        )
        await trash.take_back_many(conn, [asset_id], owner=found.received.owner, brings_bytes=True)
        await queries.place(conn, asset_id)
        await queries.save_upload(
            conn,
            asset_id,
            repository_id=repository.repository_id,
            staged_name=found.name,
            name=found.received.name,
            size=found.size,
        )
