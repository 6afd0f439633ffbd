"""Becoming a user: once without anybody's leave, by invitation afterwards, and freely only where that is wanted."""

import asyncio
from typing import Any

import pytest

from common.db import Pool
from tests.support import people
from tests.support.gateway import Api, serving
from tests.support.rows import ask, do

REGISTER = "/api/v1/auth/register"
SETUP = "sixteen letters or more"
PASSWORD = people.PASSWORD


async def register(api: Api, username: str = "carla", **more: Any) -> Any:
    body = {"username": username, "email": f"{username}@example.org", "password": PASSWORD}
    return await api.client.post(REGISTER, json=body | more)


async def test_the_first_user_shows_the_setup_token_and_administers(pool: Pool) -> None:
    """Whoever knows the token becomes the administrator of an empty installation; it is worth nothing after that."""
    async with serving(pool, setup_token=SETUP) as api:
        refused = [await register(api), await register(api, setup_token="another token of some length")]
        first = await register(api, setup_token=SETUP)
        second = await register(api, "berta", setup_token=SETUP)

    assert [answer.status_code for answer in (*refused, first, second)] == [403, 403, 200, 403]
    assert "LUMILIO_SETUP_TOKEN" in refused[0].json()["error"]
    data = first.json()["data"]
    assert set(data) == {"user", "token", "refreshToken", "expiresAt"}
    assert (data["user"]["username"], data["user"]["is_admin"]) == ("carla", True)
    assert await ask(pool, "select username from users") == ["carla"]


async def test_of_many_who_come_first_one_is(pool: Pool) -> None:
    """A race for the first account makes one administrator and nobody else."""
    async with serving(pool, setup_token=SETUP) as api:
        answers = await asyncio.gather(*(register(api, f"user{n}", setup_token=SETUP) for n in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200, 403, 403, 403, 403, 403]
    assert await ask(pool, "select count(*) from users") == [1]


async def test_without_a_setup_token_nobody_is_the_first(pool: Pool) -> None:
    """An installation that is open to all gives its administration to nobody who comes along."""
    async with serving(pool, open_registration=True) as api:
        refused = [await register(api), await register(api, setup_token="")]

    assert [answer.status_code for answer in refused] == [403, 400]
    assert await ask(pool, "select count(*) from users") == [0]


async def test_an_invitation_lets_one_person_in(api: Api, pool: Pool) -> None:
    """With what its maker said of them, once, and not after its time or when its maker administers no more."""
    boss = await people.person(pool, "boss", is_admin=True)
    async with people.signed_in(api, boss) as admin:
        wish = {"quota_bytes": 1000, "is_admin": True}
        invites = [(await admin.client.post("/api/v1/users", json=wish)).json()["data"]["invite"] for _ in range(3)]
    tokens = [invite["token"] for invite in invites]

    both = await asyncio.gather(register(api, invite=tokens[0]), register(api, "dora", invite=tokens[0]))
    await do(pool, "update invites set expires_at = now() where invite_id = 2")
    late = await register(api, "dora", invite=tokens[1])
    await do(pool, "update users set is_admin = false where username = 'boss'")
    unfounded = await register(api, "dora", invite=tokens[2])
    uninvited = await register(api, "dora")

    assert sorted(answer.status_code for answer in both) == [200, 403]
    assert await ask(pool, "select is_admin, quota_bytes from users where quota_bytes is not null") == [(True, 1000)]
    assert [answer.status_code for answer in (late, unfounded, uninvited)] == [403] * 3
    assert "ask an administrator" in uninvited.json()["error"]
    kept = str(await ask(pool, "select invites::text from invites"))
    assert not any(token in kept for token in tokens)


async def test_invitations_are_listed_and_taken_back(api: Api, pool: Pool) -> None:
    """Those that count, the newest first and without what they say; one that is taken back lets nobody in."""
    boss = await people.person(pool, "boss", is_admin=True)
    async with people.signed_in(api, boss) as admin:
        invites = [(await admin.client.post("/api/v1/users", json={})).json()["data"]["invite"] for _ in range(4)]
        await do(pool, "update invites set expires_at = now() where invite_id = 1")
        await register(api, invite=invites[1]["token"])

        page = (await admin.client.get("/api/v1/invites", params={"limit": 1})).json()["data"]
        rest = (await admin.client.get("/api/v1/invites", params={"after": page["next"]})).json()["data"]
        back, again = [await admin.client.delete("/api/v1/invites/4") for _ in range(2)]
    late = await register(api, "dora", invite=invites[3]["token"])

    assert [one["invite_id"] for one in page["invites"] + rest["invites"]] == [4, 3]
    assert (page["invites"][0]["username"], page["invites"][0]["is_admin"]) == ("boss", False)
    assert not [one for one in invites if one["token"] in str(page)]
    assert (back.status_code, again.status_code, late.status_code) == (200, 404, 403)
    assert await ask(pool, "select about from audit where action = 'invitation taken back'") == ["invitation 4"]


async def test_an_open_server_takes_everybody_as_an_ordinary_user(pool: Pool) -> None:
    """Who registers freely administers nothing, and signs in with what they said."""
    await people.person(pool, "boss", is_admin=True)
    async with serving(pool, open_registration=True) as api:
        made = await register(api, "ca\u0301rla", email=" carla@example.org ")
        again = await api.login("c\u00e1rla", PASSWORD)
        await api.login("CA\u0301RLA", PASSWORD)

    assert (made.status_code, made.json()["data"]["user"]["is_admin"]) == (200, False)
    assert again["user"]["email"] == "carla@example.org"


async def test_a_taken_name_or_address_is_a_conflict(pool: Pool) -> None:
    """By whatever case of letters, so that nobody is mistaken for somebody else."""
    await people.person(pool, "Boss", is_admin=True)
    async with serving(pool, open_registration=True) as api:
        await register(api)
        taken = [await register(api, "CARLA", email="x@example.org"), await register(api, "boss")]
        taken.append(await register(api, "dora", email="Carla@Example.org"))

    assert [answer.status_code for answer in taken] == [409] * 3


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"username": "ab"}, "3 to 50"),
        ({"username": "x" * 51}, "3 to 50"),
        ({"username": " carla"}, "spaces"),
        ({"username": "car\u202ela"}, "seen"),
        ({"username": "car\0la"}, "seen"),
        ({"email": "nobody"}, "example.org"),
        ({"email": "a b@example.org"}, "example.org"),
        ({"email": "x" * 250 + "@example.org"}, "example.org"),
        ({"password": "seven77"}, "at least 8"),
        ({"password": "\ufb03\ufb03"}, "at least 8"),
        ({"password": "x" * 257}, "at most 256"),
        ({"password": "\ufdfa" * 100}, "at most 256"),
    ],
)
async def test_what_cannot_be_is_told(pool: Pool, wrong: dict[str, str], word: str) -> None:
    """Names, addresses and passwords have their limits, after NFKC, and the answer says which."""
    async with serving(pool, setup_token=SETUP) as api:
        answer = await register(api, setup_token=SETUP, **wrong)

    assert (answer.status_code, word in answer.json()["error"]) == (400, True), answer.text


async def test_a_password_is_the_same_however_it_is_composed(pool: Pool) -> None:
    """Keyboards send the same letters in different forms; no composition of letters is asked for."""
    async with serving(pool, setup_token=SETUP) as api:
        made = await register(api, setup_token=SETUP, password="o\u0308ffnen!!")
        composed = await api.login("carla", "\u00f6ffnen!!")
        ligature = await api.login("carla", "\u00f6\ufb00nen!!")

    assert (made.status_code, composed["user"], ligature["user"]["username"]) == (200, composed["user"], "carla")
