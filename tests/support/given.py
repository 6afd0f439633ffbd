"""What the fixtures give to tests."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from common import roots
from common.db import Pool
from common.marker import Marker


@dataclass(frozen=True)
class Repository:
    """A repository with its folders and marker on the disk, and its row."""

    repository_id: UUID
    root: bytes


@dataclass(frozen=True)
class User:
    """A person who can log in."""

    user_id: int
    username: str
    password: str


async def new_repository(pool: Pool, root: bytes, *, is_default: bool = True) -> Repository:
    """A repository, empty."""
    made = Repository(uuid4(), root)
    roots.create(made.root, Marker(id=made.repository_id, name="Test"))
    async with pool.connection() as conn:
        await conn.execute(
            "insert into repositories (repository_id, name, root, is_default) values (%s, 'Test', %s, %s)",
            (made.repository_id, made.root, is_default),
        )
    return made


async def new_user(pool: Pool, username: str, password: str, *, password_hash: str) -> User:
    """An ordinary user."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            """
            insert into users (username, email, password_hash)
            values (%(name)s, %(name)s || '@localhost', %(hash)s)
            returning user_id
            """,
            {"name": username, "hash": password_hash},
        )
        return User((await cursor.fetchall())[0][0], username, password)
