"""Reading and rendering assets again: one at once, or many while nothing more urgent is to be done."""

from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common.db import Pool
from common.process import Core
from gateway import reprocess
from gateway.policies import EDIT
from gateway.queries.users import User
from gateway.reprocess_schemas import Reprocessed, Reprocessing, ReprocessRequest
from gateway.routes.stages import Everyone, owner_of
from gateway.schemas import Envelope

TOLD = {
    "pending": "it starts at once, when a worker is free",
    "running": "it is being processed, and is once more when that is done",
    "blocked": "it starts when the file has its place",
}


@post("/assets/{asset_id:uuid}/reprocess", status_code=200, opt=EDIT)
async def reprocess_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> Envelope[Reprocessed]:
    """Read and render one of the caller's assets again, done or failed, before everything that nobody waits for."""
    async with core.pool.connection() as conn:
        state = await reprocess.reopen(conn, asset_id, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=Reprocessed(asset_id=asset_id, state=state, message=TOLD[state]))


@post("/assets/reprocess", status_code=200, opt=EDIT)
async def reprocess_assets(
    pool: NamedDependency[Pool],
    user: NamedDependency[User],
    data: JSONBody[ReprocessRequest],
    *,
    everyone: Everyone = False,
) -> Envelope[Reprocessing]:
    """Read and render many of the caller's assets again, behind what people wait for, but none in the trash.

    `missing` are those without all thumbnails or whose metadata an older version read, `failed` those that could not be
    processed, `all` the rest as well. `web` looks again at the versions for browsers alone, and makes those that are to
    be made otherwise by now. What is due already is not counted. With very many the answer comes with a `next`: send it
    as `after`, with all else as before, to go on. Administrators may take everybody's with `all`.
    """
    owner = owner_of(user, everyone=everyone)
    queued, end = await reprocess.queue(pool, data, owner=owner)
    return Envelope(data=reprocess.told(queued, end))


HANDLERS = [reprocess_asset, reprocess_assets]
