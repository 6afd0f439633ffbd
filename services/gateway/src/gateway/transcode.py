"""Has versions for browsers made, or not made, as people want them."""

from uuid import UUID

from common import outbox
from common import queries as core
from common.db import Connection
from common.messages import TranscodeRequested
from common.rendering import Policy
from common.stages import Stage
from gateway.errors import Conflict, NotFound, Unusable
from gateway.queries import transcode as queries
from gateway.queries import uploads
from gateway.queries.transcode import Wished

TO_COME = {"blocked", "pending", "running"}
"""A rendering in one of these states hands on to the stage in the end, which sees every wish before that."""


async def wish(conn: Connection, asset_id: UUID, policy: Policy, *, owner: int) -> str:
    """Have it so, at once; what is at work on another wish stops. Returns where the work stands from now on.

    Asking again for what is being made changes nothing.
    """
    _check(await queries.find_wished(conn, asset_id, owner=owner), asset_id, policy)
    states = await core.lock_stages(conn, asset_id)
    is_new = await queries.save_wish(conn, asset_id, policy)
    state = states.get(Stage.TRANSCODE)
    if state is None and states.get(Stage.RENDER) in TO_COME:
        await uploads.hurry(conn, asset_id, lane=0)
        return "blocked"
    if state == "running" and not is_new:
        return "running"
    await core.demand(conn, asset_id, Stage.TRANSCODE, owner=owner)
    await outbox.add(conn, TranscodeRequested(owner_id=owner, asset_id=asset_id))
    return "stopping" if state == "running" else "pending"


async def hindrance(conn: Connection, asset_id: UUID) -> str | None:
    """What due work waits for although a worker may be free, if that is so."""
    if reason := await queries.find_pause(conn, Stage.TRANSCODE):
        return f"when this work is no longer paused: {reason}"
    if not await queries.has_original(conn, asset_id):
        return "when the original is back on the disk, where it is missing"
    return None


def _check(wished: Wished | None, asset_id: UUID, policy: Policy) -> None:
    if wished is None:
        raise NotFound(f"no asset {asset_id}")
    if wished.kind == "photo":
        raise Unusable("it is a photo: every browser shows its thumbnails")
    if wished.is_trashed and policy != "never":
        raise Conflict("it is in the trash: restore it first")
