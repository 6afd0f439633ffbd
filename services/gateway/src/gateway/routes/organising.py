"""What people like, and what their timeline leaves out."""

from collections.abc import Sequence
from uuid import UUID

from litestar import put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from common.db import Connection
from common.process import Core
from common.trash_queries import is_known
from gateway import editing
from gateway.errors import NotFound
from gateway.organising_schemas import ArchiveRequest, LikeRequest
from gateway.policies import EDIT
from gateway.queries import organising as queries
from gateway.queries.users import User
from gateway.schemas import Envelope, Message


@put("/assets/{asset_id:uuid}/like", opt=EDIT)
async def like_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[LikeRequest]
) -> Envelope[Message]:
    """Say whether the caller likes one of their assets."""
    async with core.pool.connection() as conn:
        changed = await queries.mark_liked(conn, [asset_id], liked=data.liked, owner=user.user_id)
        await _tell(conn, asset_id, changed, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=Message(message="the asset is liked" if data.liked else "the asset is not liked"))


@put("/assets/{asset_id:uuid}/archive", opt=EDIT)
async def archive_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID], data: JSONBody[ArchiveRequest]
) -> Envelope[Message]:
    """Have the timeline leave out one of the caller's assets, or show it again; it is kept as well as any other."""
    async with core.pool.connection() as conn:
        changed = await queries.mark_archived(conn, [asset_id], archived=data.archived, owner=user.user_id)
        await _tell(conn, asset_id, changed, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=Message(message="the asset is in the archive" if data.archived else "the asset is shown"))


async def _tell(conn: Connection, asset_id: UUID, changed: Sequence[UUID], *, owner: int) -> None:
    """Nobody hears of what was so before; NotFound for what the owner does not have."""
    if not changed and not await is_known(conn, asset_id, owner=owner):
        raise NotFound(f"no asset {asset_id}")
    await editing.tell(conn, changed, owner=owner)


HANDLERS = [like_asset, archive_asset]
