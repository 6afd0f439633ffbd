"""Putting assets into the trash and taking them back; their bytes are kept."""

from uuid import UUID

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from common import trash
from common.db import Connection
from common.process import Core
from gateway import counted, cursors, views
from gateway import trash as asking
from gateway.asset_schemas import AssetDTO
from gateway.confirming import Confirmations
from gateway.declared import may
from gateway.errors import Conflict, NotFound, Unconfirmed
from gateway.paging import Limit
from gateway.policies import DELETE, READ, Caller
from gateway.queries import assets
from gateway.queries import trash as queries
from gateway.queries.trash import Cursor
from gateway.queries.users import User
from gateway.schemas import Envelope, Message
from gateway.trash_schemas import PurgeRequest, TrashChoice, TrashedDTO, TrashList, TrashPurged, TrashRestored

NAMED = 100


@delete("/assets/{asset_id:uuid}", status_code=200, opt=DELETE)
async def trash_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> Envelope[Message]:
    """Put one of the caller's assets into the trash: hidden from lists, and kept until it is taken back."""
    async with core.pool.connection() as conn:
        await trash.put(conn, asset_id, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=Message(message="the asset is in the trash"))


@post("/assets/{asset_id:uuid}/restore", status_code=200, opt=DELETE | may(Conflict))
async def restore_asset(
    core: NamedDependency[Core], user: NamedDependency[User], asset_id: FromPath[UUID]
) -> Envelope[Message]:
    """Take one of the caller's assets back from the trash."""
    async with core.pool.connection() as conn:
        was_there = await trash.take_back(conn, asset_id, owner=user.user_id)
    core.relay.wake()
    return Envelope(data=Message(message="the asset is back" if was_there else "the asset was not in the trash"))


@get("/trash", opt=READ)
async def list_trash(
    conn: NamedDependency[Connection],
    user: NamedDependency[User],
    trash_days: NamedDependency[int],
    limit: Limit = 20,
    after: FromQuery[str | None] = None,
) -> Envelope[TrashList]:
    """What the caller threw away, the newest first, and when it goes for good; `after` takes the `next` before."""
    start = None if after is None else cursors.read(after, Cursor)
    found = await queries.list_page(conn, owner=user.user_id, days=trash_days, after=start, limit=limit)
    cards = await assets.list_assets(conn, [one.asset_id for one in found], owner=user.user_id)
    shown = {card.asset_id: views.card(card) for card in cards}
    total = await queries.measure_all(conn, owner=user.user_id)
    end = Cursor(trashed_at=found[-1].trashed_at, asset_id=found[-1].asset_id) if len(found) == limit else None
    page = [_trashed(one, shown[one.asset_id]) for one in found if one.asset_id in shown]
    return Envelope(data=TrashList(assets=page, count=total.count, bytes=total.bytes, next=cursors.write(end)))


@post("/trash/restore", status_code=200, opt=DELETE | may(NotFound, Conflict))
async def restore_trash(
    core: NamedDependency[Core], user: NamedDependency[User], data: JSONBody[TrashChoice]
) -> Envelope[TrashRestored]:
    """Take assets back from the trash, all of the caller's or some; one that is not the caller's stops all.

    What is being purged stays there, and the answer names it.
    """
    back = await asking.restore(core.pool, data, owner=user.user_id)
    core.relay.wake()
    left = f"; {counted.assets(len(back.going))} cannot be taken back, for purging has begun" if back.going else ""
    message = f"took back {counted.assets(back.assets)}{left}"
    return Envelope(data=TrashRestored(count=back.assets, message=message, going=back.going[:NAMED]))


@post("/trash/purge", status_code=200, opt=DELETE | may(NotFound, Unconfirmed))
async def purge_trash(
    core: NamedDependency[Core],
    caller: NamedDependency[Caller],
    confirmations: NamedDependency[Confirmations],
    data: JSONBody[PurgeRequest],
) -> Envelope[TrashPurged]:
    """Have assets in the trash go for good, all of the caller's or some; nothing brings them back.

    More than 1,000 of them, or more than 5 % of all that the caller has, are to be confirmed: the answer is 409 with a
    `confirm`, which is to be sent along within ten minutes, for the very same assets. Twenty or fewer never are.
    """
    answer = await asking.purge(core.pool, data, confirmations, caller)
    core.relay.wake()
    return Envelope(data=answer)


def _trashed(one: queries.Trashed, asset: AssetDTO) -> TrashedDTO:
    return TrashedDTO(
        asset=asset,
        trashed_at=one.trashed_at,
        reason=one.reason,
        purged_after=one.purged_after,
        is_going=one.is_going,
        trouble=one.trouble,
    )


HANDLERS = [trash_asset, restore_asset, list_trash, restore_trash, purge_trash]
