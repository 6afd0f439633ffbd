"""Other people than anna, as tests need them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common import passwords
from common.db import Pool
from tests.support import given
from tests.support.gateway import Api, new_client
from tests.support.given import User

PASSWORD = "correct horse battery staple"
HASHED = passwords.hashed(PASSWORD)


async def person(pool: Pool, username: str, *, is_admin: bool = False) -> User:
    """Somebody who can sign in."""
    made = await given.new_user(pool, username, PASSWORD, password_hash=HASHED)
    if is_admin:
        async with pool.connection() as conn:
            await conn.execute("update users set is_admin = true where user_id = %s", (made.user_id,))
    return made


@asynccontextmanager
async def signed_in(api: Api, user: User) -> AsyncIterator[Api]:
    """The same gateway with a client of its own, which is signed in as somebody."""
    async with new_client(api.client.base_url) as client:
        own = Api(client, api.port, api.pool)
        await own.enter(user.username)
        yield own
