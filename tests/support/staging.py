"""Uploads as the gateway leaves them behind: durable bytes in staging, and the rows that say so."""

import os
from typing import NamedTuple
from uuid import UUID, uuid4

from blake3 import blake3

from common import files, layout, queries, sniff
from common.db import Pool
from common.stages import Stage
from gateway.queries import uploads


class Staged(NamedTuple):
    """An acknowledged upload."""

    asset_id: UUID
    upload_id: int
    staged_name: str
    content: bytes


async def stage(
    pool: Pool, *, repository_id: UUID, root: bytes, owner: int, content: bytes, file_name: str = "photo.jpg"
) -> Staged:
    """Stage an upload, of a new asset or of one that the owner has."""
    name = f"{uuid4()}.part"
    _write(root, layout.staged(name), content)
    known = sniff.sniff(content)
    assert known is not None
    digest = blake3(content).digest()
    async with pool.connection() as conn:
        asset_id = await uploads.save_asset(
            conn,
            owner=owner,
            content_hash=digest,
            size=len(content),
            kind=known.kind,
            mime_type=known.mime_type,
            file_name=file_name,
        )
        if asset_id is None:
            asset_id = await uploads.lock_known(conn, owner=owner, content_hash=digest)
            assert asset_id is not None
            await queries.reopen(conn, asset_id, Stage.PLACE, lane=0)
        else:
            await uploads.add_stages(conn, asset_id, owner=owner)
        upload_id = await uploads.save_upload(
            conn,
            owner=owner,
            repository=repository_id,
            asset=asset_id,
            staged_name=name,
            file_name=file_name,
            size=len(content),
        )
    return Staged(asset_id, upload_id, name, content)


def _write(root: bytes, path: bytes, content: bytes) -> None:
    with open(files.create(root, path), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
