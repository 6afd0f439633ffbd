"""The SQL behind signed addresses: where thumbnails of many assets lie, and what their door knows without asking."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from psycopg.sql import SQL

from common.db import Connection, struct_row
from gateway.queries.reach import IN_REACH


class Signable(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that addresses are signed for, with one of its thumbnails; all but the owner are null without any."""

    asset_id: UUID
    owner_id: int
    size: str | None
    repository_id: UUID | None
    path: bytes | None
    length: int | None
    hash: bytes | None


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Where a repository keeps what was made of its originals."""

    repository_id: UUID
    folder: bytes


async def list_signable(conn: Connection, asset_ids: Sequence[UUID], *, user: int) -> list[Signable]:
    """Those of the assets that a user may see, with where their thumbnails lie."""
    async with conn.cursor(row_factory=struct_row(Signable)) as cursor:
        statement = SQL(
            """
            select a.asset_id, a.owner_id, t.size, t.repository_id, t.path, t.bytes as length, t.hash
            from assets a
            left join thumbnails t on t.asset_id = a.asset_id
            where a.asset_id = any(%(assets)s)
              and {}
            """
        )
        await cursor.execute(statement.format(IN_REACH), {"assets": list(asset_ids), "user": user})
        return await cursor.fetchall()


async def find_time(conn: Connection) -> int:
    """The database's clock, in whole seconds since 1970."""
    cursor = await conn.execute("select floor(extract(epoch from now()))::bigint")
    return int((await cursor.fetchall())[0][0])


async def list_homes(conn: Connection) -> list[Home]:
    """Where every repository keeps what was made of its originals."""
    async with conn.cursor(row_factory=struct_row(Home)) as cursor:
        await cursor.execute(
            """
            select repository_id, coalesce(private_root, root) as folder
            from repositories
            """
        )
        return await cursor.fetchall()
