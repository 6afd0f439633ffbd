"""What people like and what they put into the archive, one by one."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.db import Pool
from tests.support import given
from tests.support.gateway import Api, serving
from tests.support.given import User
from tests.support.rows import ask

UPDATED = "select count(*) from outbox where subject = 'lumilio.asset.updated'"


@pytest.fixture
async def photo(api: Api) -> str:
    """The id of an uploaded photo."""
    asset: str = (await api.uploaded())["asset_id"]
    return asset


async def put(api: Api, photo: str, way: str, **body: Any) -> httpx.Response:
    return await api.client.put(f"/api/v1/assets/{photo}/{way}", json=body)


async def test_a_like_is_kept_and_told_once(api: Api, photo: str, pool: Pool) -> None:
    """Saying it twice is one word, and it can be taken back."""
    for _ in range(2):
        assert (await put(api, photo, "like", liked=True)).status_code == 200
    assert await ask(pool, "select liked from assets") == [True]
    assert await ask(pool, UPDATED) == [1]

    back = await put(api, photo, "like", liked=False)

    assert (back.status_code, back.json()["data"]) == (200, {"message": "the asset is not liked"})
    assert await ask(pool, "select liked from assets") == [False]
    assert await ask(pool, UPDATED) == [2]


async def test_stars_and_a_like_go_together(api: Api, photo: str, pool: Pool) -> None:
    """Both or none, told once, and the stars are to be written into the sidecar."""
    answer = await put(api, photo, "rating-and-like", rating=4, liked=True)

    assert answer.status_code == 200
    assert await ask(pool, "select rating, liked from assets") == [(4, True)]
    assert await ask(pool, UPDATED) == [1]
    assert await ask(pool, "select state from asset_stages where stage = 'sidecar'") == ["pending"]
    assert (await put(api, photo, "rating-and-like", rating=6, liked=False)).status_code == 400
    assert await ask(pool, "select rating, liked from assets") == [(4, True)]


async def test_the_archive_hides_from_the_timeline_alone(api: Api, photo: str, pool: Pool) -> None:
    """The photo itself can be asked for, and is in the list again when it is taken out."""
    for _ in range(2):
        assert (await put(api, photo, "archive", archived=True)).status_code == 200

    hidden = (await api.client.get("/api/v1/assets")).json()["data"]["assets"]
    alone = await api.client.get(f"/api/v1/assets/{photo}")
    await put(api, photo, "archive", archived=False)
    shown = (await api.client.get("/api/v1/assets")).json()["data"]["assets"]

    assert (hidden, alone.status_code, len(shown)) == ([], 200, 1)
    assert await ask(pool, UPDATED) == [2]


WAYS: dict[str, dict[str, Any]] = {
    "like": {"liked": True},
    "rating-and-like": {"rating": 1, "liked": True},
    "archive": {"archived": True},
}


@pytest.mark.parametrize("way", WAYS)
async def test_nobody_organises_what_is_not_theirs(api: Api, photo: str, pool: Pool, user: User, way: str) -> None:
    """A foreign photo is answered like one that does not exist, and stays as it is; so it does without a word."""
    (known,) = await ask(pool, "select password_hash from users where username = 'anna'")
    other = await given.new_user(pool, "berta", user.password, password_hash=known)
    async with serving(pool) as served:
        await served.enter(other.username)
        answers = [await put(served, one, way, **WAYS[way]) for one in (photo, str(uuid4()))]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert await ask(pool, "select liked, archived_at, rating from assets") == [(False, None, None)]
    for body in ({}, {"liked": "yes"}, {"archived": None}):
        assert (await put(api, photo, way, **body)).status_code == 400
