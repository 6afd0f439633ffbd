"""Signing in: only the right password helps, tokens cannot be forged, and a stolen refresh token ends its family."""

import asyncio
import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta, tzinfo
from typing import Any, Self

import jwt
import pytest
from argon2 import PasswordHasher

from common import passwords
from common.db import Pool
from gateway import auth
from gateway.queries import refresh_tokens
from tests.support.gateway import SECRET, Api, serving
from tests.support.given import User
from tests.support.rows import ask
from tests.support.waiting import until

LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"
LOGOUT = "/api/v1/auth/logout"
ME = "/api/v1/auth/me"


@pytest.fixture
async def api(pool: Pool, user: User) -> AsyncIterator[Api]:
    async with serving(pool) as served:
        yield served


async def test_a_right_password_gives_a_pair_of_tokens(api: Api, user: User) -> None:
    """The answer has the contract's shape, and its token says who the caller is."""
    data = await api.login(user.username, user.password)

    assert set(data) == {"user", "token", "refreshToken", "expiresAt"}
    claims = jwt.decode(data["token"], SECRET, algorithms=["HS256"], issuer="lumilio-photos")
    assert set(claims) == {"user_id", "username", "exp", "iat", "nbf", "iss", "sub"}
    assert (claims["user_id"], claims["sub"], claims["exp"] - claims["iat"]) == (user.user_id, str(user.user_id), 900)
    me = (await api.client.get(ME)).json()["data"]
    assert set(me) == {"user_id", "username", "email", "created_at", "is_active", "is_admin", "last_login"}
    assert (me["user_id"], me["username"], me["is_active"]) == (user.user_id, "anna", True)


async def test_every_failed_sign_in_looks_the_same(api: Api, user: User, pool: Pool) -> None:
    """An unknown name, a wrong password and an inactive user cannot be told apart."""
    wrong = await sign_in(api, user.username, "a wrong password")
    unknown = await sign_in(api, "nobody", user.password)
    async with pool.connection() as conn:
        await conn.execute("update users set is_active = false")
    inactive = await sign_in(api, user.username, user.password)

    assert {answer.status_code for answer in (wrong, unknown, inactive)} == {401}
    assert wrong.json() == unknown.json() == inactive.json()


async def test_a_dated_hash_is_renewed_at_sign_in(api: Api, user: User, pool: Pool) -> None:
    """A password that was hashed with weaker parameters is hashed anew when its owner shows it."""
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(user.password)
    async with pool.connection() as conn:
        await conn.execute("update users set password_hash = %s", (weak,))

    await api.login(user.username, user.password)

    async with pool.connection() as conn:
        stored = (await (await conn.execute("select password_hash from users")).fetchall())[0][0]
    assert not passwords.is_dated(stored)
    assert passwords.matches(stored, user.password)


async def test_a_sign_in_clears_away_what_has_expired(api: Api, user: User, pool: Pool) -> None:
    """Tokens of long ago do not pile up."""
    await api.login(user.username, user.password)
    async with pool.connection() as conn:
        await conn.execute("update refresh_tokens set expires_at = now() - interval '1 day'")

    await api.login(user.username, user.password)

    async with pool.connection() as conn:
        assert (await (await conn.execute("select count(*) from refresh_tokens")).fetchall()) == [(1,)]


async def test_a_refresh_token_buys_one_successor(api: Api, user: User) -> None:
    """Rotation: each token gives the next pair, which works."""
    first = await api.login(user.username, user.password)
    second = await refreshed(api, first["refreshToken"])
    third = await refreshed(api, second["refreshToken"])

    assert len({data["refreshToken"] for data in (first, second, third)}) == 3
    answer = await api.client.get(ME, headers={"Authorization": f"Bearer {third['token']}"})
    assert answer.status_code == 200


async def test_parallel_refreshes_get_the_same_answer(api: Api, user: User) -> None:
    """A client that retries, or has two tabs, is no thief: within seconds the answer is identical."""
    token = (await api.login(user.username, user.password))["refreshToken"]
    answers = await asyncio.gather(*(refreshed(api, token) for _ in range(20)))

    assert all(answer == answers[0] for answer in answers)
    await refreshed(api, answers[0]["refreshToken"])


async def test_a_replayed_refresh_token_ends_the_family(api: Api, user: User, pool: Pool) -> None:
    """A used token that comes back later was stolen: neither thief nor owner can go on with this sign-in."""
    stolen = (await api.login(user.username, user.password))["refreshToken"]
    other = (await api.login(user.username, user.password))["refreshToken"]
    current = (await refreshed(api, stolen))["refreshToken"]
    async with pool.connection() as conn:
        await conn.execute("update refresh_tokens set used_at = used_at - interval '11 seconds'")

    replayed = await api.client.post(REFRESH, json={"refreshToken": stolen})
    owner = await api.client.post(REFRESH, json={"refreshToken": current})

    assert (replayed.status_code, owner.status_code) == (401, 401)
    await refreshed(api, other)


async def test_no_token_can_be_found_in_the_database(api: Api, user: User, pool: Pool) -> None:
    """Whoever reads the table can sign in as nobody."""
    first = await api.login(user.username, user.password)
    second = await refreshed(api, first["refreshToken"])

    async with pool.connection() as conn:
        stored = str(await (await conn.execute("select refresh_tokens::text from refresh_tokens")).fetchall())
    assert first["refreshToken"] not in stored
    assert second["refreshToken"] not in stored


async def test_an_expired_refresh_token_is_refused(api: Api, user: User, pool: Pool) -> None:
    """A refresh token lives for its time and not longer."""
    token = (await api.login(user.username, user.password))["refreshToken"]
    async with pool.connection() as conn:
        await conn.execute("update refresh_tokens set expires_at = now()")

    assert (await api.client.post(REFRESH, json={"refreshToken": token})).status_code == 401


async def test_signing_out_ends_the_family(api: Api, user: User) -> None:
    """After signing out no refresh token of this sign-in works; an unknown one cannot sign out."""
    first = (await api.login(user.username, user.password))["refreshToken"]
    second = (await refreshed(api, first))["refreshToken"]

    assert (await api.client.post(LOGOUT, json={"refreshToken": second})).json() == {"code": 0, "message": "success"}
    assert (await api.client.post(REFRESH, json={"refreshToken": first})).status_code == 401
    assert (await api.client.post(REFRESH, json={"refreshToken": second})).status_code == 401
    assert (await api.client.post(LOGOUT, json={"refreshToken": "f" * 64})).status_code == 401


async def test_a_deactivated_user_is_out_at_once(api: Api, user: User, pool: Pool) -> None:
    """Tokens that are still fresh stop working when the user is deactivated."""
    token = (await api.login(user.username, user.password))["refreshToken"]
    async with pool.connection() as conn:
        await conn.execute("update users set is_active = false")

    assert (await api.client.get(ME)).status_code == 401
    assert (await api.client.post(REFRESH, json={"refreshToken": token})).status_code == 401


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_wrong_clock_changes_nothing(api: Api, user: User, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """A gateway whose clock is a day off lets in no dead token and refuses no live one: the database's clock counts."""
    now = int(time.time())

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(days=days)

    monkeypatch.setattr(jwt.api_jwt, "datetime", Wrong)
    monkeypatch.setattr(auth, "datetime", Wrong)
    monkeypatch.setattr(time, "time", lambda: now + days * 24 * 3600)
    fresh = await api.login(user.username, user.password)
    claims = jwt.decode(fresh["token"], options={"verify_signature": False})

    assert (await me(api, f"Bearer {fresh['token']}")).status_code == 200
    assert (await me(api, f"Bearer {signed(claims | {'exp': now - 60})}")).status_code == 401
    assert (await api.client.post(REFRESH, json={"refreshToken": fresh["refreshToken"]})).status_code == 200


async def test_forged_tokens_are_refused(api: Api, user: User) -> None:
    """No trick with algorithm, key, time, issuer, claims or size lets anybody in."""
    now = int(time.time())
    claims = {
        "user_id": user.user_id,
        "username": user.username,
        "exp": now + 900,
        "iat": now,
        "nbf": now,
        "iss": "lumilio-photos",
        "sub": str(user.user_id),
    }
    valid = signed(claims)
    forged = {
        "no algorithm": signed(claims, algorithm="none", key=""),
        "another algorithm": signed(claims, algorithm="HS512"),
        "another key": signed(claims, key="another secret, which is long enough for HS256"),
        "a key in the header": signed(claims, key="x" * 32, headers={"kid": "../../dev/null", "jku": "http://x"}),
        "another type": unsigned({"alg": "RS256", "typ": "JWT"}, claims),
        "from the future": signed(claims | {"nbf": now + 3600}),
        "issued in the future": signed(claims | {"iat": now + 3600}),
        "over": signed(claims | {"exp": now - 60}),
        "another issuer": signed(claims | {"iss": "somebody"}),
        "another subject": signed(claims | {"sub": "77"}),
        "nobody": signed(claims | {"sub": "77", "user_id": 77}),
        "a user that is a text": signed(claims | {"user_id": str(user.user_id)}),
        "a user that is true": signed(claims | {"user_id": True, "sub": "True"}),
        "a user that is huge": signed(claims | {"user_id": 10**30, "sub": str(10**30)}),
        "an audience": signed(claims | {"aud": "another service"}),
        "64 KB": signed(claims | {"more": "x" * 64_000}),
        "half": valid[: len(valid) // 2],
        "dots": "." * 3,
        "a changed signature": valid[:-4] + "AAAA",
    } | {f"without {claim}": signed({k: v for k, v in claims.items() if k != claim}) for claim in claims}

    assert (await me(api, f"Bearer {valid}")).status_code == 200
    statuses = {trick: (await me(api, f"Bearer {token}")).status_code for trick, token in forged.items()}
    assert statuses == dict.fromkeys(forged, 401)
    for header in ("", "Bearer", valid, f"bearer {valid}", f"Basic {valid}", f"Bearer {valid} x"):
        answer = await me(api, header)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def signed(
    claims: dict[str, Any], *, key: str = SECRET, algorithm: str = "HS256", headers: dict[str, str] | None = None
) -> str:
    if algorithm == "none":
        return unsigned({"alg": "none", "typ": "JWT"}, claims)
    key = key if algorithm == "HS256" else key * 2
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


def unsigned(head: dict[str, str], claims: dict[str, Any]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, claims))
    return ".".join((*parts, "c2lnbmF0dXJl"))


async def me(api: Api, header: str) -> Any:
    return await api.client.get(ME, headers={"Authorization": header})


async def sign_in(api: Api, username: str, password: str) -> Any:
    return await api.client.post(LOGIN, json={"username": username, "password": password})


async def refreshed(api: Api, token: str) -> dict[str, Any]:
    answer = await api.client.post(REFRESH, json={"refreshToken": token})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_the_end_of_a_family_waits_for_a_refresh_in_flight(api: Api, user: User, pool: Pool) -> None:
    """Whoever signs out while a refresh is under way ends the new token too."""
    first = (await api.login(user.username, user.password))["refreshToken"]
    second = (await refreshed(api, first))["refreshToken"]
    third = secrets.token_hex(32)

    async with pool.connection() as conn:
        found = await refresh_tokens.lock_token(conn, digest(second), retry_seconds=10)
        assert found is not None
        leaving = asyncio.create_task(api.client.post(LOGOUT, json={"refreshToken": first}))
        await until(lambda: waits_for_a_lock(pool))
        await refresh_tokens.save_token(
            conn, digest(third), family_id=found.family_id, user_id=user.user_id, lives_seconds=60
        )
    assert (await leaving).status_code == 200

    assert (await api.client.post(REFRESH, json={"refreshToken": third})).status_code == 401


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def waits_for_a_lock(pool: Pool) -> bool:
    return await ask(pool, "select count(*) from pg_locks where not granted") == [1]
