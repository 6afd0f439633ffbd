"""Assets with vectors, written by the thousand, so that what is nearest can be calculated beside."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray
from pgvector import HalfVector

from common.db import Connection

Vectors = NDArray[np.float32]

ASSETS = """
    copy assets (asset_id, owner_id, content_hash, size, kind, mime_type, original_filename, uploaded_at, stored_at)
    from stdin
"""
EMBEDDINGS = "copy embeddings (asset_id, space_id, frame, owner_id, vector) from stdin (format binary)"
MOMENT = "2026-05-04 12:00:00Z"
BATCH = 10_000


def clustered(count: int, *, dimension: int = 512, clusters: int = 2000, seed: int = 0) -> Vectors:
    """Vectors of length 1 around so many motifs, in few real dimensions and with as much noise as sense."""
    made = np.random.default_rng(seed)
    latent = min(64, dimension)
    spread = made.standard_normal((latent, dimension), dtype=np.float32)
    motifs = made.standard_normal((clusters, latent), dtype=np.float32)
    chosen = motifs[made.integers(clusters, size=count)]
    return unit((chosen + made.standard_normal((count, latent), dtype=np.float32)) @ spread)


def unit(vectors: NDArray[Any]) -> Vectors:
    """The same directions, each of length 1, as precisely as they are kept."""
    found: NDArray[Any] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return found.astype(np.float16).astype(np.float32)


async def new_space(conn: Connection, *, model: str = "test", dimension: int = 512, state: str = "current") -> int:
    """An embedding space."""
    cursor = await conn.execute(
        "insert into embedding_spaces (model, dimension, state) values (%s, %s, %s) returning space_id",
        (model, dimension, state),
    )
    space_id: int = (await cursor.fetchall())[0][0]
    return space_id


async def new_assets(conn: Connection, owners: Sequence[int]) -> list[UUID]:
    """A photo for each of these owners; what triggers would do is left out."""
    assets = [uuid4() for _ in owners]
    async with conn.transaction():
        await conn.execute("set local session_replication_role = replica")
        async with conn.cursor() as cursor, cursor.copy(ASSETS) as copy:
            for asset, owner in zip(assets, owners, strict=True):
                name = f"IMG_{asset.hex[:4]}.JPG"
                hashed = b"\\x" + (asset.hex * 2).encode()
                await copy.write_row((asset, owner, hashed.decode(), 1000, "photo", "image/jpeg", name, MOMENT, MOMENT))
    return assets


async def embed(
    conn: Connection, space_id: int, assets: Sequence[UUID], owners: Sequence[int], vectors: Vectors, *, frame: int = 0
) -> None:
    """Save a vector of each asset."""
    async with conn.transaction():
        await conn.execute("set local session_replication_role = replica")
        async with conn.cursor() as cursor, cursor.copy(EMBEDDINGS) as copy:
            await copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for asset, owner, vector in zip(assets, owners, vectors, strict=True):
                await copy.write(_row(asset, space_id, frame, owner, vector))
            await copy.write(b"\xff\xff")


def _row(asset: UUID, space_id: int, frame: int, owner: int, vector: Vectors) -> bytes:
    fields = (
        asset.bytes,
        space_id.to_bytes(4, "big"),
        frame.to_bytes(2, "big"),
        owner.to_bytes(4, "big"),
        HalfVector(vector).to_binary(),
    )
    return b"\0\x05" + b"".join(len(field).to_bytes(4, "big") + field for field in fields)
