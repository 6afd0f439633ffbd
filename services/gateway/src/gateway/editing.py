"""Has people's words about many assets kept, and written beside their files, in one transaction."""

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

from msgspec import Struct

from common import edits, outbox
from common.db import Connection
from common.edits import POSITION, Edits, Name
from common.messages import AssetsUpdated, AssetUpdated
from common.stages import Stage
from gateway.changes import Change, Impossible, Said
from gateway.errors import Invalid
from gateway.queries import organising

Edited: TypeAlias = tuple[UUID, dict[str, Any]]


class Outcome(Struct, frozen=True, kw_only=True):
    """For how many assets something is different now, and for which it could not be done and why."""

    changed: int = 0
    failures: dict[UUID, str] = {}


def checked(said: Edits, reset: Sequence[Name]) -> tuple[dict[str, object], set[Name]]:
    """What is said, tidied, and what is taken back; Invalid, in words, for what makes no sense."""
    try:
        given = edits.given(edits.tidied(said))
    except ValueError as error:
        raise Invalid(str(error)) from None
    taken_back = set(reset)
    if len(taken_back & POSITION) == 1:
        raise Invalid("a position is `gps_latitude` and `gps_longitude`: reset both")
    if both := sorted(given.keys() & taken_back):
        raise Invalid(f"{', '.join(both)}: either say something or reset it")
    if not given and not taken_back:
        raise Invalid("nothing is said: name what to change, or what to `reset`")
    return given, taken_back


def checked_tags(written: Sequence[str]) -> list[str]:
    """Whole paths as they are kept; Invalid for one in which nothing can be seen."""
    tidy = edits.tidied(Edits(tags=list(written))).tags
    if not isinstance(tidy, list) or (written and not tidy):
        raise Invalid("a tag is a path of words, `Places/Paris`, in which something can be seen")
    return tidy


async def change(conn: Connection, asset_ids: Sequence[UUID], make: Change, *, owner: int, lane: int) -> Outcome:
    """Change what is said of some of the owner's assets; what is so already is left alone, and nobody hears of it.

    Stages are held before assets, and assets before what is known of them. What others say meanwhile is kept.
    """
    planned, failures = _tried(await organising.list_said(conn, asset_ids, owner=owner), make)
    if not planned:
        return Outcome(failures=failures)
    meant = [asset_id for asset_id, _ in planned]
    await organising.demand_many(conn, meant, Stage.SIDECAR, owner=owner, lane=lane)
    await organising.lock_assets(conn, meant)
    edits_of, too_late = _tried(await organising.list_said(conn, meant, owner=owner), make)
    await organising.save_edits(conn, edits_of)
    changed = [asset_id for asset_id, _ in edits_of]
    await tell(conn, changed, owner=owner)
    return Outcome(changed=len(changed), failures=failures | too_late)


async def tell(conn: Connection, changed: Sequence[UUID], *, owner: int) -> None:
    """Announce that something else is said of assets: one event, however many they are."""
    if len(changed) == 1:
        await outbox.add(conn, AssetUpdated(owner_id=owner, asset_id=changed[0]))
    elif changed:
        await outbox.add(conn, AssetsUpdated(owner_id=owner, asset_ids=list(changed)))


def _tried(found: Sequence[Said], make: Change) -> tuple[list[Edited], dict[UUID, str]]:
    """What the change makes of each asset that it makes something of, and of which it can make nothing, with why."""
    changed: list[Edited] = []
    failures: dict[UUID, str] = {}
    for said in found:
        try:
            result = make(said)
        except Impossible as reason:
            failures[said.asset_id] = str(reason)
        else:
            if result != said.edits:
                changed.append((said.asset_id, result))
    return changed, failures
