"""Changing a password, and choosing one when the old one is lost."""

from litestar import post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from common.db import Pool
from gateway import accounts
from gateway.account_schemas import PasswordChange, ResetRequest
from gateway.auth import SignIn
from gateway.declared import may
from gateway.errors import Forbidden, TooManyTries
from gateway.origins import Origin
from gateway.policies import ACCOUNT, PUBLIC, Caller
from gateway.schemas import Envelope, Message


@put("/auth/password", opt=ACCOUNT | may(TooManyTries))
async def change_password(
    pool: NamedDependency[Pool],
    sign_in: NamedDependency[SignIn],
    caller: NamedDependency[Caller],
    data: JSONBody[PasswordChange],
) -> Envelope[Message]:
    """Take another password, by showing the old one; every other sign-in of the caller ends."""
    ended = await accounts.change_password(pool, sign_in.hashing, data, caller)
    return Envelope(data=Message(message=f"the password is changed; {ended} other sign-ins have ended"))


@post("/auth/reset", status_code=200, opt=PUBLIC | may(Forbidden, TooManyTries))
async def reset_password(
    pool: NamedDependency[Pool],
    sign_in: NamedDependency[SignIn],
    data: JSONBody[ResetRequest],
    origin: NamedDependency[Origin],
) -> Envelope[Message]:
    """Choose a password with the token that an administrator made; every sign-in of before ends."""
    await accounts.reset(pool, sign_in.hashing, data, origin)
    return Envelope(data=Message(message="the password is changed: sign in with it"))


SIGNING = [reset_password]
HANDLERS = [change_password]
