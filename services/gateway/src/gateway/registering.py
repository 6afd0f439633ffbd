"""Who may become a user: the very first with the setup token, others by invitation, or anybody where that is wanted."""

import hmac
from dataclasses import dataclass

from common import account_queries, accounts, audit, passwords
from common.account_queries import Account
from common.db import Connection, Pool
from gateway import tokens, tries
from gateway.account_schemas import AuthResponse, RegisterRequest
from gateway.auth import SignIn
from gateway.errors import Conflict, Forbidden
from gateway.origins import Origin
from gateway.queries import invites
from gateway.queries.invites import Terms

NOBODY_YET = "nobody uses this server yet: the first user registers with `setup_token`, which LUMILIO_SETUP_TOKEN sets"
WRONG_SETUP = "that is not the setup token: the first user registers with what LUMILIO_SETUP_TOKEN says"
CLOSED = "only who is invited can register here: ask an administrator for an invitation, and send it as `invite`"
NO_INVITE = "the invitation is not valid: it was used, or its time is over; ask for another one"
TAKEN = "that user name or e-mail address is taken: choose another one"


@dataclass(frozen=True)
class Registration:
    """Everything that registering needs; an empty `setup_token` lets nobody be the first."""

    pool: Pool
    sign_in: SignIn
    setup_token: str = ""
    is_open: bool = False

    async def register(self, asked: RegisterRequest, origin: Origin) -> AuthResponse:
        """Make a user and sign them in; Forbidden, with what to do, for who may not become one."""
        username, email = accounts.username(asked.username), accounts.email(asked.email)
        passwords.checked(asked.password)
        self.sign_in.hashing.refuse_crowd()
        await tries.take(self.pool, tries.address(origin.address, "register"))
        async with self.pool.connection() as conn:
            await self._admit(conn, asked)  # before anything is hashed for somebody who may not
        password_hash = await self.sign_in.hashing.hashed(asked.password)
        async with self.pool.connection() as conn:
            await invites.lock_first(conn)
            terms, how = await self._admit(conn, asked)
            made = await save(conn, username, email, password_hash, terms)
            if asked.invite is not None:
                await invites.forget_invite(conn, tokens.digest(asked.invite))
            await audit.note(conn, "registered", user=made.user_id, address=origin.address, about=how)
            return await self.sign_in.begin(conn, made.user_id, origin)

    async def _admit(self, conn: Connection, asked: RegisterRequest) -> tuple[Terms, str]:
        """As what somebody may become a user, and why; an invitation is held until the transaction ends."""
        if not await invites.has_users(conn):
            self._check_setup(asked.setup_token)
            return Terms(is_admin=True), "the first user"
        if asked.invite is not None:
            return await self._accept(conn, asked.invite)
        if self.is_open:
            return Terms(), "open to everybody"
        raise Forbidden(CLOSED)

    def _check_setup(self, shown: str | None) -> None:
        if not self.setup_token or shown is None:
            raise Forbidden(NOBODY_YET)
        if not hmac.compare_digest(self.setup_token.encode(), shown.encode()):
            raise Forbidden(WRONG_SETUP)

    async def _accept(self, conn: Connection, shown: str) -> tuple[Terms, str]:
        invite = await invites.lock_invite(conn, tokens.digest(shown))
        if invite is None:
            raise Forbidden(NO_INVITE)
        terms = Terms(is_admin=invite.is_admin, quota_bytes=invite.quota_bytes, quota_files=invite.quota_files)
        return terms, f"invited by user {invite.invited_by}"


async def save(conn: Connection, username: str, email: str, password_hash: str, terms: Terms) -> Account:
    """A new user; Conflict when the name or the address is somebody's."""
    made = await account_queries.save_account(
        conn,
        username=username,
        email=email,
        password_hash=password_hash,
        is_admin=terms.is_admin,
        quota_bytes=terms.quota_bytes,
        quota_files=terms.quota_files,
    )
    if made is None:
        raise Conflict(TAKEN)
    return made
