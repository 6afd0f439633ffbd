"""Makes one of assets that look alike: it gets what the others have, and they go into the trash."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common import trash, trash_queries
from common.db import Connection
from common.stages import Stage
from gateway import changes, editing
from gateway.changes import Change, Said
from gateway.errors import Conflict, Invalid, NotFound
from gateway.queries import duplicates as queries
from gateway.queries import organising
from gateway.queries.duplicates import Copy

REASON = "the same picture is kept"
WORDS = ("title", "description")
PLACE = ("gps_latitude", "gps_longitude")


async def merge(conn: Connection, keep: UUID, others: Sequence[UUID], *, owner: int) -> int:
    """Have one asset stand for others of the owner, all or nothing; how many are in the trash that were not.

    It is in their albums, has their tags and is liked if one of them was; title, description, stars and place are
    theirs where it has none. Stages are held before assets, and assets in the order of their ids.
    """
    everyone = [keep, *dict.fromkeys(others)]
    if keep in others:
        raise Invalid("the asset that is kept is not one of the others")
    foreign = await organising.find_foreign(conn, everyone, owner=owner)
    if foreign is not None:
        raise NotFound(f"no asset {foreign}; nothing was done")
    await trash_queries.lock_places(conn, everyone)
    await organising.demand_many(conn, [keep], Stage.SIDECAR, owner=owner, lane=0)
    await queries.hold_assets(conn, everyone)
    kept, *copies = await queries.list_copies(conn, everyone, owner=owner)
    if len(copies) < len(everyone) - 1:
        raise NotFound("one of these assets has just gone for good; nothing was done")
    if kept.is_trashed:
        raise Conflict(f"asset {keep} is in the trash: take it back first, or keep another one; nothing was done")
    await _enrich(conn, kept, copies, owner=owner)
    await queries.join_albums(conn, keep, everyone[1:])
    return len(await trash.put_many(conn, everyone[1:], owner=owner, reason=REASON))


async def _enrich(conn: Connection, kept: Copy, copies: Sequence[Copy], *, owner: int) -> None:
    outcome = await editing.change(conn, [kept.asset_id], _with_all(kept, copies), owner=owner, lane=0)
    if outcome.failures:
        raise Conflict(f"asset {kept.asset_id} cannot have all tags: {outcome.failures[kept.asset_id]}")
    if any(copy.liked for copy in copies):
        liked = await organising.mark_liked(conn, [kept.asset_id], liked=True, owner=owner)
        await editing.tell(conn, liked, owner=owner)


def _with_all(kept: Copy, copies: Sequence[Copy]) -> Change:
    """What the copies say beside what is said already; what a person wants to be nothing stays nothing."""
    missing = _missing(kept, copies)
    tag = changes.tagged([tag for copy in copies for tag in copy.tags], ())

    def change(said: Said) -> dict[str, Any]:
        tagged = tag(said)
        given = {name: value for name, value in missing.items() if name not in said.edits}
        return tagged | given if given else tagged

    return change


def _missing(kept: Copy, copies: Sequence[Copy]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for copy in reversed(copies):
        found |= {name: copy.believed[name] for name in WORDS if copy.believed.get(name)}
        found |= {"rating": copy.rating} if copy.rating else {}
        found |= {name: copy.believed[name] for name in PLACE} if _has_place(copy) else {}
    has = {name for name in WORDS if kept.believed.get(name)}
    has |= {"rating"} if kept.rating else set()
    has |= set(PLACE) if _has_place(kept) else set()
    return {name: value for name, value in found.items() if name not in has}


def _has_place(copy: Copy) -> bool:
    return all(copy.believed.get(name) is not None for name in PLACE)
