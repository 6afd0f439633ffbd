"""Deleting a user: it is asked back first, they are kept out at once, and their assets are worked off afterwards."""

from common import account_queries
from common import queries as core
from common.account_queries import Account
from common.db import Connection, Pool
from gateway import accounts, audit, counted
from gateway.account_schemas import Removed, UserRemoval
from gateway.confirming import Confirmations
from gateway.errors import Conflict, Invalid, Unconfirmed
from gateway.policies import Caller
from gateway.queries import departures
from gateway.queries.departures import Total

ONLY_READ = "cannot be removed, for their repository is only read: have everything transferred to somebody"


async def remove(pool: Pool, confirmations: Confirmations, user_id: int, asked: UserRemoval, by: Caller) -> Removed:
    """Begin to delete a user; Unconfirmed, with how much that is, unless it was told before and is meant."""
    if (asked.assets == "transfer") != (asked.to is not None):
        raise Invalid("say `to` whom the assets are transferred, and only then")
    async with pool.connection() as conn:
        admins = await account_queries.lock_admins(conn)
        user, total = await accounts.find(conn, user_id), await departures.measure(conn, user_id)
        await _refuse(conn, user, asked, total, admins)
        now = await core.find_now(conn)
        said = _said(user, asked, total)
        what = f"{said}; asked by user {by.user.user_id}"
        token = confirmations.token_for(what, now=now)
        if asked.only_count:
            return Removed(
                assets=total.assets, bytes=total.bytes, message=f"{said}: nothing is done yet", confirm=token
            )
        if asked.confirm is None or not confirmations.holds_for(asked.confirm, what, now=now):
            raise Unconfirmed(f"{said}: send it again with `confirm` if it is meant", token)
        await departures.save_departure(conn, user_id, fate=asked.assets, receiver=asked.to, asked_by=by.user.user_id)
        await account_queries.mark_active(conn, user_id, is_active=False)
        await audit.note(conn, "user deleted", by, about=f"user {user_id}", assets=asked.assets, to=asked.to)
    return Removed(assets=total.assets, bytes=total.bytes, message=f"{said}, from within a minute on")


async def _refuse(conn: Connection, user: Account, asked: UserRemoval, total: Total, admins: list[int]) -> None:
    """Conflict where it could not be done, or nobody would be left to administer."""
    if admins == [user.user_id]:
        raise Conflict(accounts.LAST)
    if await departures.is_receiver(conn, user.user_id):
        raise Conflict(f"user {user.user_id} is being given the assets of somebody else: wait until that is done")
    if asked.to is None:
        if total.read_only:
            raise Conflict(f"{counted.assets(total.read_only)} {ONLY_READ}")
        return
    receiver = await account_queries.find_account(conn, asked.to)
    if receiver is None or not receiver.is_active or receiver.leaving or receiver.user_id == user.user_id:
        raise Conflict(f"user {asked.to} cannot be given anything: name somebody else who may sign in")


def _said(user: Account, asked: UserRemoval, total: Total) -> str:
    fate = "go for good" if asked.to is None else f"be given to user {asked.to}"
    what = f"{counted.assets(total.assets)} of {total.bytes:,} bytes"
    return f"user {user.user_id} ({user.username}) is deleted; {what} will {fate}"
