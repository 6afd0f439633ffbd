"""What a person throws away is hidden, kept, and comes back when they want it or send it again."""

from uuid import UUID, uuid4

import pytest

from common.db import Pool
from ingest.handlers import Ingest
from tests.support.gateway import JPEG, Api
from tests.support.given import User
from tests.support.placing import place_all
from tests.support.rows import ask, row


@pytest.fixture
async def stored(api: Api, pool: Pool, ingest: Ingest) -> UUID:
    """A photo of anna's that has its place."""
    asset = (await api.uploaded())["asset_id"]
    await place_all(pool, ingest)
    return UUID(asset)


async def test_a_trashed_asset_is_hidden_and_comes_back(api: Api, pool: Pool, ingest: Ingest, stored: UUID) -> None:
    """Thrown away and taken back, each is told once, each has the disk looked at, and the bytes never change."""
    thrown = await api.client.delete(f"/api/v1/assets/{stored}")
    hidden = await listed(api)
    due = (await row(pool, stored))["state"]
    await place_all(pool, ingest)
    kept = await api.client.get(f"/api/v1/assets/{stored}/original")
    restored = await api.client.post(f"/api/v1/assets/{stored}/restore")
    await place_all(pool, ingest)

    assert (thrown.status_code, thrown.json()["data"]) == (200, {"message": "the asset is in the trash"})
    assert (hidden, due, kept.content) == ([], "pending", JPEG)
    assert (restored.status_code, restored.json()["data"]) == (200, {"message": "the asset is back"})
    assert await listed(api) == [str(stored)]
    assert (await api.client.get(f"/api/v1/assets/{stored}/original")).content == JPEG
    assert await told(pool) == ["lumilio.asset.trashed", "lumilio.asset.restored"]


async def test_doing_it_twice_does_it_once(api: Api, pool: Pool, stored: UUID) -> None:
    """A repeated request is a good one, and nobody hears of it twice."""
    for _ in range(2):
        assert (await api.client.delete(f"/api/v1/assets/{stored}")).status_code == 200
    for _ in range(2):
        assert (await api.client.post(f"/api/v1/assets/{stored}/restore")).status_code == 200

    assert await told(pool) == ["lumilio.asset.trashed", "lumilio.asset.restored"]


async def test_nobody_throws_away_what_is_not_theirs(api: Api, pool: Pool, user: User, stored: UUID) -> None:
    """An unknown asset and one of somebody else are answered alike, and nothing happens to either."""
    async with pool.connection() as conn:
        await conn.execute(
            "insert into users (username, email, password_hash) select 'berta', 'b@localhost', password_hash from users"
        )
    await api.login("berta", user.password)

    for asset in (stored, uuid4()):
        for answer in (
            await api.client.delete(f"/api/v1/assets/{asset}"),
            await api.client.post(f"/api/v1/assets/{asset}/restore"),
        ):
            assert (answer.status_code, answer.json()["error"]) == (404, f"no asset {asset}")
    assert await ask(pool, "select trashed_at from assets") == [None]


async def test_sending_it_again_takes_it_back(api: Api, pool: Pool, ingest: Ingest, stored: UUID) -> None:
    """Whoever sends a photo wants to have it, whatever they did with it before."""
    await api.client.delete(f"/api/v1/assets/{stored}")
    await place_all(pool, ingest)

    again = await api.uploaded()
    await place_all(pool, ingest)

    assert (again["asset_id"], again["status"]) == (str(stored), "duplicate")
    assert again["message"] == "you had this file in the trash: it is back"
    assert await listed(api) == [str(stored)]
    assert (await api.client.get(f"/api/v1/assets/{stored}/original")).content == JPEG


async def listed(api: Api) -> list[str]:
    return [asset["asset_id"] for asset in (await api.client.get("/api/v1/assets")).json()["data"]["assets"]]


async def told(pool: Pool) -> list[str]:
    return await ask(pool, "select subject from outbox where subject ~ 'trashed|restored' order by outbox_id")
