"""Repositories as clients see them: what the disk says of each right now."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from msgspec import UNSET, structs

from common import marker, rendering
from common import repository_queries as queries
from common.db import Connection
from common.files import Offline
from common.marker import Marker
from common.repository_queries import Repository
from common.roots import Refused
from gateway.errors import NotFound
from gateway.queries.users import User
from gateway.repository_schemas import RepositoryDTO

PATIENCE_SECONDS = 5.0


async def find(conn: Connection, repository_id: UUID) -> Repository:
    """One repository; NotFound when there is none."""
    found = await queries.find_repository(conn, repository_id)
    if found is None:
        raise NotFound(f"no repository {repository_id}")
    return found


async def show_all(repositories: Sequence[Repository], user: User) -> list[RepositoryDTO]:
    """Each repository with its state; a disk that hangs delays the others by seconds at most."""
    return await asyncio.gather(*(show(repository, user) for repository in repositories))


async def show(repository: Repository, user: User) -> RepositoryDTO:
    """A repository with its state; only administrators learn where it lies and whose its finds are."""
    found = await _look(repository)
    is_readonly = repository.private_root is not None
    shown = RepositoryDTO(
        id=repository.repository_id,
        name=repository.name,
        state="readonly" if is_readonly else "online",
        is_default=repository.is_default,
        is_readonly=is_readonly,
        created_at=repository.created_at,
        path=repository.root.decode(errors="replace") if user.is_admin else UNSET,
        owner=repository.owner if user.is_admin else UNSET,
    )
    if isinstance(found, str):
        return structs.replace(shown, state="offline", reason=found)
    wanted, wrong = rendering.read(found.rendering)
    return structs.replace(
        shown,
        storage_strategy=found.storage_strategy,
        local_settings=found.local_settings,
        rendering=wanted,
        warnings=wrong or UNSET,
    )


def refuse_idle(shown: RepositoryDTO) -> None:
    """Refused unless the repository takes uploads."""
    if shown.state == "offline":
        raise Refused(f"the repository takes no uploads: {shown.reason}")
    if shown.state == "readonly":
        raise Refused("the repository takes no uploads: its directory may not be written to")


async def _look(repository: Repository) -> Marker | str:
    """The marker, or why there is none."""
    asking = asyncio.to_thread(marker.check, repository.root, repository.repository_id, repository.private_root)
    try:
        return await asyncio.wait_for(asking, PATIENCE_SECONDS)
    except TimeoutError:
        return "the disk does not answer"
    except Offline as outage:
        return str(outage)
