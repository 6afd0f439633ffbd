"""What must not be known is in no line of the log and in no error: passwords, tokens, keys, addresses, places."""

import os
from uuid import UUID

import pytest

from common.db import Pool
from tests.support import thumbs
from tests.support.gateway import JPEG, SECRET, Api, form, post
from tests.support.given import Repository, User

CANARY = "canary-7f3a9c51"


async def test_secrets_are_in_no_log_and_in_no_error(
    api: Api, pool: Pool, repository: Repository, user: User, capfd: pytest.CaptureFixture[str]
) -> None:
    """Twelve of them, sent right and wrong, in every place where clients put them."""
    asset = (await api.uploaded())["asset_id"]
    await thumbs.keep(pool, repository, UUID(asset))
    signed_in = await api.login(user.username, user.password)
    key = (await api.client.post("/api/v1/auth/keys", json={"name": "a key", "scopes": ["read"]})).json()["data"]
    asked = {"asset_ids": [asset], "variants": ["medium"]}
    url = (await api.client.post("/api/v1/assets/urls", json=asked)).json()["data"]["urls"][asset]["medium"]
    signature = url.partition("&signature=")[2]
    email = f"{CANARY}@example.com"
    told = []

    async def ask(method: str, path: str, *, body: object = None, **headers: str) -> None:
        answer = await api.client.request(method, path, json=body, headers=headers)
        told.append(answer.text if answer.status_code >= 400 else "")

    await ask("POST", "/api/v1/auth/login", body={"username": user.username, "password": f"{CANARY} password"})
    await ask("POST", "/api/v1/auth/login", body={"username": f"{CANARY} name", "password": user.password})
    await ask("POST", "/api/v1/auth/refresh", body={"refreshToken": f"{CANARY}-refresh"})
    await ask("POST", "/api/v1/auth/register", body={"username": "new", "email": email, "password": f"{CANARY} new"})
    await ask("GET", "/api/v1/auth/me", Authorization=f"Bearer {CANARY}.token")
    await ask("GET", "/api/v1/auth/me", Authorization=f"Bearer lum_{CANARY}")
    await ask("GET", "/api/v1/auth/me", Cookie=f"session={CANARY}-cookie")
    await ask("GET", f"/api/v1/auth/me?access_token={CANARY}-query")
    await ask("GET", url)
    await ask("GET", f"{url}x")
    await ask("GET", f"/api/v1/assets/{asset}", Authorization=f"Bearer {signed_in['token']}x")
    await ask("GET", "/api/v1/assets", Authorization=f"Bearer {key.get('key', key.get('secret', ''))}")
    await ask("POST", "/api/v1/assets/urls", body={"asset_ids": [f"{CANARY}-id"], "variants": ["medium"]})
    os.rename(repository.root, repository.root + b".gone")
    await ask("GET", f"/api/v1/assets/{asset}/original")
    told.append((await api.raw(post(api, form(JPEG), length=len(form(JPEG)), more="Connection: close\r\n"))).decode())

    seen = capfd.readouterr()
    secrets = {
        "canary": CANARY,
        "password": user.password,
        "access token": signed_in["token"],
        "refresh token": signed_in["refreshToken"],
        "signature": signature,
        "server's secret": SECRET,
        "directory": os.fsdecode(repository.root),
        "database": "postgresql://",
    }
    log = seen.out + seen.err
    assert log.count("request answered") >= 10
    assert {name for name, secret in secrets.items() if secret in log} == set()
    assert {name for name, secret in secrets.items() if any(secret in body for body in told)} == set()
