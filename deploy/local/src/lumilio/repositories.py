"""Repositories as an operator sees them on the machine itself: which there are, what is wrong, one more, mended."""

import asyncio
import os
from collections.abc import Callable
from uuid import UUID

from psycopg import AsyncConnection

from common import marker, repositories
from common import repository_queries as queries
from common.db import Connection
from common.files import Offline
from common.repositories import Wish
from common.repository_queries import Repository
from common.roots import Refused, Validation
from lumilio.refusal import CannotStart
from lumilio.terminal import say


async def tell(database_url: str, *, say: Callable[[str], None] = say) -> None:
    """Say of each repository whether it is there, and where."""
    async with await AsyncConnection.connect(database_url) as conn:
        for one in await queries.list_repositories(conn):
            state = await asyncio.to_thread(_state, one)
            default = ", the default" if one.is_default else ""
            say(f"{one.repository_id}  {os.fsdecode(one.root)}  ({one.name}{default}): {state}")


async def add(
    database_url: str,
    *,
    path: str,
    name: str | None,
    private_roots: str,
    owner: str | None = None,
    say: Callable[[str], None] = say,
) -> None:
    """Make a repository of a directory; what lies in it stays as it is, and becomes the assets of its owner."""
    root = os.path.realpath(path)
    wish = Wish(
        root=os.fsencode(root),
        name=name or os.path.basename(root),
        private_roots=os.fsencode(private_roots),
        owner=owner,
    )
    async with await AsyncConnection.connect(database_url) as conn:
        try:
            made = await repositories.register(conn, wish)
        except Refused as refusal:
            raise CannotStart(f"{root}: {refusal}") from None
    say(f"{made.repository_id}  {root}: {_state(made)}")


async def validate(database_url: str, *, say: Callable[[str], None] = say) -> bool:
    """Examine every repository and say what is wrong; True when nothing is. Nothing is changed."""
    async with await AsyncConnection.connect(database_url) as conn:
        found = [await _examine(conn, one, say) for one in await queries.list_repositories(conn)]
    return all(one.valid for one in found)


async def repair(
    database_url: str, *, repository_id: UUID, rewrite_marker: bool, say: Callable[[str], None] = say
) -> bool:
    """Make what is missing of one repository, and say what is still wrong; True when nothing is."""
    async with await AsyncConnection.connect(database_url) as conn:
        repository = await queries.find_repository(conn, repository_id)
        if repository is None:
            raise CannotStart(f"there is no repository {repository_id}: `lumilio repositories list` tells which are")
        try:
            for made in await repositories.repair(conn, repository, rewrite_marker=rewrite_marker):
                say(f"made {made}")
        except Refused as refusal:
            raise CannotStart(f"{os.fsdecode(repository.root)}: {refusal}") from None
        return (await _examine(conn, repository, say)).valid


async def _examine(conn: Connection, repository: Repository, say: Callable[[str], None]) -> Validation:
    found = await repositories.validate(conn, repository)
    say(f"{'ok   ' if found.valid else 'WRONG'} {repository.repository_id}  {os.fsdecode(repository.root)}")
    for problem in (*found.errors, *found.warnings):
        say(f"           {problem}")
    return found


def _state(repository: Repository) -> str:
    try:
        marker.check(repository.root, repository.repository_id, repository.private_root)
    except Offline as outage:
        return f"offline, {outage}"
    return "takes uploads" if repository.private_root is None else "may only be read"
