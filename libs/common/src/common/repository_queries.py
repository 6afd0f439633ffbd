"""The SQL of repositories: which there are, where they lie, and which one is the default."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from common.db import Connection, struct_row

MOST = 1000


class Repository(msgspec.Struct, frozen=True, kw_only=True):
    """A tree of originals; `root` is absolute, and so is `private_root` where the root may not be written to.

    What is found in it becomes the assets of `owner`, the first administrator unless somebody else is named.
    """

    repository_id: UUID
    name: str
    root: bytes
    private_root: bytes | None
    is_default: bool
    state: Literal["online", "offline", "readonly"]
    created_at: datetime
    owner: str | None

    @property
    def home(self) -> bytes:
        """Where the repository's own files lie."""
        return self.private_root or self.root


class KnownOriginal(msgspec.Struct, frozen=True, kw_only=True):
    path: bytes
    size: int


async def lock_repositories(conn: Connection) -> None:
    """Nobody else registers a repository until the transaction ends; reading goes on."""
    await conn.execute("lock table repositories in share row exclusive mode")


async def new_repository_id(conn: Connection) -> UUID:
    """An id that sorts by time, for a marker that is written before its row."""
    cursor = await conn.execute("select uuidv7()")
    new_id: UUID = (await cursor.fetchall())[0][0]
    return new_id


async def list_repositories(conn: Connection) -> list[Repository]:
    """Every repository, the oldest first; they are made by hand, so there are few."""
    async with conn.cursor(row_factory=struct_row(Repository)) as cursor:
        await cursor.execute(
            """
            select repository_id, name, root, private_root, is_default, state, r.created_at, u.username as owner
            from repositories r
            left join users u on u.user_id = coalesce(owner_id, (select min(user_id) from users where is_admin))
            order by repository_id
            limit %s
            """,
            (MOST,),
        )
        return await cursor.fetchall()


async def find_repository(conn: Connection, repository_id: UUID) -> Repository | None:
    """One repository."""
    async with conn.cursor(row_factory=struct_row(Repository)) as cursor:
        await cursor.execute(
            """
            select repository_id, name, root, private_root, is_default, state, r.created_at, u.username as owner
            from repositories r
            left join users u on u.user_id = coalesce(owner_id, (select min(user_id) from users where is_admin))
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
            select repository_id, name, root, private_root, is_default, state, r.created_at, u.username as owner
            from repositories r
            left join users u on u.user_id = coalesce(owner_id, (select min(user_id) from users where is_admin))
            where is_default
            """
        )
        return await cursor.fetchone()


async def save_repository(
    conn: Connection,
    repository_id: UUID,
    *,
    name: str,
    root: bytes,
    private_root: bytes | None,
    owner: int | None = None,
) -> None:
    """A repository whose marker is on the disk; the first one that takes uploads is the default.

    Without an owner, what is found in it is the first administrator's.
    """
    await conn.execute(
        """
        insert into repositories (repository_id, name, root, private_root, state, is_default, owner_id)
        values (
            %(id)s, %(name)s, %(root)s, %(private)s::bytea,
            case when %(private)s::bytea is null then 'online' else 'readonly' end,
            %(private)s::bytea is null and not exists (select from repositories where is_default), %(owner)s
        )
        """,
        {"id": repository_id, "name": name, "root": root, "private": private_root, "owner": owner},
    )


async def move_repository(conn: Connection, repository_id: UUID, *, root: bytes, private_root: bytes | None) -> None:
    """The repository lies elsewhere from now on."""
    await conn.execute(
        "update repositories set root = %s, private_root = %s where repository_id = %s",
        (root, private_root, repository_id),
    )


async def find_owner(conn: Connection, username: str) -> int | None:
    """An active user, by name."""
    cursor = await conn.execute("select user_id from users where username = %s and is_active", (username,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def save_owner(conn: Connection, repository_id: UUID, owner: int) -> None:
    """What is found in the repository from now on becomes this user's; what was found before stays whose it is."""
    await conn.execute("update repositories set owner_id = %s where repository_id = %s", (owner, repository_id))


async def save_default(conn: Connection, repository_id: UUID) -> None:
    """Uploads that name no repository go to this one from now on."""
    await conn.execute("update repositories set is_default = false where is_default")
    await conn.execute("update repositories set is_default = true where repository_id = %s", (repository_id,))


async def list_known_originals(conn: Connection, repository_id: UUID, *, limit: int) -> list[KnownOriginal]:
    """Some originals that should lie in a repository, the latest first."""
    async with conn.cursor(row_factory=struct_row(KnownOriginal)) as cursor:
        await cursor.execute(
            """
            select path, size
            from file_records
            where repository_id = %s
              and state = 'present'
            order by file_record_id desc
            limit %s
            """,
            (repository_id, limit),
        )
        return await cursor.fetchall()
