"""Administering people: who is made, changed and kept out, and that somebody always can."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from common.db import Pool
from tests.support import people
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask, do

USERS = "/api/v1/users"
ME = "/api/v1/auth/me"


@pytest.fixture
async def boss(pool: Pool) -> User:
    return await people.person(pool, "boss", is_admin=True)


@pytest.fixture
async def admin(api: Api, boss: User) -> AsyncIterator[Api]:
    """A client that is signed in as an administrator, beside anna's."""
    async with people.signed_in(api, boss) as client:
        yield client


async def change(admin: Api, user: User, **wanted: Any) -> Any:
    return await admin.client.patch(f"{USERS}/{user.user_id}", json=wanted)


async def test_only_administrators_see_users(api: Api, admin: Api, user: User) -> None:
    """For everybody else it is 403, whatever they ask about users or the audit."""
    asked = [
        ("GET", USERS),
        ("POST", USERS),
        ("GET", f"{USERS}/{user.user_id}"),
        ("PATCH", f"{USERS}/{user.user_id}"),
        ("POST", f"{USERS}/{user.user_id}/reset"),
        ("GET", "/api/v1/audit"),
    ]

    codes = [(await api.client.request(method, path, json={})).status_code for method, path in asked]

    assert codes == [403] * len(asked)
    assert (await admin.client.get(USERS)).status_code == 200


async def test_users_are_listed_by_pages(admin: Api, pool: Pool, user: User, boss: User) -> None:
    """Every user once, and no password in any form."""
    others = [await people.person(pool, f"user{number}") for number in range(3)]
    seen: list[Any] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await admin.client.get(USERS, params=query)).json()["data"]
        seen += page["users"]
        if "next" not in page:
            break
        query["after"] = page["next"]

    assert sorted(one["user_id"] for one in seen) == sorted(one.user_id for one in (user, boss, *others))
    assert "password" not in str(seen)
    assert (await admin.client.get(USERS, params={"limit": 101})).status_code == 400


async def test_a_made_user_signs_in(api: Api, admin: Api) -> None:
    """With the password that the administrator chose, and with the quotas; half a user is refused."""
    wish = {"username": "dora", "email": "dora@example.org", "password": people.PASSWORD, "quota_files": 5}
    made = (await admin.client.post(USERS, json=wish)).json()["data"]["user"]

    assert (made["username"], made["quota_files"], made["quota_bytes"], made["is_admin"]) == ("dora", 5, None, False)
    assert (await api.login("dora", people.PASSWORD))["user"]["user_id"] == made["user_id"]
    assert (await admin.client.post(USERS, json=wish)).status_code == 409
    assert (await admin.client.post(USERS, json={"username": "emil"})).status_code == 400
    assert (await admin.client.get(f"{USERS}/{made['user_id']}")).json()["data"]["email"] == "dora@example.org"
    assert (await admin.client.get(f"{USERS}/999")).status_code == 404


async def test_a_change_is_only_what_was_said(admin: Api, user: User) -> None:
    """What is not named stays, and null takes a quota away."""
    first = (await change(admin, user, quota_bytes=10, email="new@example.org")).json()["data"]
    second = (await change(admin, user, quota_bytes=None, quota_files=3)).json()["data"]

    assert (first["quota_bytes"], first["email"], first["username"]) == (10, "new@example.org", "anna")
    assert (second["quota_bytes"], second["quota_files"], second["email"]) == (None, 3, "new@example.org")
    assert (await change(admin, user, email="boss@localhost")).status_code == 409
    assert (await change(admin, user, quota_bytes=-1)).status_code == 400
    assert (await change(admin, user, nothing=1)).status_code == 400


async def test_who_is_deactivated_is_out_and_comes_back_by_signing_in(api: Api, admin: Api, user: User) -> None:
    """No sign-in of before counts afterwards, nor after they are let in again."""
    assert (await change(admin, user, is_active=False)).json()["data"]["is_active"] is False
    out = (await api.client.get(ME)).status_code
    assert (await change(admin, user, is_active=True)).status_code == 200
    still = (await api.client.get(ME)).status_code

    assert (out, still) == (401, 401)
    await api.login(user.username, user.password)
    assert (await api.client.get(ME)).status_code == 200


async def test_the_last_administrator_stays(admin: Api, boss: User, user: User, pool: Pool) -> None:
    """Neither demoted nor deactivated, also when two of the last two do it to each other at once."""
    assert [(await change(admin, boss, **one)).status_code for one in ({"is_admin": False}, {"is_active": False})] == [
        409,
        409,
    ]
    assert (await change(admin, user, is_admin=True)).status_code == 200

    both = await asyncio.gather(change(admin, user, is_admin=False), change(admin, boss, is_active=False))

    assert sorted(answer.status_code for answer in both) == [200, 409]
    assert await ask(pool, "select count(*) from users where is_admin and is_active") == [1]


async def test_a_changed_password_ends_other_sign_ins(api: Api, user: User) -> None:
    """It takes the old one to change it; whoever changes it stays signed in, here and nowhere else."""
    async with people.signed_in(api, user) as elsewhere:
        wrong = await api.client.put(
            "/api/v1/auth/password", json={"old_password": "not it at all", "new_password": "another one"}
        )
        right = await api.client.put(
            "/api/v1/auth/password", json={"old_password": user.password, "new_password": "another one"}
        )

        assert (wrong.status_code, right.status_code) == (403, 200), right.text
        assert (await elsewhere.client.get(ME)).status_code == 401
    assert (await api.client.get(ME)).status_code == 200
    await api.login(user.username, "another one")


async def test_guessing_the_old_password_is_slow(api: Api, user: User) -> None:
    """Whoever finds an open page does not find out the password there."""
    body = {"old_password": "a guess", "new_password": "another one"}
    codes = [(await api.client.put("/api/v1/auth/password", json=body)).status_code for _ in range(12)]

    assert codes == [403] * 10 + [429] * 2


async def test_a_lost_password_is_chosen_anew_once(api: Api, admin: Api, user: User, pool: Pool) -> None:
    """By a token that an administrator hands over: the latest, within its day, for one use; it unlocks the name."""
    paths = [f"{USERS}/{user.user_id}/reset"] * 2
    older, token = [(await admin.client.post(path)).json()["data"]["token"] for path in paths]
    wrong = {"username": user.username, "password": "a wrong guess"}
    assert [(await api.client.post("/api/v1/auth/login", json=wrong)).status_code for _ in range(11)][-1] == 429

    def reset(token: str) -> Any:
        return api.client.post("/api/v1/auth/reset", json={"token": token, "password": "a new password"})

    codes = [(await reset(older)).status_code]
    codes += sorted(answer.status_code for answer in await asyncio.gather(reset(token), reset(token)))

    assert codes == [403, 200, 403]
    assert (await api.client.get(ME)).status_code == 401
    await api.login(user.username, "a new password")
    late = (await admin.client.post(paths[0])).json()["data"]["token"]
    assert late not in str(await ask(pool, "select password_resets::text from password_resets"))
    await do(pool, "update password_resets set expires_at = now()")
    assert (await reset(late)).status_code == 403


async def test_what_happened_is_read_by_pages(api: Api, admin: Api, user: User, boss: User) -> None:
    """Sign-ins, failures and what administrators did, the latest first, with who did it and no secret."""
    await api.client.post("/api/v1/auth/login", json={"username": user.username, "password": "a wrong guess"})
    await change(admin, user, quota_files=4)
    seen: list[Any] = []
    query: dict[str, Any] = {"limit": 2}
    while "after" not in query or query["after"]:
        page = (await admin.client.get("/api/v1/audit", params=query)).json()["data"]
        seen += page["entries"]
        query["after"] = page.get("next")

    assert [one["action"] for one in seen] == ["user changed", "sign-in failed", "signed in", "signed in"]
    assert (seen[0]["user_id"], seen[0]["username"], seen[0]["about"]) == (boss.user_id, "boss", f"user {user.user_id}")
    assert (seen[0]["details"], seen[0]["address"]) == ({"quota_files": 4}, "127.0.0.1")
    assert user.password not in str(seen)
    chosen = (await admin.client.get("/api/v1/audit", params={"action": "sign-in failed"})).json()["data"]["entries"]
    assert [one["about"] for one in chosen] == ["anna"]


async def test_nobody_rewrites_what_happened(api: Api, pool: Pool) -> None:
    """The database refuses to change or remove a line, and to empty the table."""
    for statement in ("update audit set action = 'x'", "delete from audit", "truncate audit"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ever added to"):
            await do(pool, statement)

    assert await ask(pool, "select count(*) > 0 from audit") == [True]


async def test_what_administrators_and_owners_did_is_written_down(
    admin: Api, api: Api, pool: Pool, repository: Repository
) -> None:
    """Pausing work, choosing a repository and having photos go for good leave a line each."""
    asset = (await api.uploaded())["asset_id"]
    await api.client.delete(f"/api/v1/assets/{asset}")
    await admin.client.post("/api/v1/stages/render/pause", json={"reason": "a storm", "minutes": 1})
    await admin.client.post("/api/v1/stages/render/resume")
    await admin.client.put(f"/api/v1/repositories/{repository.repository_id}/default")
    await admin.client.put(f"/api/v1/repositories/{repository.repository_id}/owner", json={"owner": "anna"})
    await admin.client.post(f"/api/v1/repositories/{repository.repository_id}/repair", json={})
    assert (await api.client.post("/api/v1/trash/purge", json={"all": True})).status_code == 200

    told = await ask(pool, "select action, user_id from audit where action <> 'signed in' order by audit_id")

    assert told == [
        ("stage paused", 2),
        ("stage resumed", 2),
        ("repository made default", 2),
        ("repository owner changed", 2),
        ("repository repaired", 2),
        ("trash purged", 1),
    ]
