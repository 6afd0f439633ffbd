"""What administrators do with users, and what users do with their passwords."""

from msgspec import UNSET, UnsetType, structs
from psycopg.errors import UniqueViolation

from common import account_queries, accounts, passwords
from common import audit as book
from common.account_queries import Account
from common.db import Connection, Pool
from gateway import audit, registering, tokens, tries
from gateway.account_schemas import (
    MadeUser,
    OneTimeToken,
    PasswordChange,
    ResetRequest,
    UserChange,
    UserRequest,
)
from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.hashing import Hashing
from gateway.origins import Origin
from gateway.policies import Caller
from gateway.queries import invites, users
from gateway.queries.invites import Terms

INVITE_SECONDS = 7 * 24 * 60 * 60
RESET_SECONDS = 24 * 60 * 60
INVITE_USE = "POST /api/v1/auth/register with `username`, `email`, `password` and this as `invite`"
RESET_USE = "POST /api/v1/auth/reset with this as `token` and the new `password`"
LAST = "this is the last administrator: make somebody else one first"


async def make(pool: Pool, hashing: Hashing, asked: UserRequest, by: Caller) -> MadeUser:
    """A new user who has a password, or an invitation to become one without."""
    terms = Terms(is_admin=asked.is_admin, quota_bytes=asked.quota_bytes, quota_files=asked.quota_files)
    if asked.username is None and asked.email is None and asked.password is None:
        return MadeUser(invite=await _invite(pool, terms, by))
    if asked.username is None or asked.email is None or asked.password is None:
        raise Invalid("send `username`, `email` and `password` together, or none of them to get an invitation")
    username, email = accounts.username(asked.username), accounts.email(asked.email)
    password_hash = await hashing.hashed(passwords.checked(asked.password))
    async with pool.connection() as conn:
        made = await registering.save(conn, username, email, password_hash, terms)
        await audit.note(
            conn, "user made", by, about=f"user {made.user_id}", username=username, is_admin=terms.is_admin
        )
        return MadeUser(user=made)


async def find(conn: Connection, user_id: int) -> Account:
    """A user; NotFound when there is none of that id."""
    found = await account_queries.find_account(conn, user_id)
    if found is None:
        raise NotFound(f"no user {user_id}")
    return found


async def change(conn: Connection, user_id: int, asked: UserChange, by: Caller) -> Account:
    """Make a user otherwise; who may not sign in any more is out at once, and the last administrator stays one."""
    admins = await account_queries.lock_admins(conn)
    before = await find(conn, user_id)
    if before.leaving:
        raise Conflict(f"user {user_id} is being deleted")
    wanted = {name: value for name, value in structs.asdict(asked).items() if not isinstance(value, UnsetType)}
    if asked.email is not UNSET:
        wanted["email"] = accounts.email(asked.email)
    after = structs.replace(before, **wanted)
    if admins == [user_id] and not (after.is_admin and after.is_active):
        raise Conflict(LAST)
    try:
        await users.save_changes(conn, after)
    except UniqueViolation:
        raise Conflict("that e-mail address is taken: choose another one") from None
    if before.is_admin != after.is_admin:
        await account_queries.mark_admin(conn, user_id, is_admin=after.is_admin)
    if before.is_active != after.is_active:
        await account_queries.mark_active(conn, user_id, is_active=after.is_active)
    await audit.note(conn, "user changed", by, about=f"user {user_id}", **wanted)
    return after


async def let_reset(conn: Connection, user_id: int, by: Caller) -> OneTimeToken:
    """Let a user choose a new password once, within a day."""
    await find(conn, user_id)
    token = tokens.new()
    ends = await invites.save_reset(conn, tokens.digest(token), user=user_id, lives_seconds=RESET_SECONDS)
    await audit.note(conn, "password reset allowed", by, about=f"user {user_id}")
    return OneTimeToken(token=token, expires_at=ends, use=RESET_USE)


async def reset(pool: Pool, hashing: Hashing, asked: ResetRequest, origin: Origin) -> None:
    """The password of whom a token was made for is the new one from now on; all of their sign-ins end."""
    passwords.checked(asked.password)
    await tries.take(pool, tries.address(origin.address, "choose a password"))
    async with pool.connection() as conn:
        await _find_reset(conn, asked.token)  # before anything is hashed for a guess
    password_hash = await hashing.hashed(asked.password)
    async with pool.connection() as conn:
        user_id = await _find_reset(conn, asked.token)
        username = await account_queries.save_password_hash(conn, user_id, password_hash)
        await account_queries.forget_sessions(conn, user_id)
        await tries.forget(conn, tries.account(username))
        await book.note(conn, "password reset", user=user_id, address=origin.address)


async def change_password(pool: Pool, hashing: Hashing, asked: PasswordChange, by: Caller) -> int:
    """The caller's password is the new one from now on; how many other sign-ins of theirs that ended."""
    passwords.checked(asked.new_password)
    mine = tries.account(str(by.user.user_id), "change the password of user")
    await tries.take(pool, mine)
    async with pool.connection() as conn:
        known = await users.find_credentials(conn, by.user.username)
    if known is None or not await hashing.matches(known.password_hash, asked.old_password):
        raise Forbidden("the old password is another one")
    password_hash = await hashing.hashed(asked.new_password)
    async with pool.connection() as conn:
        if not await users.lock_password(conn, by.user.user_id, known.password_hash):  # changed while we compared
            raise Forbidden("the old password is another one")
        await tries.forget(conn, mine)
        await account_queries.save_password_hash(conn, by.user.user_id, password_hash)
        ended = await account_queries.forget_sessions(conn, by.user.user_id, but=by.session_id)
        await audit.note(conn, "password changed", by, sessions_ended=ended)
    return ended


async def take_back(conn: Connection, invite_id: int, by: Caller) -> None:
    """Let an invitation let nobody in."""
    if not await invites.take_back(conn, invite_id):
        raise NotFound(f"no invitation {invite_id}: it was used, or its time is over")
    await audit.note(conn, "invitation taken back", by, about=f"invitation {invite_id}")


async def _invite(pool: Pool, terms: Terms, by: Caller) -> OneTimeToken:
    token = tokens.new()
    async with pool.connection() as conn:
        ends = await invites.save_invite(
            conn, tokens.digest(token), invited_by=by.user.user_id, terms=terms, lives_seconds=INVITE_SECONDS
        )
        await audit.note(conn, "invitation made", by, is_admin=terms.is_admin)
    return OneTimeToken(token=token, expires_at=ends, use=INVITE_USE)


async def _find_reset(conn: Connection, token: str) -> int:
    user_id = await invites.lock_reset(conn, tokens.digest(token))
    if user_id is None:
        raise Forbidden("the token is not valid: it was used, or its day is over; ask an administrator for another one")
    return user_id
