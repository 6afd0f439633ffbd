"""The same picture twice: people see it, make it one or say that it is none, and nothing is lost by that."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.db import Pool
from ingest.handlers import Ingest
from ml_dispatcher import likeness
from tests.support import looks, people
from tests.support.gateway import JPEG, Api
from tests.support.given import User
from tests.support.looks import STRONG, pictures, turned
from tests.support.placing import place_all
from tests.support.rows import ask, do


async def listed(api: Api, **parameters: str) -> dict[str, Any]:
    answer = await api.client.get("/api/v1/duplicates", params=parameters)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def groups(api: Api, **parameters: str) -> list[list[str]]:
    found = await listed(api, **parameters)
    return [[one["asset_id"] for one in group["assets"]] for group in found["groups"]]


async def merge(api: Api, keep: object, *others: object) -> httpx.Response:
    body = {"keep": str(keep), "others": [str(one) for one in others]}
    return await api.client.post("/api/v1/duplicates/merge", json=body)


async def dismiss(api: Api, *assets: object) -> httpx.Response:
    return await api.client.post("/api/v1/duplicates/dismiss", json={"asset_ids": [str(one) for one in assets]})


async def restore(api: Api, *assets: object) -> httpx.Response:
    return await api.client.post("/api/v1/duplicates/restore", json={"asset_ids": [str(one) for one in assets]})


async def compare(pool: Pool) -> None:
    while await likeness.compare(pool):
        pass


@pytest.fixture
async def three(api: Api, pool: Pool) -> list[str]:
    """The ids of three uploaded photos that look alike, the second of which is the largest."""
    made = [(await api.uploaded(JPEG + bytes([number])))["asset_id"] for number in range(3)]
    await place_all(pool, Ingest(pool))
    for number, (asset, width) in enumerate(zip(made, (100, 200, 50), strict=True)):
        hash_ = looks.signed(turned(STRONG, number))
        await do(
            pool,
            f"update assets set width = {width}, height = 10, perceptual_hash = {hash_} where asset_id = '{asset}'",
        )
    await compare(pool)
    return made


async def test_groups_are_shown_once_and_page_by_page(api: Api, pool: Pool, user: User) -> None:
    """Whatever hangs together is one group, however it does; what is hidden is in none; a crowd is cut."""
    far = [STRONG >> 9, STRONG << 9 & 0xFFFF_FFFF_FFFF_FFFF]
    bridge = turned(STRONG, 1, 2, 3, 4, 5, 6)
    ends = [STRONG, turned(STRONG, *range(1, 13)), bridge]
    a, b, c, d, e, f = await pictures(pool, user, *ends, far[0], far[0], turned(far[0], 3))
    crowd = await pictures(pool, user, *[far[1]] * 150)
    await compare(pool)
    await do(pool, f"update assets set trashed_at = now() where asset_id = '{f}'")

    assert [set(group) for group in (await groups(api))[:2]] == [{str(a), str(b), str(c)}, {str(d), str(e)}]
    first = await listed(api, limit="1")
    second = await listed(api, limit="1", after=first["next"])
    third = await listed(api, limit="1", after=second["next"])
    assert (len(second["groups"][0]["assets"]), second["groups"][0]["has_more"]) == (2, False)
    assert (len(third["groups"][0]["assets"]), third["groups"][0]["has_more"]) == (100, True)
    assert third["groups"][0]["best_asset_id"] == str(crowd[0])
    assert (await listed(api, after=third["next"]))["groups"] == []
    assert (await api.client.get("/api/v1/duplicates", params={"kind": "odd"})).status_code == 400


async def test_one_stands_for_all(api: Api, pool: Pool, three: list[str]) -> None:
    """The largest is the best; it gets what the others have and it lacks, they can be taken back with all of theirs."""
    assert (await groups(api), (await listed(api))["groups"][0]["best_asset_id"]) == (
        [[three[1], three[0], three[2]]],
        three[1],
    )
    album = (await api.client.post("/api/v1/albums", json={"album_name": "Lake"})).json()["data"]["album_id"]
    await api.client.post(f"/api/v1/albums/{album}/assets/{three[0]}", json={})
    await do(pool, f"update albums set cover_asset_id = '{three[0]}'")
    said = [
        {"title": "Lake", "tags": ["water"], "rating": 4, "gps_latitude": 1.5, "gps_longitude": 2.5},
        {"title": "The lake", "tags": ["evening"], "description": None},
        {"title": "See", "description": "in May", "tags": ["evening", "Places/Lake"]},
    ]
    for asset, words in zip(three, said, strict=True):
        assert (await api.client.patch(f"/api/v1/assets/{asset}", json=words)).status_code == 200
    await api.client.put(f"/api/v1/assets/{three[2]}/like", json={"liked": True})

    for trashed in (2, 0):
        answer = await merge(api, three[1], three[0], three[2])
        assert (answer.status_code, answer.json()["data"]["trashed"]) == (200, trashed), answer.text

    kept = (await api.client.get(f"/api/v1/assets/{three[1]}")).json()["data"]
    metadata = kept["specific_metadata"]
    assert (kept["title"], kept["description"], kept["rating"], kept["liked"]) == ("The lake", None, 4, True)
    assert metadata["keywords"] == ["evening", "water", "Places/Lake"]
    assert (metadata["gps_latitude"], metadata["gps_longitude"]) == (1.5, 2.5)
    assert await ask(pool, "select count(*), min(cover_asset_id::text) from albums") == [(1, three[1])]
    shown = (await api.client.get(f"/api/v1/albums/{album}/assets")).json()["data"]["assets"]
    assert [one["asset_id"] for one in shown] == [three[1]]
    assert await groups(api) == []
    assert (await listed(api, kind="exact"))["groups"] == []

    await api.client.post("/api/v1/trash/restore", json={"all": True})
    back = (await api.client.get(f"/api/v1/assets/{three[0]}")).json()["data"]
    assert (back["title"], back["is_deleted"]) == ("Lake", False)
    assert len(await groups(api)) == 1


async def test_what_cannot_be_merged_stays_as_it_is(api: Api, pool: Pool, three: list[str], user: User) -> None:
    """Not what is foreign, in the trash, both kept and thrown away, or asked by a key that may not."""
    berta = await people.person(pool, "berta")
    (foreign,) = await pictures(pool, berta, STRONG)
    before = await groups(api)
    key = await api.client.post("/api/v1/auth/keys", json={"name": "k", "scopes": ["edit"]})
    editing = {"Authorization": f"Bearer {key.json()['data']['secret']}"}

    refused = [
        await merge(api, three[0], three[1], foreign),
        await merge(api, foreign, three[1]),
        await merge(api, three[0], uuid4()),
        await dismiss(api, three[0], foreign),
        await restore(api, three[0], foreign),
        await merge(api, three[0], three[0], three[1]),
        await merge(api, three[0]),
        await dismiss(api, three[0], three[0]),
        await restore(api, three[0], three[0]),
        await api.client.post(
            "/api/v1/duplicates/merge", json={"keep": three[0], "others": three[1:]}, headers=editing
        ),
    ]

    assert [one.status_code for one in refused] == [404] * 5 + [400] * 4 + [403]
    assert await groups(api) == before
    await api.client.delete(f"/api/v1/assets/{three[0]}")
    assert (await merge(api, three[0], three[1])).status_code == 409
    assert await ask(pool, "select count(*) from assets where trashed_at is not null") == [1]
    async with people.signed_in(api, berta) as other:
        assert await groups(other) == []


async def test_what_is_dismissed_is_never_found_again(api: Api, pool: Pool, three: list[str]) -> None:
    """Neither in other words nor after everything was compared anew; others of the group stay in it."""
    assert (await dismiss(api, *three[:2])).status_code == 200
    assert [set(group) for group in await groups(api)] == [set(three)]
    assert (await dismiss(api, *three)).status_code == 200

    await do(pool, "insert into likeness_due (asset_id) select asset_id from assets")
    await compare(pool)

    assert await groups(api) == []
    assert await ask(pool, "select count(*) from likeness_pairs where dismissed_at is not null") == [3]


async def test_what_was_dismissed_can_be_taken_back(api: Api, pool: Pool, user: User, three: list[str]) -> None:
    """At once where it was found alike; what is alike by now is found, what was dismissed of others stays so."""
    (odd,) = await pictures(pool, user, STRONG >> 9)
    await dismiss(api, *three, odd)
    assert await groups(api) == []

    answer = await restore(api, *three[:2])
    assert (answer.status_code, "again" in answer.json()["data"]["message"]) == (200, True), answer.text
    assert [set(group) for group in await groups(api)] == [set(three[:2])]
    assert "nobody" in (await restore(api, *three[:2])).json()["data"]["message"]

    assert (await restore(api, *three, odd)).status_code == 200
    assert [set(group) for group in await groups(api)] == [set(three)]
    await compare(pool)
    assert [set(group) for group in await groups(api)] == [set(three)]
    assert await ask(pool, "select count(*) from likeness_pairs") == [3]


async def test_one_asset_at_several_paths_is_told_with_them(api: Api, pool: Pool, three: list[str]) -> None:
    """Those that are there, and nobody else's."""
    for number in range(3):
        await do(
            pool,
            f"""
            insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode, state)
            select repository_id, 'again/{number}.jpg', '{number}.jpg', asset_id, size, 0, {number},
                   '{"missing" if number == 2 else "present"}'
            from file_records where asset_id = '{three[0]}' limit 1
            """,
        )

    (found,) = (await listed(api, kind="exact"))["groups"]

    assert (found["best_asset_id"], [one["path"] for one in found["files"][1:]]) == (
        three[0],
        ["again/0.jpg", "again/1.jpg"],
    )
    assert (await listed(api, kind="exact", after=three[0]))["groups"] == []
    assert (await listed(api, kind="exact", limit="1"))["next"] == three[0]
    async with people.signed_in(api, await people.person(pool, "berta")) as other:
        assert (await listed(other, kind="exact"))["groups"] == []
