"""Signing in, staying signed in, signing out."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from gateway.auth import SignIn
from gateway.queries.users import User
from gateway.schemas import AuthResponse, Envelope, LoginRequest, RefreshRequest


@post("/auth/login", status_code=200)
async def login(data: JSONBody[LoginRequest], sign_in: NamedDependency[SignIn]) -> Envelope[AuthResponse]:
    """A pair of tokens for a name and a password."""
    return Envelope(data=await sign_in.login(data.username, data.password))


@post("/auth/refresh", status_code=200)
async def refresh(data: JSONBody[RefreshRequest], sign_in: NamedDependency[SignIn]) -> Envelope[AuthResponse]:
    """A new pair for a refresh token, which is used up by it; a second use ends the sign-in."""
    return Envelope(data=await sign_in.refresh(data.refresh_token))


@post("/auth/logout", status_code=200)
async def logout(data: JSONBody[RefreshRequest], sign_in: NamedDependency[SignIn]) -> Envelope[None]:
    """End a sign-in: none of its refresh tokens is worth anything any more."""
    await sign_in.logout(data.refresh_token)
    return Envelope()


@get("/auth/me")
async def me(user: NamedDependency[User]) -> Envelope[User]:
    """Who the caller is."""
    return Envelope(data=user)
