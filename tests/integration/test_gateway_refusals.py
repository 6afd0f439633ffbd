"""What a refusal says: what happened, and what to do, in words for whoever wrote the request."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.db import Pool
from tests.support import albums
from tests.support.gateway import JPEG, Api
from tests.support.given import User
from tests.support.rows import ask, do

REFUSALS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/api/v1/nothing", {}, 404, "nothing is at this address: /api/docs lists what there is"),
    ("DELETE", "/api/v1/auth/sessions/null", {}, 404, "nothing is at this address: /api/docs lists what there is"),
    ("PATCH", "/api/v1/assets", {}, 405, "the address does not take this method: /api/docs says which it takes"),
    (
        "GET",
        "/api/v1/assets?sort_by=mood",
        {},
        400,
        "sort_by: this is none of its values: /api/docs says which there are",
    ),
    ("GET", "/api/v1/assets?limit=101", {}, 400, "limit: send a whole number of at most 100"),
    ("GET", "/api/v1/assets?limit=many", {}, 400, "limit: send a whole number, not text"),
    ("GET", "/api/v1/assets?tpye=PHOTO", {}, 400, "`tpye` means nothing to this list: it can be asked by after, "),
    (
        "GET",
        "/api/v1/albums/1/assets?order=x",
        {},
        400,
        "`order` means nothing to this list: it can be asked by ",
    ),
    ("POST", "/api/v1/albums", {"album_name": ""}, 400, "album_name: send text that is not empty"),
    ("POST", "/api/v1/albums", {"album_name": 7}, 400, "album_name: send text, not a whole number"),
    ("POST", "/api/v1/albums", {"album_name": "a", "colour": "red"}, 400, "body: `colour` means nothing here"),
    ("POST", "/api/v1/auth/keys", {"scopes": ["read"]}, 400, "body: `name` is missing"),
    (
        "POST",
        "/api/v1/assets/precheck",
        {"hashes": ["g" * 64] * 1001},
        400,
        "hashes: send a list of at most 1000",
    ),
    (
        "POST",
        "/api/v1/assets/filter",
        {"filter": {"taken": {"from": "2025-11-29"}}},
        400,
        "filter.taken.from: send it whole, like 2026-05-04T18:30:00",
    ),
]


async def test_a_refusal_says_what_to_do(api: Api) -> None:
    """Where the framework has only a phrase, ours leads on."""
    for method, path, body, status, words in REFUSALS:
        answer = await api.client.request(method, path, json=body or None)

        assert (answer.status_code, answer.json()["error"][: len(words)]) == (status, words), path


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "null"])
async def test_a_broken_token_is_explained_without_our_names(api: Api, token: str) -> None:
    """Nobody has to know what a library calls it."""
    answer = await api.client.get("/api/v1/assets", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401
    assert answer.json()["error"] == "the token is not valid: it is not whole, or this server did not make it"


async def test_a_small_quota_is_told_in_numbers_that_say_something(api: Api, pool: Pool, user: User) -> None:
    """Not as 0.00 GB."""
    await do(pool, f"update users set quota_bytes = 10 where user_id = {user.user_id}")

    answer = await api.upload(JPEG + bytes(100))

    assert answer.status_code == 413
    assert answer.json()["error"].startswith("this is more than the 10 bytes that you may store: empty the trash")


async def test_a_link_that_would_have_ended_already_is_not_made(api: Api, pool: Pool) -> None:
    """A year mistyped is found by who made the link, not by who follows it."""
    album = await albums.created(api)
    yesterday = datetime.now(UTC) - timedelta(days=1)

    answer = await api.client.post(f"{albums.ALBUMS}/{album}/shares", json={"expires_at": yesterday.isoformat()})

    assert answer.status_code == 400
    assert answer.json()["error"] == "`expires_at` is over: name a time to come, or none"
    assert await ask(pool, "select count(*) from shares") == [0]
