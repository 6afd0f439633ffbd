"""Registers directories as repositories, one at a time, and mends them: the disk comes before the row."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from common import files, layout, marker, rendering, roots
from common import repository_queries as queries
from common.db import Connection
from common.files import FULL_DISK, Offline
from common.marker import LocalSettings, Marker, Strategy
from common.rendering import Rendering
from common.repository_queries import KnownOriginal, Repository
from common.roots import Refused, Validation

EVIDENCE = 100


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A directory to register: `root` is absolute and leads over no link.

    Below `private_roots` lie the own files of repositories that may not be written to; None if there is no such place.
    What is found in it becomes the assets of the user called `owner`, or of the first administrator.
    """

    root: bytes
    name: str
    private_roots: bytes | None = None
    owner: str | None = None
    storage_strategy: Strategy = "date"
    local_settings: LocalSettings = msgspec.field(default_factory=LocalSettings)
    rendering: Rendering = msgspec.field(default_factory=Rendering)


async def register(conn: Connection, wish: Wish) -> Repository:
    """Make a repository of a directory, or find one again that was moved; Refused says why not.

    The caller's transaction keeps others from registering meanwhile. A marker that a crash left without its row, or
    that a person brings along, is honoured with its id and settings.
    """
    await queries.lock_repositories(conn)
    known = await queries.list_repositories(conn)
    owner = None if wish.owner is None else await find_owner(conn, wish.owner)
    found = await asyncio.to_thread(_examine, wish, known)
    for one in known:
        if found is not None and one.repository_id == found.id:
            return await _move(conn, one, wish.root)
    made = found or Marker(
        id=await queries.new_repository_id(conn),
        name=wish.name,
        storage_strategy=wish.storage_strategy,
        local_settings=wish.local_settings,
        rendering=rendering.written(wish.rendering),
    )
    private_root = await asyncio.to_thread(_create, wish, made)
    await queries.save_repository(conn, made.id, name=made.name, root=wish.root, private_root=private_root, owner=owner)
    return await _registered(conn, made)


async def find_owner(conn: Connection, username: str) -> int:
    """The user to whom finds are to belong; Refused when nobody is called so."""
    owner = await queries.find_owner(conn, username)
    if owner is None:
        raise Refused(f"nobody who may sign in here is called {username}")
    return owner


async def validate(conn: Connection, repository: Repository) -> Validation:
    """What is wrong with a repository on the disk."""
    others = [one for one in await queries.list_repositories(conn) if one.repository_id != repository.repository_id]
    return await asyncio.to_thread(
        roots.validate,
        repository.root,
        repository.repository_id,
        private_root=repository.private_root,
        others=_places(others),
    )


async def repair(conn: Connection, repository: Repository, *, rewrite_marker: bool) -> list[str]:
    """Make what is missing of ours, and say what it was; nothing is made where the repository is not.

    A lost marker is written again only when asked for, and only where originals of the repository lie.
    """
    evidence = await queries.list_known_originals(conn, repository.repository_id, limit=EVIDENCE)
    return await asyncio.to_thread(_repair, repository, evidence, rewrite_marker=rewrite_marker)


def _examine(wish: Wish, known: Sequence[Repository]) -> Marker | None:
    """The marker that is there already; Refused where no repository can be."""
    with _in_words():
        found = marker.find(wish.root)
        for one in known:
            if one.root == wish.root:
                raise Refused(f"this directory is repository {one.repository_id} already")
        others = [one for one in known if found is None or one.repository_id != found.id]
        ours = [wish.private_roots] if wish.private_roots else []
        roots.refuse_unfit(wish.root, [*_places(others), *ours])
        return found


def _create(wish: Wish, made: Marker) -> bytes | None:
    """The repository on the disk; returns its private root if it needs one."""
    with _in_words():
        private_root = None if roots.takes_files(wish.root) else _private_root(wish, made)
        if private_root is None and os.path.isdir(wish.root):
            marker.check_disk(wish.root)
        roots.create(wish.root, made, private_root=private_root)
        marker.check(wish.root, made.id, private_root)
        return private_root


def _private_root(wish: Wish, made: Marker) -> bytes:
    if wish.private_roots is None:
        raise Refused("the directory may not be written to, and there is no place for what belongs to it elsewhere")
    if not os.listdir(wish.root):
        raise Refused("the directory is empty and may not be written to: is its disk mounted?")
    return os.path.join(wish.private_roots, str(made.id).encode())


async def _move(conn: Connection, known: Repository, root: bytes) -> Repository:
    if await asyncio.to_thread(_is_there, known):
        raise Refused(
            f"this is a copy of repository {known.repository_id}, which is where it was: "
            f"remove the copy's {layout.MARKER.decode()} to make another repository of it"
        )
    await queries.move_repository(conn, known.repository_id, root=root, private_root=known.private_root)
    return msgspec.structs.replace(known, root=root)


async def _registered(conn: Connection, made: Marker) -> Repository:
    found = await queries.find_repository(conn, made.id)
    assert found is not None  # noqa: S101  # this transaction has just written it
    return found


def _is_there(repository: Repository) -> bool:
    try:
        marker.check(repository.root, repository.repository_id, repository.private_root)
    except Offline:
        return False
    return True


def _repair(repository: Repository, evidence: Sequence[KnownOriginal], *, rewrite_marker: bool) -> list[str]:
    with _in_words():
        if rewrite_marker and marker.find(repository.home) is None:
            return _rewrite_marker(repository, evidence)
        if not _is_there(repository):
            return []
        return roots.repair(repository.root, private_root=repository.private_root)


def _rewrite_marker(repository: Repository, evidence: Sequence[KnownOriginal]) -> list[str]:
    is_ours = os.path.isdir(os.path.join(repository.home, layout.PRIVATE))
    if not is_ours or (evidence and not any(_lies_there(repository.root, original) for original in evidence)):
        raise Refused("nothing of the repository lies in its directory: is its disk mounted?")
    made = Marker(id=repository.repository_id, name=repository.name, created_at=repository.created_at)
    repaired = roots.repair(repository.root, private_root=repository.private_root)
    roots.create(repository.root, made, private_root=repository.private_root)
    return [*repaired, layout.MARKER.decode()]


def _lies_there(root: bytes, original: KnownOriginal) -> bool:
    try:
        seen = files.see(root, original.path)
    except OSError:
        return False
    return seen is not None and seen.size == original.size


def _places(repositories: Sequence[Repository]) -> list[bytes]:
    roots_of = [one.root for one in repositories]
    return [*roots_of, *(one.private_root for one in repositories if one.private_root)]


@contextmanager
def _in_words() -> Iterator[None]:
    """A directory that cannot be used is a refusal; that a disk is full is told as such."""
    try:
        yield
    except Offline as outage:
        raise Refused(str(outage)) from None
    except OSError as error:
        if error.errno in FULL_DISK:
            raise
        if error.errno in files.NO_FOLDER and isinstance(error.filename, bytes):
            name = os.path.basename(error.filename).decode(errors="replace")
            raise Refused(f"`{name}` is a file or a link where a folder is needed: move it away") from None
        raise Refused(f"the directory cannot be used: {error.strerror}") from None
