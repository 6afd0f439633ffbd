"""What a person throws away is hidden, kept, and comes back when they want it or send it again."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_values
from hypothesis import strategies as st

from common.db import Pool
from gateway.confirming import SECONDS, Confirmations, purging
from ingest.handlers import Ingest
from tests.support.gateway import JPEG, SECRET, Api
from tests.support.given import User
from tests.support.placing import place_all
from tests.support.rows import ask, do, row


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
    await api.enter("berta")

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


@pytest.fixture
async def many(pool: Pool, user: User) -> list[UUID]:
    """A hundred photos of anna's without files, the first thirty of them in the trash, one each second."""
    return [
        *await ask(
            pool,
            f"""
            with made as (
                insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, trashed_at,
                                    trash_reason)
                select {user.user_id}, sha256(n::text::bytea), 10, 'photo', 'image/jpeg', n || '.jpg',
                       case when n <= 30 then now() - make_interval(secs => n) end,
                       case when n <= 30 then 'trashed by its owner' end
                from generate_series(1, 100) n
                returning asset_id, owner_id, original_filename
            ), staged as (
                insert into asset_stages (asset_id, stage, owner_id, state)
                select asset_id, 'place', owner_id, 'done' from made
            )
            select asset_id from made order by split_part(original_filename, '.', 1)::int
            """,
        )
    ]


async def test_the_trash_is_listed_newest_first(api: Api, many: list[UUID]) -> None:
    """Page by page, each with why it is there and when it goes, and all of it counted."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = (await api.client.get("/api/v1/trash", params={"limit": "12", **after})).json()["data"]
        assert (page["count"], page["bytes"]) == (30, 300)
        found += page["assets"]
        if "next" not in page:
            break
        after = {"after": page["next"]}

    assert [UUID(one["asset"]["asset_id"]) for one in found] == many[:30]
    first = found[0]
    assert (first["reason"], first["is_going"], first["trouble"]) == ("trashed by its owner", False, None)
    assert datetime.fromisoformat(first["purged_after"]) - datetime.fromisoformat(first["trashed_at"]) == timedelta(30)
    assert (await api.client.get("/api/v1/trash", params={"after": "x"})).status_code == 400


async def test_few_go_without_a_question(api: Api, pool: Pool, user: User, many: list[UUID]) -> None:
    """What a person can count they are not asked about; asked twice it is wished once more and no more goes."""
    for _ in range(2):
        answer = await purge(api, asset_ids=[str(one) for one in many[:20]])
        assert (answer.status_code, answer.json()["data"]["count"]) == (200, 20)

    assert sorted(await ask(pool, "select asset_id from purges")) == sorted(many[:20])
    assert set(await ask(pool, "select asked_by from purges")) == {user.user_id}


async def test_much_goes_only_when_it_is_confirmed(api: Api, pool: Pool, many: list[UUID]) -> None:
    """By the token for just this, from this server, for this person, of the last minutes; for nothing else."""
    first = await purge(api, all=True)
    assert first.status_code == 409
    assert "30 assets" in first.json()["error"]
    token = first.json()["confirm"]
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    later = f"{int(token.partition('.')[0]) + 100}.{token.partition('.')[2]}"

    for wrong in (forged, later, "", "x", "1.", "9" * 30 + ".x", "٣.x"):
        assert (await purge(api, all=True, confirm=wrong)).status_code == 409, wrong
    some = [str(one) for one in many[:25]]
    assert (await purge(api, asset_ids=some, confirm=token)).status_code == 409
    assert await ask(pool, "select 1 from purges") == []

    assert (await purge(api, asset_ids=[str(one) for one in many[:30]], confirm=token)).status_code == 200
    assert len(await ask(pool, "select 1 from purges")) == 30


async def test_a_confirmation_of_what_changed_since_is_none(api: Api, pool: Pool, many: list[UUID]) -> None:
    """Something more in the trash was not meant, nor does a yes count for ever."""
    token = (await purge(api, all=True, only_count=True)).json()["data"]["confirm"]
    await do(pool, f"update assets set trashed_at = now() where asset_id = '{many[50]}'")

    assert (await purge(api, all=True, confirm=token)).status_code == 409

    again = (await purge(api, all=True, confirm=token)).json()["confirm"]
    now = int(again.partition(".")[0]) - SECONDS
    ids, confirmations = b"".join(one.bytes for one in sorted([*many[:30], many[50]])), Confirmations(SECRET)
    assert not confirmations.holds_for(again, purging(ids, 1), now=now + SECONDS)
    assert not confirmations.holds_for(again, purging(ids, 2), now=now)
    assert confirmations.holds_for(again, purging(ids, 1), now=now)
    assert await ask(pool, "select 1 from purges") == []


async def test_counting_does_nothing(api: Api, pool: Pool, many: list[UUID]) -> None:
    """How much it would be is told first."""
    answer = await purge(api, asset_ids=[str(many[0])], only_count=True)

    assert answer.json()["data"]["count"] == 1
    assert await ask(pool, "select 1 from purges") == []


async def test_one_wrong_asset_stops_all(api: Api, pool: Pool, user: User, many: list[UUID]) -> None:
    """A foreign or an unknown one is not found, one outside the trash is none to purge, and nothing is done."""
    async with pool.connection() as conn:
        await conn.execute("insert into users (username, email, password_hash) values ('berta', 'b@localhost', 'x')")
    await do(pool, f"update assets set owner_id = 2 where asset_id = '{many[1]}'")

    for other, status in ((many[1], 404), (uuid4(), 404), (many[40], 409)):
        assert (await purge(api, asset_ids=[str(many[0]), str(other)])).status_code == status
    for other in (many[1], uuid4()):
        assert (await restore(api, asset_ids=[str(many[0]), str(other)])).status_code == 404
    assert await ask(pool, "select 1 from purges") == []
    assert len(await ask(pool, "select 1 from assets where trashed_at is not null")) == 30
    assert (await restore(api, all=True)).json()["data"]["count"] == 29


async def test_what_is_being_purged_is_not_restored(api: Api, pool: Pool, many: list[UUID]) -> None:
    """Alone it is refused and the answer says why; others come back without it, and so does what only waits for it."""
    await purge(api, asset_ids=[str(one) for one in many[:2]])
    await do(pool, f"update purges set began_at = now() where asset_id = '{many[0]}'")

    alone = await api.client.post(f"/api/v1/assets/{many[0]}/restore")
    together = await restore(api, asset_ids=[str(one) for one in many[:3]])
    again = await restore(api, all=True)

    assert (alone.status_code, together.status_code, again.status_code) == (409, 200, 200)
    assert (together.json()["data"]["count"], together.json()["data"]["going"]) == (2, [str(many[0])])
    assert (again.json()["data"]["count"], again.json()["data"]["going"]) == (27, [str(many[0])])
    assert "1 asset cannot be taken back" in again.json()["data"]["message"]
    assert "is being purged" in alone.json()["error"]
    assert await ask(pool, "select asset_id from purges") == [many[0]]
    page = (await api.client.get("/api/v1/trash", params={"limit": "1"})).json()["data"]["assets"]
    assert page[0]["is_going"]


async def test_whatever_is_asked_nothing_goes_that_was_not_meant(api: Api, pool: Pool, many: list[UUID]) -> None:
    """Any body is answered with good or bad, and only what it names and what lies in the trash is ever wished away."""
    loop = asyncio.get_running_loop()
    some = st.sampled_from([*map(str, many[:5]), *map(str, many[60:62]), str(UUID(int=1)), "x", 1, None])
    bodies = st.fixed_dictionaries(
        {},
        optional={
            "asset_ids": st.lists(some, max_size=4) | some,
            "all": st.sampled_from([False, None, "yes"]),
            "confirm": st.text(max_size=9) | st.none(),
            "only_count": st.sampled_from([False, True, 1]),
            "more": some,
        },
    )

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given_values(bodies)
    def check(body: dict[str, Any]) -> None:
        asyncio.run_coroutine_threadsafe(_asked(api, pool, many, body), loop).result()

    await asyncio.to_thread(check)


async def _asked(api: Api, pool: Pool, many: list[UUID], body: dict[str, Any]) -> None:
    await do(pool, "delete from purges")
    answer = await purge(api, **body)
    assert answer.status_code in {200, 400, 404, 409, 422}
    named = body.get("asset_ids")
    meant = {one for one in named if one in map(str, many[:30])} if isinstance(named, list) else set()
    wished = {str(one) for one in await ask(pool, "select asset_id from purges")}
    assert wished == (meant if answer.status_code == 200 and not body.get("only_count") else set())


async def purge(api: Api, **body: Any) -> httpx.Response:
    return await api.client.post("/api/v1/trash/purge", json=body)


async def restore(api: Api, **body: Any) -> httpx.Response:
    return await api.client.post("/api/v1/trash/restore", json=body)


async def listed(api: Api) -> list[str]:
    return [asset["asset_id"] for asset in (await api.client.get("/api/v1/assets")).json()["data"]["assets"]]


async def told(pool: Pool) -> list[str]:
    return await ask(pool, "select subject from outbox where subject ~ 'trashed|restored' order by outbox_id")
