"""Whether the catalogue is true to the disk: scans, what became of them, and files that are not as they were.

All of it is for administrators, for it names files of everybody.
"""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import BodyKwarg, FromPath, FromQuery, QueryParameter

from common import scan_queries as runs
from common.db import Connection, Pool, glance
from common.process import Core
from gateway import cursors, repository_views, scan_views, scans
from gateway.declared import may
from gateway.errors import Conflict, NotFound, Unusable
from gateway.paging import FileLimit, Limit
from gateway.policies import ADMIN
from gateway.queries import scans as queries
from gateway.queries.scans import FileCursor, FileState
from gateway.queries.users import User
from gateway.repository_views import find
from gateway.scan_schemas import FileList, ScanDTO, ScanList, ScanProgress, ScanRequest, SyncDTO
from gateway.schemas import Envelope

LARGEST_ID = 2**63 - 1
EVERYTHING = ScanRequest()


@post("/repositories/{repository_id:uuid}/scan", status_code=202, opt=ADMIN | may(Conflict, Unusable))
async def request_scan(
    core: NamedDependency[Core],
    user: NamedDependency[User],
    repository_id: FromPath[UUID],
    data: Annotated[ScanRequest | None, BodyKwarg()] = None,
) -> Envelope[ScanDTO]:
    """Have a repository looked at, or a folder of it; without a body all of it, in full. For administrators.

    The answer is the run, which may have waited already for somebody else; it begins when no other is at work.
    """
    async with glance(core.pool) as conn:
        repository = await find(conn, repository_id)
        wanted = await scans.understand(conn, repository, data or EVERYTHING)
    await scans.look(repository, wanted.folder)
    async with core.pool.connection() as conn:
        operation = await scans.request(conn, repository, wanted, by=user.user_id)
    core.relay.wake()
    return Envelope(data=scan_views.scan(operation))


@get("/repositories/{repository_id:uuid}/sync", opt=ADMIN)
async def get_sync(
    pool: NamedDependency[Pool], user: NamedDependency[User], repository_id: FromPath[UUID]
) -> Envelope[SyncDTO]:
    """How true the catalogue is to a repository's disk, and what a person may do about it. For administrators."""
    async with glance(pool) as conn:
        repository = await find(conn, repository_id)
        figures = await queries.find_figures(conn, repository_id)
        still = await runs.list_open(conn, repository_id)
        last = await runs.list_last(conn, repository_id)
        asking = await runs.find_asking(conn, repository_id)
    if figures is None:
        raise NotFound(f"no repository {repository_id}")
    shown = await repository_views.show(repository, user)
    return Envelope(data=scan_views.sync(shown, figures, still=still, last=last, asking=asking))


@get("/repositories/{repository_id:uuid}/scans", opt=ADMIN)
async def list_scans(
    conn: NamedDependency[Connection],
    repository_id: FromPath[UUID],
    limit: Limit = 20,
    after: Annotated[int | None, QueryParameter(ge=1, le=LARGEST_ID)] = None,
) -> Envelope[ScanList]:
    """Runs over a repository, newest first; `after` takes the `next` of the page before. For administrators."""
    await find(conn, repository_id)
    found = await runs.list_operations(conn, repository_id, before=after, limit=limit)
    return Envelope(data=scan_views.page(found, limit=limit))


@get("/repositories/{repository_id:uuid}/scans/{operation_id:int}", opt=ADMIN)
async def get_scan(
    conn: NamedDependency[Connection], repository_id: FromPath[UUID], operation_id: FromPath[int]
) -> Envelope[ScanProgress]:
    """One run over a repository with its counts so far, and what is left to be read. For administrators."""
    is_id = 0 < operation_id < LARGEST_ID
    found = await runs.find_operation(conn, operation_id, repository_id=repository_id) if is_id else None
    if found is None:
        raise NotFound(f"no scan {operation_id} of a repository {repository_id}")
    return Envelope(data=scan_views.progress(found, await queries.count_left(conn, repository_id)))


@get("/repositories/{repository_id:uuid}/files", opt=ADMIN)
async def list_files(
    conn: NamedDependency[Connection],
    repository_id: FromPath[UUID],
    only: Annotated[FileState, QueryParameter(name="state")],
    limit: FileLimit = 100,
    after: FromQuery[str | None] = None,
) -> Envelope[FileList]:
    """Files that are missing, corrupt, unread, or nothing that is taken, by their paths. For administrators."""
    await find(conn, repository_id)
    start = b"" if after is None else cursors.read(after, FileCursor).path
    found = await queries.list_files(conn, repository_id, state=only, after=start, limit=limit)
    return Envelope(data=scan_views.files(found, limit=limit))


HANDLERS = [request_scan, get_sync, list_scans, get_scan, list_files]
