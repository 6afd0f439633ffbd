"""What a new installation needs once: the default repository and an administrator.

Every step may be repeated, so a crash between any two is mended by the next start. The administrator's password is
made before the administrator and stays in secrets.json until it was shown.
"""

import asyncio
import os
from contextlib import suppress
from uuid import UUID

from psycopg import AsyncConnection

from common import files, marker, passwords, repository_queries, roots
from common.db import Connection
from common.marker import Marker
from lumilio import data as directory
from lumilio import queries
from lumilio.data import Data, Secrets
from lumilio.refusal import CannotStart
from lumilio.terminal import say, show

REPOSITORY_NAME = "Primary Storage"
USERNAME = "admin"
EMAIL = "admin@localhost"
WELCOME = """
  user      {username}
  password  {password}
            shown this once: write it down
"""


async def prepare(database_url: str, data: Data, secrets: Secrets) -> None:
    """Create what is missing: the repository first, the administrator last. No service runs yet."""
    async with await AsyncConnection.connect(database_url) as conn:
        await queries.free_repositories(conn)
        await _follow(conn, data)
        await _ensure_repository(conn, os.fsencode(data.repository))
        await conn.commit()
        if secrets.first_password is not None:
            hashed = await asyncio.to_thread(passwords.hashed, secrets.first_password)
            await queries.create_first_user(conn, username=USERNAME, email=EMAIL, password_hash=hashed)


async def give_repository(database_url: str, path: str) -> None:
    """Have uploads go to a directory where they have no place yet; for servers and services that run by themselves."""
    root = os.path.realpath(path)
    async with await AsyncConnection.connect(database_url) as conn:
        await repository_queries.lock_repositories(conn)
        try:
            await _ensure_repository(conn, os.fsencode(root))
        except OSError as error:
            if error.errno not in roots.NOT_ALLOWED:
                raise
            raise CannotStart(f"the account {os.geteuid()} may not write to {root}: give it that directory") from None


def tell_password(data: Data, secrets: Secrets) -> None:
    """Show the administrator's first password, and forget it only then; unseen it is shown by the next start."""
    if secrets.first_password is None:
        return
    with suppress(OSError):
        show(WELCOME.format(username=USERNAME, password=secrets.first_password))
        directory.forget_first_password(data, secrets)


async def _follow(conn: Connection, data: Data) -> None:
    """A data directory that was moved has taken along what lies in it."""
    here = os.fsencode(data.repository)
    found = _find_id(here)
    known = await repository_queries.find_repository(conn, found) if found else None
    if known is None or known.root == here:
        return
    say(f"the repository has moved to {data.repository}")
    await repository_queries.move_repository(conn, known.repository_id, root=here, private_root=known.private_root)
    before = known.root.removesuffix(here.removeprefix(os.fsencode(data.root)))
    for one in await repository_queries.list_repositories(conn):
        root = _moved(one.root, before, data)
        private_root = _moved(one.private_root, before, data) if one.private_root else None
        await repository_queries.move_repository(conn, one.repository_id, root=root, private_root=private_root)


def _moved(path: bytes, before: bytes, data: Data) -> bytes:
    """Where a path of the former data directory is now, if it is there."""
    now = os.fsencode(data.root) + path.removeprefix(before)
    return now if path.startswith(before + b"/") and os.path.isdir(now) else path


async def _ensure_repository(conn: Connection, root: bytes) -> None:
    """The disk comes before the row; a marker without a row is adopted, a row without a marker is an outage."""
    known = await repository_queries.find_default(conn)
    if known is None:
        found = _find_id(root)
        if found is None:
            found = await repository_queries.new_repository_id(conn)
            roots.create(root, Marker(id=found, name=REPOSITORY_NAME))
            say(f'repository "{REPOSITORY_NAME}" created in {os.fsdecode(root)}')
        await repository_queries.save_repository(conn, found, name=REPOSITORY_NAME, root=root, private_root=None)
    elif _find_id(known.root) != known.repository_id:
        say(f"the repository is not at {os.fsdecode(known.root)}: is its disk mounted? Nothing is changed meanwhile")


def _find_id(root: bytes) -> UUID | None:
    try:
        found = marker.find(root)
    except files.Offline as error:
        raise CannotStart(f"{os.fsdecode(root)}: {error}; put it back as it was, its id is the repository's") from None
    return found.id if found else None
