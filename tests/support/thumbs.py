"""Thumbnails as the processor leaves them: files under their names, and rows that say where."""

from uuid import UUID

from blake3 import blake3

from common import derived_files, layout
from common.db import Pool
from tests.support.given import Repository

PICTURE = b"RIFF" + b"a small picture" * 30


async def keep(
    pool: Pool, repository: Repository, asset: UUID, size: str = "medium", content: bytes = PICTURE, *, epoch: int = 1
) -> bytes:
    """A thumbnail of an asset; returns its path below the repository's root."""
    async with pool.connection() as conn:
        cursor = await conn.execute("select content_hash, owner_id from assets where asset_id = %s", (asset,))
        digest, owner = (await cursor.fetchall())[0]
        path = layout.thumbnail(size, digest, owner, epoch, ".webp")
        derived_files.write(repository.root, path, content)
        await conn.execute(
            """
            insert into thumbnails (asset_id, size, repository_id, path, mime_type, width, height, bytes, hash)
            values (%s, %s, %s, %s, 'image/webp', 800, 600, %s, %s)
            on conflict (asset_id, size) do update
            set path = excluded.path, bytes = excluded.bytes, hash = excluded.hash
            """,
            (asset, size, repository.repository_id, path, len(content), blake3(content).digest()),
        )
    return path
