"""Has versions for browsers made, or not made, as people want them."""

from uuid import UUID

from common import outbox
from common import queries as core
from common.db import Connection
from common.messages import TranscodeRequested
from common.rendering import Policy
from common.stages import Stage
from gateway.errors import NotFound, Unusable
from gateway.queries import transcode as queries


async def wish(conn: Connection, asset_id: UUID, policy: Policy, *, owner: int) -> str:
    """Have it so, at once; what is at work on another wish stops. Returns where the work stood."""
    kind = await queries.find_kind(conn, asset_id, owner=owner)
    if kind is None:
        raise NotFound(f"no asset {asset_id}")
    if kind == "photo":
        raise Unusable("it is a photo: every browser shows its thumbnails")
    state = await queries.lock_stages(conn, asset_id, owner=owner)
    await core.demand(conn, asset_id, Stage.TRANSCODE, owner=owner)
    await queries.save_wish(conn, asset_id, policy)
    await outbox.add(conn, TranscodeRequested(owner_id=owner, asset_id=asset_id))
    return state or "pending"
