"""What the fixtures give to tests."""

from dataclasses import dataclass
from uuid import UUID


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
