"""People say something of their photos, and workers write it beside them."""

from uuid import UUID

from common import outbox, queries
from common.db import Pool
from common.edits import Edits, given
from common.messages import AssetUpdated
from common.stages import Stage
from gateway.queries import edits as edits_queries
from tests.support.given import User


async def edit(pool: Pool, user: User, photo: UUID, said: Edits, *, reset: list[str] | None = None) -> None:
    """Say something, as the gateway does."""
    async with pool.connection() as conn:
        await queries.demand(conn, photo, Stage.SIDECAR, owner=user.user_id)
        await edits_queries.lock_asset(conn, photo)
        await edits_queries.save_edits(conn, photo, given=given(said), reset=reset or [], is_moved=False)
        await edits_queries.sort_as_edited(conn, photo)
        await outbox.add(conn, AssetUpdated(owner_id=user.user_id, asset_id=photo))
