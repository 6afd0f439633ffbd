"""Brings back uploads that were acknowledged and have neither their place nor, any more, a row."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from common import files, folders, intake, layout, tracks, trash
from common.db import Connection
from common.formats import Format
from common.intake import Received
from common.names import shown
from common.repository_queries import Repository
from common.sniff import HEAD_BYTES, sniff
from lumilio.rebuild import staged_queries as queries
from lumilio.rebuild.adopting import BATCH, Summary, make_owners

UNKNOWN = "nothing tells whose it is, so it stays where it is for you to look at"


class Staged(NamedTuple):
    """A whole upload: its staged name, what was noted when it arrived, and what it is."""

    name: str
    received: Received
    size: int
    format: Format


async def adopt(conn: Connection, repository: Repository, summary: Summary, *, is_trial: bool) -> None:
    """Have placed what lies in staging whole and has no row; what is being written belongs to somebody."""
    names = iter(await asyncio.to_thread(folders.list_names, repository.root, layout.STAGING))
    while batch := list(islice(names, BATCH)):
        unknown = await queries.list_unknown(conn, [name for name in map(os.fsdecode, batch) if name.isprintable()])
        found = await asyncio.to_thread(_examine_all, repository.root, unknown, summary)
        summary.counts["uploads brought back"] += len(found)
        if not is_trial:
            await make_owners(conn, {one.received.owner for one in found}, summary)
            for one in found:
                await _save(conn, repository, one)


def _examine_all(root: bytes, names: Sequence[str], summary: Summary) -> list[Staged]:
    found = []
    for name in names:
        with suppress(FileNotFoundError):  # somebody who serves has placed it meanwhile
            if (one := _examine(root, name)) is not None:
                found.append(one)
            else:
                summary.trouble("an unknown upload", f"{shown(name)}: {UNKNOWN}")
    return found


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
