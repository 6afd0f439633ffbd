"""Pictures that nobody drew: rows with fingerprints and vectors that say how they would look."""

import math
from collections.abc import Sequence
from uuid import UUID

from common.db import Pool
from tests.support.given import User

STRONG = 0x5A5A_3C3C_0FF0_9669


def signed(hash_: int) -> int:
    """A fingerprint as the database keeps it."""
    return hash_ - (1 << 64) if hash_ >> 63 else hash_


def turned(hash_: int, *bits: int) -> int:
    """A fingerprint with some bits turned."""
    return hash_ ^ sum(1 << bit for bit in bits)


def vector(degrees: float, dimension: int = 4) -> str:
    """A vector of length 1 that points somewhere in a plane: cosine distances are those of angles."""
    return str([math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), *[0.0] * (dimension - 2)])


async def pictures(pool: Pool, user: User, *hashes: int | None, kind: str = "photo") -> list[UUID]:
    """Assets with these fingerprints, in the order of their ids."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            """
            with made as (
                insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, perceptual_hash)
                select %s, sha256(uuid_send(uuidv4())), 1000, %s, 'image/jpeg', 'p.jpg', hash
                from unnest(%s::bigint[]) with ordinality given (hash, place)
                order by place
                returning asset_id
            )
            select asset_id from made order by asset_id
            """,
            (user.user_id, kind, [None if one is None else signed(one) for one in hashes]),
        )
        return [row[0] for row in await cursor.fetchall()]


async def space(pool: Pool, *, dimension: int = 4, model: str = "tiny", state: str = "current") -> int:
    """An embedding space."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            "insert into embedding_spaces (model, dimension, state) values (%s, %s, %s) returning space_id",
            (model, dimension, state),
        )
        return int((await cursor.fetchall())[0][0])


async def seen(pool: Pool, space_id: int, assets: Sequence[UUID], vectors: Sequence[str]) -> None:
    """Assets have these vectors."""
    async with pool.connection() as conn, conn.cursor() as cursor:
        await cursor.executemany(
            """
            insert into embeddings (asset_id, space_id, owner_id, vector)
            select asset_id, %s, owner_id, %s::halfvec from assets where asset_id = %s
            """,
            [(space_id, one, asset) for asset, one in zip(assets, vectors, strict=True)],
        )
