"""Trees of originals: which there are, whether they work, and what an administrator does about it."""

from uuid import UUID

from litestar import get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import structs

from common import repositories
from common import repository_queries as queries
from common.db import Connection, Pool, glance
from common.repositories import Wish
from common.repository_queries import Repository
from common.roots import Refused, Validation
from gateway import repository_views as views
from gateway.auth import only_admins
from gateway.errors import NotFound
from gateway.grounds import Grounds
from gateway.queries.users import User
from gateway.repository_schemas import CreateRepository, Repaired, RepairRequest, RepositoryDTO, RepositoryList
from gateway.schemas import Envelope


@get("/repositories")
async def list_repositories(pool: NamedDependency[Pool], user: NamedDependency[User]) -> Envelope[RepositoryList]:
    """Every repository, with its settings and whether it is there; administrators see where it lies."""
    async with glance(pool) as conn:
        found = await queries.list_repositories(conn)
    return Envelope(data=RepositoryList(repositories=await views.show_all(found, user)))


@get("/repositories/{repository_id:uuid}")
async def get_repository(
    pool: NamedDependency[Pool], user: NamedDependency[User], repository_id: FromPath[UUID]
) -> Envelope[RepositoryDTO]:
    """One repository, with its settings and whether it is there."""
    async with glance(pool) as conn:
        found = await _find(conn, repository_id)
    return Envelope(data=await views.show(found, user))


@post("/repositories", status_code=200, guards=[only_admins])
async def create_repository(
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
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
        storage_strategy=data.storage_strategy,
        local_settings=data.local_settings,
        rendering=data.rendering,
    )
    async with pool.connection() as conn:
        made = await repositories.register(conn, wish)
    return Envelope(data=await views.show(made, user))


@post("/repositories/{repository_id:uuid}/validate", status_code=200, guards=[only_admins])
async def validate_repository(pool: NamedDependency[Pool], repository_id: FromPath[UUID]) -> Envelope[Validation]:
    """Examine a repository on the disk; nothing is changed."""
    async with glance(pool) as conn:
        return Envelope(data=await repositories.validate(conn, await _find(conn, repository_id)))


@post("/repositories/{repository_id:uuid}/repair", status_code=200, guards=[only_admins])
async def repair_repository(
    pool: NamedDependency[Pool], repository_id: FromPath[UUID], data: JSONBody[RepairRequest]
) -> Envelope[Repaired]:
    """Make missing folders; `rewrite_marker` with the repository's id also writes a lost `.lumiliorepo` again.

    Say so only when the directory is the repository's own: all that lies there belongs to it from then on.
    """
    if data.rewrite_marker not in {None, repository_id}:
        raise Refused("`rewrite_marker` is the id of another repository")
    async with glance(pool) as conn:
        repository = await _find(conn, repository_id)
        made = await repositories.repair(conn, repository, rewrite_marker=data.rewrite_marker is not None)
        found = await repositories.validate(conn, repository)
    return Envelope(data=Repaired(repaired=made, **structs.asdict(found)))


@put("/repositories/{repository_id:uuid}/default", guards=[only_admins])
async def make_default(
    pool: NamedDependency[Pool], user: NamedDependency[User], repository_id: FromPath[UUID]
) -> Envelope[RepositoryDTO]:
    """Uploads that name no repository go to this one from now on."""
    async with glance(pool) as conn:
        wanted = await _find(conn, repository_id)
    views.refuse_idle(await views.show(wanted, user))
    async with pool.connection() as conn:
        await queries.lock_repositories(conn)
        await queries.save_default(conn, repository_id)
        chosen = await _find(conn, repository_id)
    return Envelope(data=await views.show(chosen, user))


async def _find(conn: Connection, repository_id: UUID) -> Repository:
    found = await queries.find_repository(conn, repository_id)
    if found is None:
        raise NotFound(f"no repository {repository_id}")
    return found
