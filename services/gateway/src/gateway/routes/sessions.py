"""Signing in, staying signed in, and ending it, here and elsewhere."""

from uuid import UUID

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from common import account_queries
from common.db import Connection
from gateway import audit, cursors
from gateway.account_schemas import (
    AuthResponse,
    LoginRequest,
    Me,
    RefreshRequest,
    RegisterRequest,
    SessionList,
    SessionView,
)
from gateway.auth import SignIn
from gateway.declared import may
from gateway.errors import Conflict, Forbidden, NotFound, NotSignedIn, TooManyTries
from gateway.origins import Origin
from gateway.paging import Limit
from gateway.policies import ACCOUNT, PUBLIC, SIGNED_IN, Caller
from gateway.queries import quotas, sessions
from gateway.queries.sessions import Cursor
from gateway.queries.users import User
from gateway.registering import Registration
from gateway.schemas import Envelope, Message


@post("/auth/register", status_code=200, opt=PUBLIC | may(Conflict, Forbidden, NotSignedIn, TooManyTries))
async def register(
    data: JSONBody[RegisterRequest], registration: NamedDependency[Registration], origin: NamedDependency[Origin]
) -> Envelope[AuthResponse]:
    """Become a user and sign in: the first with `setup_token`, others with `invite`; 403 says what is missing."""
    return Envelope(data=await registration.register(data, origin))


@post("/auth/login", status_code=200, opt=PUBLIC | may(NotSignedIn, TooManyTries))
async def login(
    data: JSONBody[LoginRequest], sign_in: NamedDependency[SignIn], origin: NamedDependency[Origin]
) -> Envelope[AuthResponse]:
    """A pair of tokens for a name and a password; 429 after ten wrong ones within a quarter of an hour."""
    return Envelope(data=await sign_in.login(data.username, data.password, origin))


@post("/auth/refresh", status_code=200, opt=PUBLIC | may(NotSignedIn))
async def refresh(
    data: JSONBody[RefreshRequest], sign_in: NamedDependency[SignIn], origin: NamedDependency[Origin]
) -> Envelope[AuthResponse]:
    """A new pair for a refresh token, which is used up by it; a second use ends the sign-in."""
    return Envelope(data=await sign_in.refresh(data.refresh_token, origin))


@post("/auth/logout", status_code=200, opt=PUBLIC | may(NotSignedIn))
async def logout(data: JSONBody[RefreshRequest], sign_in: NamedDependency[SignIn]) -> Envelope[None]:
    """End a sign-in: none of its tokens is worth anything any more."""
    await sign_in.logout(data.refresh_token)
    return Envelope()


@get("/auth/me", opt=SIGNED_IN)
async def me(
    conn: NamedDependency[Connection], user: NamedDependency[User], caller: NamedDependency[Caller]
) -> Envelope[Me]:
    """Who the caller is, what they may do: all, or what the key's scopes allow; and how much of it they have stored."""
    scopes = sorted(scope for scope in caller.scopes if scope != "admin" or user.is_admin)
    return Envelope(
        data=Me(
            user_id=user.user_id,
            username=user.username,
            email=user.email,
            created_at=user.created_at,
            is_active=user.is_active,
            is_admin=user.is_admin,
            last_login=user.last_login,
            scopes=scopes,
            key_id=caller.key_id,
            usage=await quotas.find_usage(conn, user.user_id),
        )
    )


@get("/auth/sessions", opt=ACCOUNT)
async def list_sessions(
    conn: NamedDependency[Connection],
    caller: NamedDependency[Caller],
    limit: Limit = 20,
    after: FromQuery[str | None] = None,
) -> Envelope[SessionList]:
    """Where the caller is signed in, the last used first; `after` takes the `next` before."""
    start = None if after is None else cursors.read(after, Cursor)
    found = await sessions.list_sessions(conn, user=caller.user.user_id, after=start, limit=limit)
    end = Cursor(used_at=found[-1].used_at, session_id=found[-1].session_id) if len(found) == limit else None
    page = [SessionView(session=one, is_this=one.session_id == caller.session_id) for one in found]
    return Envelope(data=SessionList(sessions=page, limit=limit, next=cursors.write(end)))


@delete("/auth/sessions/{session_id:uuid}", status_code=200, opt=ACCOUNT)
async def end_session(
    conn: NamedDependency[Connection], caller: NamedDependency[Caller], session_id: FromPath[UUID]
) -> Envelope[Message]:
    """End one of the caller's sign-ins: its tokens are worth nothing from now on."""
    if not await sessions.forget_session(conn, session_id, user=caller.user.user_id):
        raise NotFound(f"no session {session_id}")
    await audit.note(conn, "sign-in ended", caller, session=str(session_id))
    return Envelope(data=Message(message="the sign-in has ended"))


@delete("/auth/sessions", status_code=200, opt=ACCOUNT)
async def end_others(conn: NamedDependency[Connection], caller: NamedDependency[Caller]) -> Envelope[Message]:
    """End all sign-ins of the caller but the one that asks."""
    count = await account_queries.forget_sessions(conn, caller.user.user_id, but=caller.session_id)
    await audit.note(conn, "other sign-ins ended", caller, count=count)
    return Envelope(data=Message(message=f"{count} other sign-ins have ended"))


SIGNING = [register, login, refresh, logout]
HANDLERS = [me, list_sessions, end_session, end_others]
