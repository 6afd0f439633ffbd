"""The work on assets: what is not done and why, trying again, and pausing a stage."""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from common import retries, space_queries, stage_queries
from common.db import Connection, Pool, glance
from common.retries import Failed
from common.stages import Stage
from gateway import audit, cursors
from gateway.declared import may
from gateway.errors import Conflict, Forbidden, NotFound
from gateway.paging import Limit
from gateway.policies import ADMIN, EDIT, READ, Caller
from gateway.queries import stages as queries
from gateway.queries.stages import Cursor, ErrorClass, State, Work
from gateway.queries.users import User
from gateway.schemas import Envelope
from gateway.stage_schemas import PauseRequest, Retried, StageList, StageSummary

SOON = "it starts within 20 s, when a worker is free"
Everyone = Annotated[bool, QueryParameter(name="all")]


@get("/stages", opt=READ)
async def list_stages(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    only: Annotated[State | None, QueryParameter(name="state")] = None,
    stage: FromQuery[str | None] = None,
    error_class: FromQuery[ErrorClass | None] = None,
    repository_id: FromQuery[UUID | None] = None,
    *,
    everyone: Everyone = False,
    limit: Limit = 20,
    after: FromQuery[str | None] = None,
) -> Envelope[StageList]:
    """Work on the caller's assets that is not done, the last change first; administrators see `all`."""
    found = await queries.newest(
        conn,
        owner=owner_of(user, everyone=everyone),
        state=only,
        stage=stage,
        error_class=error_class,
        repository=repository_id,
        after=None if after is None else cursors.read(after, Cursor),
        limit=limit,
    )
    end = _place(found[-1]) if len(found) == limit else None
    return Envelope(data=StageList(stages=found, limit=limit, next=cursors.write(end)))


@get("/stages/summary", opt=READ)
async def summarize_stages(
    conn: NamedDependency[Connection], user: NamedDependency[User], *, everyone: Everyone = False
) -> Envelope[StageSummary]:
    """How much is not done, for how long it has been due, and which stages are paused."""
    counts = await stage_queries.count(conn, owner=owner_of(user, everyone=everyone))
    return Envelope(data=StageSummary(counts=counts, pauses=await stage_queries.list_pauses(conn)))


@post("/assets/{asset_id:uuid}/stages/{stage:str}/retry", status_code=200, opt=EDIT | may(Conflict))
async def retry_stage(
    conn: NamedDependency[Connection], user: NamedDependency[User], asset_id: FromPath[UUID], stage: FromPath[str]
) -> Envelope[Retried]:
    """Try one failed stage of one of the caller's assets again, before what nobody waits for."""
    if not await queries.retry(conn, asset_id, stage, owner=user.user_id):
        state = await queries.find_state(conn, asset_id, stage, owner=user.user_id)
        if state is None:
            raise NotFound(f"no such stage of an asset {asset_id}")
        raise Conflict(f"only what has failed can be tried again, and this is {state}")
    return Envelope(data=Retried(retried=1, message=SOON))


@post("/stages/retry", status_code=200, opt=EDIT)
async def retry_stages(
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    stage: FromQuery[str | None] = None,
    error_class: FromQuery[ErrorClass | None] = None,
    repository_id: FromQuery[UUID | None] = None,
    *,
    everyone: Everyone = False,
) -> Envelope[Retried]:
    """Try all failed work of the caller again, or what the filters leave of it; administrators may take `all`."""
    failed = Failed(stage=stage, error_class=error_class, repository=repository_id)
    owner = owner_of(user, everyone=everyone)
    async with glance(pool) as conn:
        retried = await retries.retry(conn, failed, owner=owner)
    return Envelope(data=Retried(retried=retried, message=SOON if retried else "nothing of this has failed"))


@post("/stages/{stage:str}/pause", status_code=200, opt=ADMIN)
async def pause_stage(
    conn: NamedDependency[Connection],
    caller: NamedDependency[Caller],
    stage: FromPath[str],
    data: JSONBody[PauseRequest],
) -> Envelope[StageSummary]:
    """Let no work of a stage start for some minutes; what runs is finished. For administrators."""
    await queries.pause(
        conn, await _known(conn, stage), by=caller.user.user_id, reason=data.reason, minutes=data.minutes
    )
    await audit.note(conn, "stage paused", caller, about=f"stage {stage}", reason=data.reason, minutes=data.minutes)
    return await _everything(conn)


@post("/stages/{stage:str}/resume", status_code=200, opt=ADMIN)
async def resume_stage(
    conn: NamedDependency[Connection], caller: NamedDependency[Caller], stage: FromPath[str]
) -> Envelope[StageSummary]:
    """End a pause before its time. For administrators."""
    await queries.resume(conn, await _known(conn, stage))
    await audit.note(conn, "stage resumed", caller, about=f"stage {stage}")
    return await _everything(conn)


def owner_of(user: User, *, everyone: bool) -> int | None:
    """Whose work is meant: the caller's, or everyone's, which only administrators may ask for."""
    if everyone and not user.is_admin:
        raise Forbidden("`all` is for administrators")
    return None if everyone else user.user_id


async def _everything(conn: Connection) -> Envelope[StageSummary]:
    counts = await stage_queries.count(conn, owner=None)
    return Envelope(data=StageSummary(counts=counts, pauses=await stage_queries.list_pauses(conn)))


async def _known(conn: Connection, stage: str) -> str:
    known = [*Stage, *await space_queries.list_wanted(conn)]
    if stage not in known:
        raise NotFound(f"the stages are {', '.join(known)}")
    return stage


def _place(last: Work) -> Cursor:
    return Cursor(changed_at=last.changed_at, asset_id=last.asset_id, stage=last.stage)


HANDLERS = [list_stages, summarize_stages, retry_stage, retry_stages, pause_stage, resume_stage]
