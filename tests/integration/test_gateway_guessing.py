"""Guessing passwords is slow, for a name and from an address, and keeps nobody out who is in."""

import asyncio
import resource
from collections.abc import AsyncIterator

import pytest

from common.db import Pool
from gateway import tries
from gateway.hashing import AT_ONCE, MOST_PENDING, Hashing
from tests.support.gateway import Api, serving
from tests.support.given import User
from tests.support.rows import ask, do

LOGIN = "/api/v1/auth/login"


@pytest.fixture
async def api(pool: Pool, user: User) -> AsyncIterator[Api]:
    async with serving(pool) as served:
        yield served


async def guess(api: Api, username: str, password: str = "a wrong guess") -> int:
    answer = await api.client.post(LOGIN, json={"username": username, "password": password})
    return answer.status_code


async def test_a_hundred_guesses_lock_the_name_for_a_quarter_of_an_hour(api: Api, user: User, pool: Pool) -> None:
    """Ten are compared, however many come at once, then not even the right one; who is signed in stays so."""
    signed_in = await api.login(user.username, user.password)

    guesses_made = await asyncio.gather(*(guess(api, user.username) for _ in range(50)))
    guesses_made += [await guess(api, user.username.upper()) for _ in range(50)]
    right = await api.client.post(LOGIN, json={"username": user.username, "password": user.password})

    assert (guesses_made.count(401), guesses_made.count(429)) == (10, 90)
    assert right.status_code == 429
    assert 14 * 60 < int(right.headers["retry-after"]) <= 15 * 60
    assert await ask(pool, "select count(*) from audit where action = 'sign-in failed'") == [10]
    assert (await api.client.get("/api/v1/auth/me")).status_code == 200
    again = await api.client.post("/api/v1/auth/refresh", json={"refreshToken": signed_in["refreshToken"]})
    assert again.status_code == 200


async def test_a_lock_survives_a_restart_and_ends_by_itself(api: Api, user: User, pool: Pool) -> None:
    """Neither a new gateway nor a lucky moment opens it before its time; after it the right password does."""
    assert [await guess(api, user.username) for _ in range(11)][-2:] == [401, 429]

    async with serving(pool) as renewed:
        assert await guess(renewed, user.username, user.password) == 429
        await do(pool, "update tries set ends_at = now()")
        assert await guess(renewed, user.username, user.password) == 200
    assert await ask(pool, "select count(*) from tries where count > 0") == [0]


async def test_tries_of_long_ago_are_forgotten(api: Api, user: User, pool: Pool) -> None:
    """Names that somebody once tried do not pile up, whether anybody ever succeeds or not."""
    for number in range(5):
        await guess(api, f"name {number}")
    await do(pool, "update tries set ends_at = now() - interval '1 s'")

    await guess(api, "another name")

    assert await ask(pool, "select count(*) from tries where ends_at < now()") == [0]


async def test_names_that_nobody_has_are_locked_the_same(api: Api, user: User) -> None:
    """Nobody learns from a lock whether there is such a user."""
    known = [await guess(api, user.username) for _ in range(12)]
    unknown = [await guess(api, "nobody") for _ in range(12)]

    assert known == unknown == [401] * 10 + [429] * 2


async def test_an_address_has_a_hundred_tries(api: Api, user: User, pool: Pool) -> None:
    """Who guesses a password for many names is stopped as well, and what succeeds is not counted."""
    await api.login(user.username, user.password)
    await do(pool, "update tries set count = 97")

    codes = [await guess(api, f"name {number}") for number in range(5)]

    assert codes == [401, 401, 401, 429, 429]
    assert await guess(api, user.username, user.password) == 429


async def test_a_right_password_forgets_the_wrong_ones(api: Api, user: User) -> None:
    """A person who mistypes now and then is never kept out."""
    for _ in range(3):
        assert [await guess(api, user.username) for _ in range(9)] == [401] * 9
        assert await guess(api, user.username, user.password) == 200


async def test_odd_passwords_are_wrong_ones(api: Api, user: User) -> None:
    """A megabyte, a NUL and nothing at all are answered like any other wrong password."""
    assert await guess(api, user.username, "x" * 1_000_000) == 401
    assert await guess(api, user.username, user.password + "\0") == 401
    assert await guess(api, user.username, "") == 401
    assert await guess(api, "nobody", "\ufdfa" * 1024) == 401


async def test_a_flood_takes_no_memory(api: Api, user: User, pool: Pool) -> None:
    """Two hundred sign-ins at once are answered or put off; of the hashes, 19 MiB each, two are made at once."""
    await api.login(user.username, user.password)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    codes = await asyncio.gather(*(guess(api, f"name {number}") for number in range(200)))

    assert set(codes) <= {401, 429, 503}
    assert codes.count(401) >= 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    assert (await api.client.get("/api/v1/auth/me")).status_code == 200


async def test_more_than_wait_are_put_off_uncounted() -> None:
    """The queue for hashing has an end, and two at once are hashed."""
    hashing = Hashing()
    wanted = [asyncio.create_task(hashing.hashed("a password")) for _ in range(MOST_PENDING + 10)]

    found = await asyncio.gather(*wanted, return_exceptions=True)

    assert sum(isinstance(one, str) for one in found) == MOST_PENDING
    assert len(hashing.threads._threads) == AT_ONCE
    assert hashing.pending == 0


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::3", "2001:db8:1:2:ffff::4", True),
        ("2001:db8:1:2::3", "2001:db8:1:3::3", False),
        ("", "no address", False),
    ],
)
def test_neighbours_in_an_ipv6_network_are_one(one: str, other: str, are_same: bool) -> None:
    """A customer has 2^64 addresses, and is one all the same."""
    assert (tries.address(one) == tries.address(other)) == are_same
