"""Versions that browsers play: wished for one by one, and called off."""

from uuid import UUID

from litestar import delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common.process import Core
from common.rendering import Policy
from gateway import transcode
from gateway.declared import may
from gateway.errors import Conflict, Unusable
from gateway.policies import EDIT
from gateway.queries.users import User
from gateway.schemas import Envelope
from gateway.transcode_schemas import TranscodeRequest, Transcoding

MADE = {
    "pending": "it starts at once, when a worker is free",
    "stopping": "what is being made is given up and it starts again, unless it is made in that way already",
    "running": "it is being made",
    "blocked": "it starts when the file has its place and its thumbnails",
}
CALLED_OFF = {
    "pending": "none is made, and one that was made goes",
    "stopping": "what is being made is given up, and one that was made goes",
    "running": "what is being made is given up, and one that was made goes",
    "blocked": "none will be made",
}


@post("/assets/{asset_id:uuid}/transcode", status_code=200, opt=EDIT | may(Conflict, Unusable))
async def transcode_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[TranscodeRequest]
) -> Envelope[Transcoding]:
    """Have the version for browsers made that `policy` says, whatever the repository's rules are.

    `smart` makes one where it is needed, `always` in any case; `never` stops what runs and removes what was made. The
    asset's `stages` tell how far it is. Asking again for the same is harmless, and tries again what failed.
    """
    return await _wish(core, user, asset_id, data.policy)


@delete("/assets/{asset_id:uuid}/transcode", status_code=200, opt=EDIT | may(Conflict, Unusable))
async def cancel_transcode(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> Envelope[Transcoding]:
    """Stop making a version for browsers and have none, until somebody wants one."""
    return await _wish(core, user, asset_id, "never")


async def _wish(core: Core, user: User, asset_id: UUID, policy: Policy) -> Envelope[Transcoding]:
    async with core.pool.connection() as conn:
        state = await transcode.wish(conn, asset_id, policy, owner=user.user_id)
        when = await transcode.hindrance(conn, asset_id) if state == "pending" else None
    core.relay.wake()
    message = (CALLED_OFF if policy == "never" else MADE)[state]
    if when is not None:
        message = f"none is made, and one that was made goes {when}" if policy == "never" else f"it starts {when}"
    state = "running" if state == "stopping" else state
    return Envelope(data=Transcoding(asset_id=asset_id, policy=policy, state=state, message=message))


HANDLERS = [transcode_asset, cancel_transcode]
