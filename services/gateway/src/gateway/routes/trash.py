"""Putting assets into the trash and taking them back; their bytes are kept."""

from uuid import UUID

from litestar import delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from common import trash
from common.process import Core
from gateway.queries.users import User
from gateway.schemas import Envelope, Message


@delete("/assets/{asset_id:uuid}", status_code=200)
async def trash_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> Envelope[Message]:
    """Put one of the caller's assets into the trash: hidden from lists, and kept until it is taken back."""
    async with core.pool.connection() as conn:
        await trash.put(conn, asset_id, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=Message(message="the asset is in the trash"))


@post("/assets/{asset_id:uuid}/restore", status_code=200)
async def restore_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> Envelope[Message]:
    """Take one of the caller's assets back from the trash."""
    async with core.pool.connection() as conn:
        was_there = await trash.take_back(conn, asset_id, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=Message(message="the asset is back" if was_there else "the asset was not in the trash"))
