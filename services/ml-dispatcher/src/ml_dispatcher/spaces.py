"""Which models' vectors are made, and which count: a new model is filled beside the old one, then takes its place."""

from common import log, space_queries
from common.db import Connection, Pool
from common.space_queries import Space
from ml_dispatcher import filling_queries as queries
from ml_dispatcher.tasks import Model

SEEN = ("photo", "video")
MOST_FILLING = 4
"""A server that calls itself something else at every question does not fill the disk."""
GONE_DAYS = 1.0
"""After so long without a server for it, a model gives way to one that it has replaced before."""
KEPT_DAYS = 1.0
"""So long a person can go back to what was replaced without filling it again."""
REMOVED_AT_ONCE = 500
REMOVED_A_ROUND = 40


def stage(space: Space) -> str:
    """The stage that fills a space."""
    return f"embed:{space.space_id}"


async def find(conn: Connection, model: Model) -> Space | None:
    """The space that a model's vectors go to, made if it is new; None while nobody wants them."""
    if not model.name.strip():
        log.get().warning("a model without a name", dimension=model.dimension)
        return None
    space = await queries.ensure_space(conn, model=model.name, dimension=model.dimension, most=MOST_FILLING)
    if space is None:
        log.get().warning("too many models at once", model=model.name)
    elif space.state == "retired" and await queries.is_current_gone(conn, days=GONE_DAYS):
        await space_queries.fill_again(conn, space.space_id)
    elif space.state == "retired":
        return None
    return space if space and await queries.ensure_space_stage(conn, space.space_id, kinds=SEEN) else None


async def switch(pool: Pool) -> bool:
    """Have a space that is complete count instead of the one before; whether there was one."""
    async with pool.connection() as conn:
        if await queries.find_complete(conn) is None:
            return False
        await space_queries.lock_spaces(conn)
        complete = await queries.find_complete(conn)  # nobody else changes it any more
        if complete is not None:
            await space_queries.make_current(conn, complete)
    if complete is not None:
        log.get().info("another space is current", space=complete)
    return complete is not None


async def tidy(pool: Pool) -> None:
    """Remove what is left of retired spaces, a little at a time."""
    async with pool.connection() as conn:
        unwanted = await queries.list_unwanted(conn, days=KEPT_DAYS)
    for space_id, is_old in unwanted:
        await _remove(pool, space_id, is_old=is_old)


async def _remove(pool: Pool, space_id: int, *, is_old: bool) -> None:
    for _ in range(REMOVED_A_ROUND):
        async with pool.connection() as conn:
            removed = await queries.forget_due(conn, space_id, limit=REMOVED_AT_ONCE)
            if is_old:
                removed += await queries.forget_vectors(conn, space_id, limit=REMOVED_AT_ONCE)
            if is_old and not removed:
                removed = await queries.forget_stage(conn, space_id, limit=REMOVED_AT_ONCE)
        if not removed:
            return
