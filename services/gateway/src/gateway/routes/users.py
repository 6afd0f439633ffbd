"""Who uses this server, for administrators."""

from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Struct

from common import account_queries
from common.account_queries import Account
from common.db import Connection, Pool
from gateway import accounts, cursors, departures
from gateway.account_schemas import (
    InviteList,
    MadeUser,
    OneTimeToken,
    Removed,
    UserChange,
    UserList,
    UserRemoval,
    UserRequest,
)
from gateway.auth import SignIn
from gateway.confirming import Confirmations
from gateway.declared import may
from gateway.errors import Conflict, Unconfirmed
from gateway.paging import Limit
from gateway.policies import ADMIN, ADMIN_IN_PERSON, Caller
from gateway.queries import invites
from gateway.schemas import Envelope, Message


class Cursor(Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page ended."""

    user_id: int


class InviteCursor(Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page of invitations ended."""

    invite_id: int


@get("/users", opt=ADMIN)
async def list_users(
    conn: NamedDependency[Connection],
    limit: Limit = 20,
    after: FromQuery[str | None] = None,
) -> Envelope[UserList]:
    """Everybody who has an account, the oldest first; `after` takes the `next` before."""
    start = 0 if after is None else cursors.read(after, Cursor).user_id
    found = await account_queries.list_accounts(conn, after=start, limit=limit)
    end = Cursor(user_id=found[-1].user_id) if len(found) == limit else None
    return Envelope(data=UserList(users=found, limit=limit, next=cursors.write(end)))


@post("/users", status_code=200, opt=ADMIN_IN_PERSON | may(Conflict))
async def make_user(
    pool: NamedDependency[Pool],
    sign_in: NamedDependency[SignIn],
    caller: NamedDependency[Caller],
    data: JSONBody[UserRequest],
) -> Envelope[MadeUser]:
    """Make a user with a name, an address and a password; without these, an invitation for somebody."""
    return Envelope(data=await accounts.make(pool, sign_in.hashing, data, caller))


@get("/users/{user_id:int}", opt=ADMIN)
async def get_user(conn: NamedDependency[Connection], user_id: FromPath[int]) -> Envelope[Account]:
    """One user."""
    return Envelope(data=await accounts.find(conn, user_id))


@patch("/users/{user_id:int}", opt=ADMIN_IN_PERSON | may(Conflict))
async def change_user(
    conn: NamedDependency[Connection],
    caller: NamedDependency[Caller],
    user_id: FromPath[int],
    data: JSONBody[UserChange],
) -> Envelope[Account]:
    """Change a user's address, quotas, and whether they may sign in or administer; one administrator always stays."""
    return Envelope(data=await accounts.change(conn, user_id, data, caller))


@delete("/users/{user_id:int}", status_code=200, opt=ADMIN_IN_PERSON | may(Conflict, Unconfirmed))
async def remove_user(
    pool: NamedDependency[Pool],
    confirmations: NamedDependency[Confirmations],
    caller: NamedDependency[Caller],
    user_id: FromPath[int],
    data: JSONBody[UserRemoval],
) -> Envelope[Removed]:
    """Delete a user: kept out at once, and gone once their assets are another's or purged, which takes a while.

    The first answer is 409 and says how much that is, with a `confirm` that is to be sent along within ten minutes.
    Asked again with something else, that is done with what is left. Nothing of anybody else is touched.
    """
    return Envelope(data=await departures.remove(pool, confirmations, user_id, data, caller))


@post("/users/{user_id:int}/reset", status_code=200, opt=ADMIN_IN_PERSON)
async def let_reset(
    conn: NamedDependency[Connection], caller: NamedDependency[Caller], user_id: FromPath[int]
) -> Envelope[OneTimeToken]:
    """A token with which the user chooses a new password, once and within a day."""
    return Envelope(data=await accounts.let_reset(conn, user_id, caller))


@get("/invites", opt=ADMIN)
async def list_invites(
    conn: NamedDependency[Connection],
    limit: Limit = 20,
    after: FromQuery[str | None] = None,
) -> Envelope[InviteList]:
    """The invitations that nobody has used yet, whoever made them; `after` takes the `next` before."""
    below = None if after is None else cursors.read(after, InviteCursor).invite_id
    found = await invites.list_open(conn, below=below, limit=limit)
    end = InviteCursor(invite_id=found[-1].invite_id) if len(found) == limit else None
    return Envelope(data=InviteList(invites=found, limit=limit, next=cursors.write(end)))


@delete("/invites/{invite_id:int}", status_code=200, opt=ADMIN)
async def take_back_invite(
    conn: NamedDependency[Connection], caller: NamedDependency[Caller], invite_id: FromPath[int]
) -> Envelope[Message]:
    """Take an invitation back: it lets nobody in any more."""
    await accounts.take_back(conn, invite_id, caller)
    return Envelope(data=Message(message="the invitation lets nobody in any more"))


HANDLERS = [list_users, make_user, get_user, change_user, remove_user, let_reset, list_invites, take_back_invite]
