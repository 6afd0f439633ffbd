"""Who is asking: passwords, access tokens and the refresh tokens that buy new ones."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar
from uuid import UUID, uuid4

import jwt
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from common import passwords
from common.db import Connection, Pool, glance
from gateway.errors import Forbidden, NotSignedIn
from gateway.queries import refresh_tokens, users
from gateway.queries.refresh_tokens import RefreshToken
from gateway.queries.users import Bearer, User
from gateway.schemas import AuthResponse

T = TypeVar("T")
Asked: TypeAlias = ASGIConnection[Any, Any, Any, Any]
ALGORITHM = "HS256"
ISSUER = "lumilio-photos"
CLAIMS = ["exp", "iat", "nbf", "iss", "sub", "user_id", "username"]
LONGEST_TOKEN = 4096
CLOCKS_DIFFER_SECONDS = 10
RETRY_SECONDS = 10
HASHES_AT_ONCE = 2
WRONG = "wrong user name or password"


@dataclass(frozen=True)
class Tokens:
    """Signs and reads tokens; the two kinds are made with different keys."""

    secret: str
    access_seconds: int

    def access(self, user: User, issued: datetime) -> str:
        """A token that says who the caller is; the same user and second give the same token."""
        start = int(issued.timestamp())
        claims = {
            "user_id": user.user_id,
            "username": user.username,
            "exp": start + self.access_seconds,
            "iat": start,
            "nbf": start,
            "iss": ISSUER,
            "sub": str(user.user_id),
        }
        return jwt.encode(claims, self.secret, algorithm=ALGORITHM)

    def read(self, token: str) -> Bearer:
        """Whom a token names, and when it counts; NotSignedIn for anything that we did not sign."""
        try:
            claims = jwt.decode(
                token if len(token) <= LONGEST_TOKEN else "",
                self.secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={"require": CLAIMS, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
            bearer = Bearer(claims["user_id"], begins=max(claims["nbf"], claims["iat"]), ends=claims["exp"])
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise NotSignedIn(f"the token is not valid: {type(error).__name__}") from None
        if any(type(number) is not int for number in bearer) or claims["sub"] != str(bearer.user_id):
            raise NotSignedIn("the token is not valid: it names nobody")
        return bearer

    def successor(self, refresh_token: str) -> str:
        """The one token that a refresh token can be changed for; nobody can tell it without the secret."""
        key = hmac.digest(self.secret.encode(), b"refresh token successor", "sha256")
        return hmac.new(key, refresh_token.encode(), "sha256").hexdigest()


@dataclass(frozen=True)
class SignIn:
    """Everything that signing in needs; few passwords are hashed at once, for each takes 19 MiB."""

    pool: Pool
    tokens: Tokens
    refresh_seconds: int
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))

    async def login(self, username: str, password: str) -> AuthResponse:
        """A first pair of tokens; an unknown name, a wrong password and an inactive user look and last the same."""
        async with self.pool.connection() as conn:
            known = await users.find_credentials(conn, username)
        stored = known.password_hash if known else passwords.NOBODY
        matches = await self._hash(lambda: passwords.matches(stored, password))
        if known is None or not matches or not known.is_active:
            raise NotSignedIn(WRONG)
        renewed = await self._hash(lambda: passwords.hashed(password)) if passwords.is_dated(stored) else None
        return await self._start_family(known.user_id, renewed)

    async def refresh(self, token: str) -> AuthResponse:
        """The next pair. A retry within seconds gets the same answer; a later use of a used token ends the family."""
        async with self.pool.connection() as conn:
            found = await self._find(conn, token)
            user = await users.find_user(conn, found.user_id)
            if user is not None and (found.used_at is None or found.is_retry):
                return await self._pass_on(conn, token, found, user)
            await refresh_tokens.revoke_family(conn, found.family_id)
        raise NotSignedIn("the refresh token was used before: sign in again")

    async def logout(self, token: str) -> None:
        """End the sign-in that a refresh token belongs to."""
        async with self.pool.connection() as conn:
            found = await self._find(conn, token)
            await refresh_tokens.revoke_family(conn, found.family_id)

    async def _hash(self, work: Callable[[], T]) -> T:
        async with self.turn:
            return await asyncio.to_thread(work)

    async def _start_family(self, user_id: int, renewed_hash: str | None) -> AuthResponse:
        token = secrets.token_hex(32)
        async with self.pool.connection() as conn:
            await users.mark_login(conn, user_id)
            await refresh_tokens.forget_expired(conn, user_id)
            if renewed_hash is not None:
                await users.save_password_hash(conn, user_id, renewed_hash)
            user = await users.find_user(conn, user_id)
            if user is None:
                raise NotSignedIn(WRONG)
            return self._answer(user, token, await self._save(conn, token, family_id=uuid4(), user_id=user_id))

    async def _find(self, conn: Connection, token: str) -> RefreshToken:
        found = await refresh_tokens.lock_token(conn, _digest(token), retry_seconds=RETRY_SECONDS)
        if found is None or found.is_dead:
            raise NotSignedIn("the refresh token is not valid")
        return found

    async def _pass_on(self, conn: Connection, token: str, found: RefreshToken, user: User) -> AuthResponse:
        successor, issued = self.tokens.successor(token), found.used_at
        if issued is None:
            await refresh_tokens.mark_used(conn, _digest(token))
            issued = await self._save(conn, successor, family_id=found.family_id, user_id=user.user_id)
        return self._answer(user, successor, issued)

    async def _save(self, conn: Connection, token: str, *, family_id: UUID, user_id: int) -> datetime:
        return await refresh_tokens.save_token(
            conn, _digest(token), family_id=family_id, user_id=user_id, lives_seconds=self.refresh_seconds
        )

    def _answer(self, user: User, refresh_token: str, issued: datetime) -> AuthResponse:
        return AuthResponse(
            user=user,
            token=self.tokens.access(user, issued),
            refresh_token=refresh_token,
            expires_at=issued.replace(microsecond=0) + timedelta(seconds=self.tokens.access_seconds),
        )


def guard(pool: Pool, tokens: Tokens) -> Callable[[Asked, BaseRouteHandler], Awaitable[None]]:
    """Lets a request pass only for an active user, who is looked up every time; the database's clock counts."""

    async def signed_in(request: Asked, _: BaseRouteHandler) -> None:
        bearer = tokens.read(_bearer(request))
        async with glance(pool) as conn:
            user = await users.find_bearer(conn, bearer, leeway=CLOCKS_DIFFER_SECONDS)
        if user is None:
            raise NotSignedIn("the token is not valid: its time is over, or it names nobody")
        request.scope["user"] = user

    return signed_in


def only_admins(request: Asked, _: BaseRouteHandler) -> None:
    """Lets a signed-in request pass only for an administrator."""
    if not request.scope["user"].is_admin:
        raise Forbidden("only an administrator may do this")


def _bearer(request: Asked) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not token or " " in token:
        raise NotSignedIn("send the header `Authorization: Bearer` with a token from /api/v1/auth/login")
    return token


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
