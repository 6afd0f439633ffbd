"""Trees of originals: which there are, whether they work, and what an administrator does about it."""

from uuid import UUID

from litestar import get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import structs

from common import repositories
from common import repository_queries as queries
from common.db import Pool, glance
from common.repositories import Wish
from common.roots import Refused, Validation
from gateway import audit
from gateway import repository_views as views
from gateway.declared import may
from gateway.grounds import Grounds
from gateway.policies import ADMIN, READ, Caller
from gateway.queries.users import User
from gateway.repository_schemas import (
    CreateRepository,
    OwnerRequest,
    Repaired,
    RepairRequest,
    RepositoryDTO,
    RepositoryList,
)
from gateway.repository_views import find
from gateway.schemas import Envelope


@get("/repositories", opt=READ)
async def list_repositories(pool: NamedDependency[Pool], user: NamedDependency[User]) -> Envelope[RepositoryList]:
    """Every repository, with its settings and whether it is there; administrators see where it lies."""
    async with glance(pool) as conn:
        found = await queries.list_repositories(conn)
    return Envelope(data=RepositoryList(repositories=await views.show_all(found, user)))


@get("/repositories/{repository_id:uuid}", opt=READ)
async def get_repository(
    pool: NamedDependency[Pool], user: NamedDependency[User], repository_id: FromPath[UUID]
) -> Envelope[RepositoryDTO]:
    """One repository, with its settings and whether it is there."""
    async with glance(pool) as conn:
        found = await find(conn, repository_id)
    return Envelope(data=await views.show(found, user))


@post("/repositories", status_code=200, opt=ADMIN | may(Refused))
async def create_repository(
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    caller: NamedDependency[Caller],
    grounds: NamedDependency[Grounds],
    data: JSONBody[CreateRepository],
) -> Envelope[RepositoryDTO]:
    """Make a repository of a new directory, or of one with photos in it, which stay as they are.

    What its `.lumiliorepo` says, if it has one, goes before what is sent. A directory that may not be written to
    becomes a repository that takes no uploads.
    """
    wish = Wish(
        root=grounds.resolve(data.path),
        private_roots=grounds.private_roots,
        name=data.name,
        owner=data.owner or user.username,
        storage_strategy=data.storage_strategy,
        local_settings=data.local_settings,
        rendering=data.rendering,
    )
    async with pool.connection() as conn:
        made = await repositories.register(conn, wish)
        await audit.note(conn, "repository made", caller, about=f"repository {made.repository_id}")
    return Envelope(data=await views.show(made, user))


@post("/repositories/{repository_id:uuid}/validate", status_code=200, opt=ADMIN)
async def validate_repository(pool: NamedDependency[Pool], repository_id: FromPath[UUID]) -> Envelope[Validation]:
    """Examine a repository on the disk; nothing is changed."""
    async with glance(pool) as conn:
        return Envelope(data=await repositories.validate(conn, await find(conn, repository_id)))


@post("/repositories/{repository_id:uuid}/repair", status_code=200, opt=ADMIN | may(Refused))
async def repair_repository(
    pool: NamedDependency[Pool],
    caller: NamedDependency[Caller],
    repository_id: FromPath[UUID],
    data: JSONBody[RepairRequest],
) -> Envelope[Repaired]:
    """Make missing folders; `rewrite_marker` with the repository's id also writes a lost `.lumiliorepo` again.

    Say so only when the directory is the repository's own: all that lies there belongs to it from then on.
    """
    if data.rewrite_marker not in {None, repository_id}:
        raise Refused("`rewrite_marker` is the id of another repository")
    async with glance(pool) as conn:
        repository = await find(conn, repository_id)
        made = await repositories.repair(conn, repository, rewrite_marker=data.rewrite_marker is not None)
        found = await repositories.validate(conn, repository)
        await audit.note(conn, "repository repaired", caller, about=f"repository {repository_id}", made=made)
    return Envelope(data=Repaired(repaired=made, **structs.asdict(found)))


@put("/repositories/{repository_id:uuid}/default", opt=ADMIN | may(Refused))
async def make_default(
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    caller: NamedDependency[Caller],
    repository_id: FromPath[UUID],
) -> Envelope[RepositoryDTO]:
    """Uploads that name no repository go to this one from now on."""
    async with glance(pool) as conn:
        wanted = await find(conn, repository_id)
    views.refuse_idle(await views.show(wanted, user))
    async with pool.connection() as conn:
        await queries.lock_repositories(conn)
        await queries.save_default(conn, repository_id)
        await audit.note(conn, "repository made default", caller, about=f"repository {repository_id}")
        chosen = await find(conn, repository_id)
    return Envelope(data=await views.show(chosen, user))


@put("/repositories/{repository_id:uuid}/owner", opt=ADMIN | may(Refused))
async def change_owner(
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    caller: NamedDependency[Caller],
    repository_id: FromPath[UUID],
    data: JSONBody[OwnerRequest],
) -> Envelope[RepositoryDTO]:
    """What is found in the repository from now on becomes this user's; what was found before stays whose it is."""
    async with pool.connection() as conn:
        await find(conn, repository_id)
        await queries.save_owner(conn, repository_id, await repositories.find_owner(conn, data.owner))
        changed = await find(conn, repository_id)
        await audit.note(conn, "repository owner changed", caller, about=f"repository {repository_id}", to=data.owner)
    return Envelope(data=await views.show(changed, user))


HANDLERS = [
    list_repositories,
    get_repository,
    create_repository,
    validate_repository,
    repair_repository,
    make_default,
    change_owner,
]
