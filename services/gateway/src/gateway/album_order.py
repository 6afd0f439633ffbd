"""Where in an album something stands: between two neighbours, with room left for others."""

from typing import NamedTuple
from uuid import UUID

from common.db import Connection
from gateway.queries import album_assets as queries
from gateway.queries.album_assets import ROOM, Bounds


class Positions(NamedTuple):
    """Positions one step apart from each other."""

    start: int
    step: int


async def make_room(
    conn: Connection, album_id: int, place: int | None, *, count: int, without: UUID | None = None
) -> Positions:
    """Free positions for so many at a place of what a locked album shows, or at its end.

    Only where forty others have gone between the same two before, the whole album is written anew.
    """
    found = positions(await queries.find_bounds(conn, album_id, place, without=without), count)
    if found is None:
        await queries.spread(conn, album_id)
        found = positions(await queries.find_bounds(conn, album_id, place, without=without), count)
    if found is None:
        raise OverflowError(f"there is no room for {count} in album {album_id}")
    return found


def positions(bounds: Bounds, count: int) -> Positions | None:
    """So many positions between two others; None where there are not as many."""
    if bounds.upper is None:
        return Positions((bounds.lower or 0) + ROOM, ROOM)
    if bounds.lower is None:
        return Positions(bounds.upper - ROOM * count, ROOM)
    step = (bounds.upper - bounds.lower) // (count + 1)
    return Positions(bounds.lower + step, step) if step else None
