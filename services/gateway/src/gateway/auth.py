"""Signing in with a password, staying signed in with refresh tokens, and ending it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from common import account_queries, accounts, audit, passwords
from common.db import Connection, Pool
from gateway import tokens, tries
from gateway.account_schemas import AuthResponse
from gateway.errors import NotSignedIn
from gateway.hashing import Hashing
from gateway.origins import Origin
from gateway.queries import refresh_tokens, sessions, users
from gateway.queries.refresh_tokens import RefreshToken
from gateway.queries.users import Credentials, User
from gateway.tokens import Tokens

RETRY_SECONDS = 10
WRONG = "wrong user name or password"
NOT_VALID = "the refresh token is not valid"


@dataclass(frozen=True)
class SignIn:
    """Everything that signing in needs."""

    pool: Pool
    tokens: Tokens
    refresh_seconds: int
    hashing: Hashing = field(default_factory=Hashing)

    async def login(self, username: str, password: str, origin: Origin) -> AuthResponse:
        """A first pair of tokens; an unknown name, a wrong password and an inactive user look and last the same."""
        self.hashing.refuse_crowd()
        username = accounts.normal(username)
        who, place = tries.account(username), tries.address(origin.address)
        await tries.take(self.pool, place, who)
        async with self.pool.connection() as conn:
            known = await users.find_credentials(conn, username)
        stored = known.password_hash if known else passwords.NOBODY
        matches = await self.hashing.matches(stored, password)
        if known is None or not matches or not known.is_active:
            await self._note_failure(known, username, origin)
            raise NotSignedIn(WRONG)
        renewed = await self.hashing.hashed(password) if passwords.is_dated(stored) else None
        async with self.pool.connection() as conn:
            if not await users.lock_password(conn, known.user_id, stored):  # it was changed while we compared
                raise NotSignedIn(WRONG)
            await tries.forgive(conn, who, place)
            if renewed is not None:
                await account_queries.save_password_hash(conn, known.user_id, renewed)
            return await self.begin(conn, known.user_id, origin)

    async def begin(self, conn: Connection, user_id: int, origin: Origin) -> AuthResponse:
        """Sign in somebody who has shown that they may."""
        session_id, token = uuid4(), tokens.new()
        await users.mark_login(conn, user_id)
        await sessions.forget_expired(conn, user=user_id)
        user = await users.find_user(conn, user_id)
        if user is None:
            raise NotSignedIn(WRONG)
        await sessions.save_session(
            conn,
            session_id,
            user=user_id,
            lives_seconds=self.refresh_seconds,
            user_agent=origin.user_agent,
            address=origin.address,
        )
        await audit.note(conn, "signed in", user=user_id, address=origin.address, session=str(session_id))
        return self._answer(user, session_id, token, await self._save(conn, token, session_id, user_id))

    async def refresh(self, token: str, origin: Origin) -> AuthResponse:
        """The next pair. A retry within seconds gets the same answer; a later use of a used token ends the sign-in."""
        async with self.pool.connection() as conn:
            found = await self._find(conn, token)
            user = await users.find_user(conn, found.user_id)
            if user is not None and (found.used_at is None or found.is_retry):
                return await self._pass_on(conn, token, found, user, origin)
            await sessions.forget_session(conn, found.session_id, user=found.user_id)
            about = "a refresh token was used twice" if user else "the user is not active"
            await audit.note(
                conn,
                "sign-in ended",
                user=found.user_id,
                address=origin.address,
                about=about,
                session=str(found.session_id),
            )
        raise NotSignedIn("the refresh token was used before: sign in again")

    async def logout(self, token: str) -> None:
        """End the sign-in that a refresh token belongs to."""
        async with self.pool.connection() as conn:
            found = await self._find(conn, token)
            await sessions.forget_session(conn, found.session_id, user=found.user_id)

    async def _note_failure(self, known: Credentials | None, username: str, origin: Origin) -> None:
        """The name is not kept where nobody has it: people type their passwords there."""
        async with self.pool.connection() as conn:
            about = username if known else "an unknown name"
            await audit.note(conn, "sign-in failed", user=None, address=origin.address, about=about)

    async def _find(self, conn: Connection, token: str) -> RefreshToken:
        found = await refresh_tokens.lock_token(conn, tokens.digest(token), retry_seconds=RETRY_SECONDS)
        if found is None or found.is_dead:
            raise NotSignedIn(NOT_VALID)
        return found

    async def _pass_on(
        self, conn: Connection, token: str, found: RefreshToken, user: User, origin: Origin
    ) -> AuthResponse:
        successor, issued = self.tokens.successor(token), found.used_at
        if issued is None:
            await refresh_tokens.mark_used(conn, tokens.digest(token))
            await refresh_tokens.forget_expired(conn, found.session_id)
            await sessions.mark_used(
                conn,
                found.session_id,
                lives_seconds=self.refresh_seconds,
                user_agent=origin.user_agent,
                address=origin.address,
            )
            issued = await self._save(conn, successor, found.session_id, user.user_id)
        return self._answer(user, found.session_id, successor, issued)

    async def _save(self, conn: Connection, token: str, session_id: UUID, user_id: int) -> datetime:
        return await refresh_tokens.save_token(
            conn, tokens.digest(token), session_id=session_id, user_id=user_id, lives_seconds=self.refresh_seconds
        )

    def _answer(self, user: User, session_id: UUID, refresh_token: str, issued: datetime) -> AuthResponse:
        return AuthResponse(
            user=user,
            token=self.tokens.access(user, session_id, issued),
            refresh_token=refresh_token,
            expires_at=issued.replace(microsecond=0) + timedelta(seconds=self.tokens.access_seconds),
        )
