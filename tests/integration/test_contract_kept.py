"""The server keeps its contract, whoever asks whatever."""

import asyncio
from uuid import uuid4

import pytest

from common import passwords
from common.db import Pool
from tests.support import given
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.guessing import Guesser, token


@pytest.fixture
async def berta(pool: Pool, user: User) -> User:
    """An administrator besides anna."""
    made = await given.new_user(pool, "berta", user.password, password_hash=passwords.hashed(user.password))
    async with pool.connection() as conn:
        await conn.execute("update users set is_admin = true where user_id = %s", (made.user_id,))
    return made


async def test_no_guess_finds_what_the_contract_does_not_say(
    api: Api, pool: Pool, user: User, berta: User, repository: Repository
) -> None:
    """No guess of two people and of nobody breaks the server, opens it, or gets an answer of another shape."""
    carla = await given.new_user(pool, "carla", user.password, password_hash=passwords.hashed(user.password))
    url = f"http://127.0.0.1:{api.port}"
    assets = [(await api.uploaded(b"\xff\xd8\xff\xe0" + bytes([one]) * 300))["asset_id"] for one in range(3)]
    known = {
        "asset_id": assets,
        "repository_id": [str(repository.repository_id)],
        "stage": ["render", "place"],
        "task_id": ["1", "2"],
        "user_id": [str(carla.user_id)],
        "session_id": [str(uuid4())],
    }

    people = [user.username, berta.username]
    guesser = Guesser(url, lambda name: token(url, name, user.password), people, known, examples=2)
    await asyncio.to_thread(guesser.guess)

    assert not guesser.found, "\n\n".join(guesser.told())
    assert guesser.asked["2xx"] > 30
