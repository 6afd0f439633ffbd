"""Signing in: only the right password helps, tokens cannot be forged, and a stolen refresh token ends its family."""

import asyncio
import base64
import hashlib
import hmac
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
from tests.support import given, people
from tests.support.gateway import SECRET, Api, serving
from tests.support.given import User
from tests.support.rows import ask, do
from tests.support.waiting import until

LOGIN = "/api/v1/auth/login"
REFRESH = "/api/v1/auth/refresh"
LOGOUT = "/api/v1/auth/logout"
ME = "/api/v1/auth/me"
SESSIONS = "/api/v1/auth/sessions"


@pytest.fixture
async def api(pool: Pool, user: User) -> AsyncIterator[Api]:
    async with serving(pool) as served:
        yield served


async def test_a_right_password_gives_a_pair_of_tokens(api: Api, user: User) -> None:
    """The answer has the contract's shape, and its token says who the caller is."""
    data = await api.login(user.username, user.password)

    assert set(data) == {"user", "token", "refreshToken", "expiresAt"}
    claims = jwt.decode(
        data["token"], SECRET, algorithms=["HS256"], issuer="lumilio-photos", audience="lumilio-photos api"
    )
    assert set(claims) == {"user_id", "username", "sid", "exp", "iat", "nbf", "iss", "aud", "sub"}
    assert (claims["user_id"], claims["sub"], claims["exp"] - claims["iat"]) == (user.user_id, str(user.user_id), 900)
    me = (await api.client.get(ME)).json()["data"]
    about = {"user_id", "username", "email", "created_at", "is_active", "is_admin", "last_login"}
    assert set(me) == about | {"scopes", "key_id", "usage"}
    assert (me["scopes"], me["key_id"]) == (["delete", "edit", "read", "share", "upload"], None)
    assert None not in {me[name] for name in about}
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
        await conn.execute("update sessions set expires_at = now() - interval '1 day'")

    await api.login(user.username, user.password)

    assert await ask(pool, "select count(*) from sessions") == await ask(pool, "select count(*) from refresh_tokens")
    assert await ask(pool, "select count(*) from sessions") == [1]


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
    over = signed(claims | {"exp": now - 60}, headers=jwt.get_unverified_header(fresh["token"]))
    assert (await me(api, f"Bearer {over}")).status_code == 401
    assert (await api.client.post(REFRESH, json={"refreshToken": fresh["refreshToken"]})).status_code == 200


async def test_forged_tokens_are_refused(api: Api, user: User, pool: Pool) -> None:
    """No trick with algorithm, key, time, issuer, claims or size lets anybody in."""
    now = int(time.time())
    await given.new_user(pool, "berta", user.password, password_hash=passwords.hashed(user.password))
    issued = (await api.login(user.username, user.password))["token"]
    claims = jwt.decode(issued, options={"verify_signature": False})
    head = jwt.get_unverified_header(issued)
    other = jwt.decode((await api.login("berta", user.password))["token"], options={"verify_signature": False})
    valid = signed(claims, headers=head)
    changed: dict[str, dict[str, Any]] = {
        "from the future": {"nbf": now + 3600},
        "issued in the future": {"iat": now + 3600},
        "over": {"exp": now - 60},
        "another issuer": {"iss": "somebody"},
        "another audience": {"aud": "another service"},
        "another subject": {"sub": "77"},
        "nobody": {"sub": "77", "user_id": 77},
        "a user that is a text": {"user_id": str(user.user_id)},
        "a user that is true": {"user_id": True, "sub": "True"},
        "a user that is huge": {"user_id": 10**30, "sub": str(10**30)},
        "somebody else's sign-in": {"sid": other["sid"]},
        "no sign-in of ours": {"sid": "00000000-0000-4000-8000-000000000000"},
        "a sign-in that is a number": {"sid": 7},
        "8 KB": {"more": "x" * 8_000},  # heads are no longer than 16 KB
    }
    named: dict[str, dict[str, Any]] = {
        "a key elsewhere": {"kid": "../../dev/null"},
        "a key that is SQL": {"kid": "' union select 'x"},
        "a key at an address": {"jku": "http://x"},
        "no key": {"kid": None},
        "a key within": {"jwk": {"kty": "oct", "k": "eA"}},
    }
    forged = {
        "no algorithm": unsigned({**head, "alg": "none"}, claims),
        "another algorithm": signed(claims, algorithm="HS512", headers={**head, "alg": "HS512"}),
        "another key": signed(claims, key="another secret, which is long enough for HS256", headers=head),
        "another type": unsigned({**head, "alg": "RS256"}, claims),
        "a swapped type": swapped({**head, "alg": "RS256"}, claims),
        "half": valid[: len(valid) // 2],
        "dots": "." * 3,
        "a changed signature": valid[:-4] + "AAAA",
        **{trick: signed(claims | more, headers=head) for trick, more in changed.items()},
        **{trick: signed(claims, headers=head | more) for trick, more in named.items()},
        **{f"no {one}": signed({k: v for k, v in claims.items() if k != one}, headers=head) for one in claims},
    }

    assert (await me(api, f"Bearer {valid}")).status_code == 200
    statuses = {trick: (await me(api, f"Bearer {token}")).status_code for trick, token in forged.items()}
    assert statuses == dict.fromkeys(forged, 401)
    for header in ("", "Bearer", valid, f"bearer {valid}", f"Basic {valid}", f"Bearer {valid} x"):
        answer = await me(api, header)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def signed(claims: dict[str, Any], *, key: str = SECRET, algorithm: str = "HS256", headers: dict[str, Any]) -> str:
    key = key if algorithm == "HS256" else key * 2
    told = {name: value for name, value in headers.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers=told)


def swapped(head: dict[str, str], claims: dict[str, Any]) -> str:
    """A token whose head names an algorithm of public keys, signed with our secret as if it were one."""
    said = unsigned(head, claims).rpartition(".")[0]
    signature = hmac.digest(SECRET.encode(), said.encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


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
            conn, digest(third), session_id=found.session_id, user_id=user.user_id, lives_seconds=60
        )
    assert (await leaving).status_code == 200

    assert (await api.client.post(REFRESH, json={"refreshToken": third})).status_code == 401


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


async def waits_for_a_lock(pool: Pool) -> bool:
    return await ask(pool, "select count(*) from pg_locks where not granted") == [1]


async def test_sign_ins_are_listed_with_where_they_are_from(api: Api, user: User, pool: Pool) -> None:
    """The one that asks is marked, and what a client calls itself is cut and cleaned."""
    await api.login(user.username, user.password)
    odd = {b"User-Agent": b"Phone\x9b[31m\t" + b"x" * 300}
    body = {"username": user.username, "password": user.password}
    assert (await api.client.post(LOGIN, json=body, headers=odd)).status_code == 200

    listed = (await api.client.get(SESSIONS)).json()["data"]["sessions"]
    pages = [(await api.client.get(SESSIONS, params={"limit": 1})).json()["data"]]
    pages.append((await api.client.get(SESSIONS, params={"limit": 1, "after": pages[0]["next"]})).json()["data"])

    assert [one["is_this"] for one in listed] == [False, True]
    assert {one["session"]["address"] for one in listed} == {"127.0.0.1"}
    agent = listed[0]["session"]["user_agent"]
    assert agent.startswith("Phone [31m")
    assert (len(agent), agent.isprintable()) == (200, True)
    assert [page["sessions"] for page in pages] == [[one] for one in listed]


async def test_a_sign_in_that_is_ended_stops_at_once(api: Api, user: User, pool: Pool) -> None:
    """Neither its access token nor its refresh token is worth anything; nobody ends somebody else's."""
    other = await api.login(user.username, user.password)
    await api.login(user.username, user.password)
    listed = (await api.client.get(SESSIONS)).json()["data"]["sessions"]
    ended = next(one["session"]["session_id"] for one in listed if not one["is_this"])
    berta = await people.person(pool, "berta")
    async with people.signed_in(api, berta) as foreign:
        assert (await foreign.client.delete(f"{SESSIONS}/{ended}")).status_code == 404
    assert (await me(api, f"Bearer {other['token']}")).status_code == 200

    assert (await api.client.delete(f"{SESSIONS}/{ended}")).status_code == 200

    assert (await me(api, f"Bearer {other['token']}")).status_code == 401
    assert (await api.client.post(REFRESH, json={"refreshToken": other["refreshToken"]})).status_code == 401
    assert (await api.client.get(ME)).status_code == 200
    assert (await api.client.delete(f"{SESSIONS}/{ended}")).status_code == 404


async def test_all_other_sign_ins_end_together(api: Api, user: User) -> None:
    """The one that asks goes on."""
    others = [await api.login(user.username, user.password) for _ in range(3)]
    await api.login(user.username, user.password)

    assert "3 other" in (await api.client.delete(SESSIONS)).json()["data"]["message"]

    assert [(await me(api, f"Bearer {other['token']}")).status_code for other in others] == [401] * 3
    assert (await api.client.get(ME)).status_code == 200


async def test_a_used_sign_in_forgets_its_old_tokens(api: Api, user: User, pool: Pool) -> None:
    """A sign-in that lasts for years keeps no row for every ten minutes of them."""
    first = await api.login(user.username, user.password)
    second = await refreshed(api, first["refreshToken"])
    await do(pool, "update refresh_tokens set expires_at = now() - interval '1 s' where used_at is not null")

    await refreshed(api, second["refreshToken"])

    assert await ask(pool, "select count(*) from refresh_tokens") == [2]


async def test_no_sign_in_begins_by_a_password_that_was_changed_meanwhile(api: Api, pool: Pool, user: User) -> None:
    """It was compared with the one before: neither a sign-in nor, hashed anew, that password comes back."""
    await do(pool, f"update users set password_hash = '{PasswordHasher(time_cost=1).hash(user.password)}'")
    waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"

    async with pool.connection() as conn:
        await conn.execute("select from users for update")
        sent = {"username": user.username, "password": user.password}
        login = asyncio.create_task(api.client.post(LOGIN, json=sent))
        await until(lambda: ask(pool, waiting))
        await conn.execute("update users set password_hash = %s", (people.HASHED,))

    assert (await login).status_code == 401
    assert await ask(pool, "select password_hash from users") == [people.HASHED]
    assert await ask(pool, "select 1 from sessions") == []


async def test_no_password_is_changed_by_one_that_was_changed_meanwhile(api: Api, pool: Pool, user: User) -> None:
    """Whoever still has the old one does not undo a reset."""
    await api.login(user.username, user.password)
    waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"

    async with pool.connection() as conn:
        await conn.execute("select from users for update")
        sent = {"old_password": user.password, "new_password": "another good password"}
        change = asyncio.create_task(api.client.put("/api/v1/auth/password", json=sent))
        await until(lambda: ask(pool, waiting))
        await conn.execute("update users set password_hash = %s", (people.HASHED,))

    assert (await change).status_code == 403
    assert await ask(pool, "select password_hash from users") == [people.HASHED]
