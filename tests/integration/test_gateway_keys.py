"""Keys for programs: what each may do and what none may, until when, and whose they are."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.db import Pool
from gateway.policies import SCOPES
from tests.support import people
from tests.support.gateway import Api
from tests.support.given import User
from tests.support.policies import declared
from tests.support.rows import ask, do

KEYS = "/api/v1/auth/keys"
ME = "/api/v1/auth/me"


async def make(api: Api, *scopes: str, **more: Any) -> Any:
    return await api.client.post(KEYS, json={"name": "a program", "scopes": list(scopes), **more})


@asynccontextmanager
async def using(api: Api, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client that shows a key."""
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(base_url=api.client.base_url, headers=headers, timeout=20) as client:
        yield client


async def test_a_key_opens_what_it_is_for(api: Api, pool: Pool, user: User) -> None:
    """It is shown once, kept as its hash, and says who it is for and what it may do."""
    made = (await make(api, "read")).json()["data"]
    secret, key = made["secret"], made["key"]

    async with using(api, secret) as client:
        me = (await client.get(ME)).json()["data"]
        allowed = await client.get("/api/v1/assets")
        refused = await client.delete(f"/api/v1/assets/{uuid4()}")

    assert (secret[:4], len(secret)) == ("lum_", 68)
    assert (me["user_id"], me["scopes"], me["key_id"]) == (user.user_id, ["read"], key["key_id"])
    assert (allowed.status_code, refused.status_code) == (200, 403)
    assert "`delete`" in refused.json()["error"]
    stored = hashlib.sha256(secret.encode()).digest()
    assert await ask(pool, "select key_hash from api_keys") == [stored]
    listed = (await api.client.get(KEYS)).json()["data"]
    assert [one["key_id"] for one in listed["keys"]] == [key["key_id"]]
    assert secret not in str(listed)


async def test_no_key_does_more_than_its_scope(api: Api, pool: Pool) -> None:
    """Over every route of the server: a key of one scope passes no other, and none manages accounts."""
    boss = await people.person(pool, "boss", is_admin=True)
    raised = []
    async with people.signed_in(api, boss) as admin:
        secrets = {scope: (await make(admin, scope)).json()["data"]["secret"] for scope in sorted(SCOPES)}
    for scope, secret in secrets.items():
        async with using(api, secret) as client:
            for method, path, policy in declared():
                if policy.is_open or (policy.scope in {None, scope} and not policy.by_session):
                    continue
                answer = await client.request(method, path)
                raised += [(scope, method, path)] if answer.status_code != 403 else []

    assert raised == []


async def test_a_key_manages_no_keys_sign_ins_or_passwords(api: Api, pool: Pool) -> None:
    """A stolen key that may do everything makes itself no second one, and outlives no removal of itself."""
    boss = await people.person(pool, "boss", is_admin=True)
    async with people.signed_in(api, boss) as admin:
        made = (await make(admin, *SCOPES)).json()["data"]
        async with using(api, made["secret"]) as client:
            asked = [
                ("POST", KEYS, {"name": "second", "scopes": ["admin"]}),
                ("GET", KEYS, None),
                ("DELETE", f"{KEYS}/{made['key']['key_id']}", None),
                ("PUT", "/api/v1/auth/password", {"old_password": people.PASSWORD, "new_password": "another one"}),
                ("GET", "/api/v1/auth/sessions", None),
                ("DELETE", "/api/v1/auth/sessions", None),
                ("POST", "/api/v1/users", {}),
                ("PATCH", f"/api/v1/users/{boss.user_id}", {"is_admin": True}),
                ("POST", f"/api/v1/users/{boss.user_id}/reset", None),
            ]
            codes = [(await client.request(method, path, json=body)).status_code for method, path, body in asked]

            assert codes == [403] * len(asked)
            assert (await client.get("/api/v1/users")).status_code == 200
            assert (await admin.client.delete(f"{KEYS}/{made['key']['key_id']}")).status_code == 200
            assert (await client.get(ME)).status_code == 401
    assert await ask(pool, "select count(*) from api_keys") == [0]


async def test_administration_by_key_ends_with_the_administrator(api: Api, pool: Pool, user: User) -> None:
    """Nobody else gets such a key; a demoted administrator's does what is left, even after they are promoted again."""
    boss = await people.person(pool, "boss", is_admin=True)
    assert (await make(api, "admin")).status_code == 403
    async with people.signed_in(api, boss) as admin:
        path = f"/api/v1/users/{user.user_id}"
        await admin.client.patch(path, json={"is_admin": True})
        both, alone = [
            (await make(api, *scopes)).json()["data"]["secret"] for scopes in (("admin", "read"), ("admin",))
        ]
        async with using(api, both) as client:
            assert (await client.get("/api/v1/users")).status_code == 200
            await do(pool, f"update users set is_admin = false where user_id = {user.user_id}")
            assert (await client.get("/api/v1/users")).status_code == 403
            await do(pool, f"update users set is_admin = true where user_id = {user.user_id}")
            await admin.client.patch(path, json={"is_admin": False})
            await admin.client.patch(path, json={"is_admin": True})

            assert (await client.get("/api/v1/users")).status_code == 403
            assert (await client.get(ME)).json()["data"]["scopes"] == ["read"]
        async with using(api, alone) as client:
            assert (await client.get(ME)).status_code == 401


async def test_an_administrators_key_without_the_scope_is_anybodys(api: Api, pool: Pool) -> None:
    """Where administrators see more than others on a route for all, such a key does not."""
    boss = await people.person(pool, "boss", is_admin=True)
    async with people.signed_in(api, boss) as admin:
        assert (await admin.client.get("/api/v1/stages", params={"all": True})).status_code == 200
        secret = (await make(admin, "read")).json()["data"]["secret"]
    async with using(api, secret) as client:
        assert (await client.get(ME)).json()["data"]["is_admin"] is False
        assert (await client.get("/api/v1/stages", params={"all": True})).status_code == 403


async def test_a_key_ends_at_its_time_and_with_its_user(api: Api, pool: Pool) -> None:
    """An end that is over is refused; afterwards, or when its user is deactivated, a key opens nothing."""
    soon, gone = datetime.now(UTC) + timedelta(hours=1), datetime.now(UTC) - timedelta(hours=1)
    assert (await make(api, "read", expires_at=gone.isoformat())).status_code == 400
    made = (await make(api, "read", expires_at=soon.isoformat())).json()["data"]

    async with using(api, made["secret"]) as client:
        codes = [(await client.get(ME)).status_code]
        await do(pool, "update users set is_active = false")
        codes.append((await client.get(ME)).status_code)
        await do(pool, "update users set is_active = true")
        codes.append((await client.get(ME)).status_code)
        await do(pool, "update api_keys set expires_at = now()")
        codes.append((await client.get(ME)).status_code)

    assert codes == [200, 401, 200, 401]


async def test_a_use_is_written_down_once_a_minute(api: Api, pool: Pool) -> None:
    """When a key was used last is known to the minute, and a busy key does not keep the database busy."""
    secret = (await make(api, "read")).json()["data"]["secret"]
    async with using(api, secret) as client:
        await client.get(ME)
        first = await ask(pool, "select used_at from api_keys")
        await client.get(ME)
        second = await ask(pool, "select used_at from api_keys")
        await do(pool, "update api_keys set used_at = used_at - interval '61 seconds'")
        await client.get(ME)
        third = await ask(pool, "select used_at from api_keys")

    assert first[0] is not None
    assert first == second
    assert third[0] > second[0] - timedelta(seconds=1)


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "scopes": []},
        {"name": "", "scopes": ["read"]},
        {"name": "a\nb", "scopes": ["read"]},
        {"name": "x" * 101, "scopes": ["read"]},
        {"name": "x", "scopes": ["everything"]},
        {"name": "x", "scopes": ["read"], "expires_at": "2030-01-01T00:00:00"},
        {"name": "x", "scopes": ["read"], "user_id": 1},
    ],
)
async def test_a_key_that_makes_no_sense_is_not_made(api: Api, body: dict[str, Any]) -> None:
    """Scopes that do not exist, names that cannot be read and fields that nobody knows are 400."""
    assert (await api.client.post(KEYS, json=body)).status_code == 400


async def test_keys_of_others_are_not_there(api: Api, pool: Pool) -> None:
    """Nobody sees or removes somebody else's key; lists go by pages."""
    await make(api, "read")
    theirs = (await make(api, "read")).json()["data"]["key"]["key_id"]
    other = await people.person(pool, "berta")
    async with people.signed_in(api, other) as berta:
        assert (await berta.client.get(KEYS)).json()["data"]["keys"] == []
        assert (await berta.client.delete(f"{KEYS}/{theirs}")).status_code == 404
    first = (await api.client.get(KEYS, params={"limit": 1})).json()["data"]
    second = (await api.client.get(KEYS, params={"limit": 1, "after": first["next"]})).json()["data"]

    assert [first["keys"][0]["key_id"] > second["keys"][0]["key_id"]] == [True]
