"""The SQL of repositories, as far as uploads need it."""

from uuid import UUID

import msgspec

from common.db import Connection, struct_row


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A tree of originals; `root` is absolute."""

    repository_id: UUID
    root: bytes
    state: str


async def find_repository(conn: Connection, repository_id: UUID) -> Repository | None:
    """One repository."""
    async with conn.cursor(row_factory=struct_row(Repository)) as cursor:
        await cursor.execute(
            """
            select repository_id, root, state
            from repositories
            where repository_id = %s
            """,
            (repository_id,),
        )
        return await cursor.fetchone()


async def find_default(conn: Connection) -> Repository | None:
    """The repository for uploads that name none."""
    async with conn.cursor(row_factory=struct_row(Repository)) as cursor:
        await cursor.execute(
            """
            select repository_id, root, state
            from repositories
            where is_default
            """
        )
        return await cursor.fetchone()
