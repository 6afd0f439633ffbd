"""Whose an asset is that a route is about: its own routes ask for it as the caller, who must be able to see it."""

from uuid import UUID

from litestar.di import NamedDependency
from litestar.params import FromPath

from common.db import Pool, glance
from gateway.errors import NotFound
from gateway.queries import reach
from gateway.queries.users import User


async def provide_owner(pool: NamedDependency[Pool], user: NamedDependency[User], asset_id: FromPath[UUID]) -> int:
    """The owner of an asset that the caller may see; NotFound where it does not exist for them."""
    async with glance(pool) as conn:
        owner = await reach.find_owner(conn, asset_id, user.user_id)
    if owner is None:
        raise NotFound(f"no asset {asset_id}")
    return owner
