"""Albums over HTTP: what they are called, what is in them, and in which order."""

import json
from uuid import uuid4

import pytest

from common.db import Pool
from tests.support.albums import ALBUMS, album, another, assets_of, created, data, filled, listed
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import do

XSS = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "</title><svg onload=alert(1)>"]


@pytest.fixture
async def mine(pool: Pool, repository: Repository, user: User) -> list[str]:
    """Five assets of anna's."""
    return await assets_of(pool, repository, user, 5)


async def test_an_album_is_made_with_nothing_but_a_name(api: Api, user: User) -> None:
    """It is empty, and its owner's."""
    made = data(await api.client.post(ALBUMS, json={"album_name": "Summer"}))

    assert made | {"album_id": 0, "created_at": "", "updated_at": ""} == {
        "album_id": 0,
        "user_id": user.user_id,
        "owner_name": "anna",
        "role": "owner",
        "album_name": "Summer",
        "description": None,
        "cover_asset_id": None,
        "asset_count": 0,
        "created_at": "",
        "updated_at": "",
    }


async def test_a_cover_may_be_given_before_anything_is_in_the_album(api: Api, mine: list[str]) -> None:
    """Clients of the contract give one with the name."""
    made = await created(api, cover_asset_id=mine[2])

    found = await album(api, made)

    assert (found["cover_asset_id"], found["asset_count"]) == (mine[2], 0)


async def test_the_cover_falls_back_to_the_first_asset(api: Api, pool: Pool, mine: list[str]) -> None:
    """None given, one in the trash, one that is taken out: the first that is shown stands for the album."""
    made = await filled(api, mine)
    covers = [(await album(api, made))["cover_asset_id"]]
    await api.client.put(f"{ALBUMS}/{made}", json={"cover_asset_id": mine[3]})
    covers.append((await album(api, made))["cover_asset_id"])

    await do(pool, f"update assets set trashed_at = now() where asset_id = '{mine[3]}'")
    covers.append((await album(api, made))["cover_asset_id"])
    await api.client.put(f"{ALBUMS}/{made}", json={"cover_asset_id": mine[4]})
    await api.client.delete(f"{ALBUMS}/{made}/assets/{mine[4]}")
    covers.append((await album(api, made))["cover_asset_id"])

    assert covers == [mine[0], mine[3], mine[0], mine[0]]


async def test_a_purged_cover_falls_back(api: Api, pool: Pool, mine: list[str]) -> None:
    """The row of the asset is gone, the album is not."""
    made = await filled(api, mine)
    await api.client.put(f"{ALBUMS}/{made}", json={"cover_asset_id": mine[3]})

    await do(pool, f"delete from uploads where asset_id = '{mine[3]}'")
    await do(pool, f"delete from assets where asset_id = '{mine[3]}'")

    found = await album(api, made)
    assert (found["cover_asset_id"], found["asset_count"]) == (mine[0], 4)


async def test_what_is_not_said_of_an_album_stays(api: Api, mine: list[str]) -> None:
    """Name, description and cover change one by one; null takes one away."""
    made = await created(api, description="by the sea", cover_asset_id=mine[0])

    await api.client.put(f"{ALBUMS}/{made}", json={"album_name": "Winter"})
    renamed = await album(api, made)
    await api.client.put(f"{ALBUMS}/{made}", json={"description": None})
    found = await album(api, made)

    assert (renamed["album_name"], renamed["description"]) == ("Winter", "by the sea")
    assert (found["album_name"], found["description"], found["cover_asset_id"]) == ("Winter", None, mine[0])


async def test_albums_are_listed_with_their_true_total(api: Api) -> None:
    """Pages follow each other by `next` or `offset`, and the total is that of all pages."""
    made = [await created(api, f"Album {number}") for number in range(5)]

    first = data(await api.client.get(ALBUMS, params={"limit": 2}))
    second = data(await api.client.get(ALBUMS, params={"limit": 2, "after": first["next"]}))
    last = data(await api.client.get(ALBUMS, params={"limit": 2, "offset": 4}))

    pages = [[one["album_id"] for one in page["albums"]] for page in (first, second, last)]
    assert pages == [made[:2:-1], made[2:0:-1], made[:1]]
    assert {page["total"] for page in (first, second, last)} == {5}
    assert "next" not in last


async def test_a_deleted_album_leaves_its_assets(api: Api, mine: list[str]) -> None:
    """An album with assets in it can be deleted, and no asset is touched."""
    made = await filled(api, mine)

    data(await api.client.delete(f"{ALBUMS}/{made}"))

    assert (await api.client.get(f"{ALBUMS}/{made}")).status_code == 404
    assert (await api.client.get(f"/api/v1/assets/{mine[0]}")).status_code == 200


async def test_assets_are_added_one_by_one_without_a_body(api: Api, mine: list[str]) -> None:
    """From either side; with a position they stand there, and what is in the album stays where it is."""
    made = await created(api)

    data(await api.client.post(f"{ALBUMS}/{made}/assets/{mine[0]}"))
    data(await api.client.post(f"{ALBUMS}/{made}/assets/{mine[1]}", json={}))
    data(await api.client.post(f"{ALBUMS}/{made}/assets/{mine[2]}", json={"position": 0}))
    data(await api.client.post(f"{ALBUMS}/{made}/assets/{mine[2]}", json={"position": 2}))
    data(await api.client.post(f"/api/v1/assets/{mine[3]}/albums/{made}"))

    assert await listed(api, made) == [mine[2], mine[0], mine[1], mine[3]]


async def test_many_are_added_all_or_none(api: Api, mine: list[str]) -> None:
    """In the order that they are named in; one unknown among them, and the album stays as it is."""
    made = await created(api)

    refused = await api.client.post(f"{ALBUMS}/{made}/assets", json={"asset_ids": [*mine, str(uuid4())]})
    before = await listed(api, made)
    data(await api.client.post(f"{ALBUMS}/{made}/assets", json={"asset_ids": [*mine[::-1], mine[0]]}))

    assert (refused.status_code, before) == (404, [])
    assert await listed(api, made) == mine[::-1]


async def test_an_asset_is_moved_to_a_place_of_what_is_shown(api: Api, pool: Pool, mine: list[str]) -> None:
    """The place counts what the album shows, and beyond its end is at its end."""
    made = await filled(api, mine)
    await do(pool, f"update assets set trashed_at = now() where asset_id = '{mine[0]}'")

    data(await api.client.put(f"{ALBUMS}/{made}/assets/{mine[4]}/position", json={"position": 1}))
    moved = await listed(api, made)
    data(await api.client.put(f"{ALBUMS}/{made}/assets/{mine[1]}/position", json={"position": 99}))

    assert moved == [mine[1], mine[4], mine[2], mine[3]]
    assert await listed(api, made) == [mine[4], mine[2], mine[3], mine[1]]


async def test_what_is_taken_out_is_still_there_elsewhere(api: Api, mine: list[str]) -> None:
    """Taking out is no deleting, and doing it twice is nothing more."""
    made = await filled(api, mine)

    answers = [await api.client.delete(f"{ALBUMS}/{made}/assets/{mine[1]}") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert await listed(api, made) == [mine[0], *mine[2:]]
    assert (await api.client.get(f"/api/v1/assets/{mine[1]}")).status_code == 200


@pytest.mark.parametrize("sort", ["position", "taken", "added"])
@pytest.mark.parametrize("sort_order", ["asc", "desc"])
async def test_pages_of_an_album_follow_each_other(api: Api, mine: list[str], sort: str, sort_order: str) -> None:
    """In each order: pages by `next` are the whole list, each asset once, with its place; the first says how many."""
    made = await filled(api, [mine[3], mine[1], mine[0], mine[4], mine[2]])
    asked = {"sort": sort, "sort_order": sort_order}
    whole = await listed(api, made, **asked)

    found = []
    after: dict[str, str] = {}
    while True:
        page = data(await api.client.get(f"{ALBUMS}/{made}/assets", params={**asked, "limit": 2, **after}))
        found += [(asset["asset_id"], asset["position"]) for asset in page["assets"]]
        assert page.get("total") == (None if after else 5)
        if "next" not in page:
            break
        after = {"after": page["next"]}

    assert found == [(asset, place) for place, asset in enumerate(whole)]
    assert sorted(whole) == sorted(mine)
    assert await listed(api, made, **asked, offset=3) == whole[3:]


async def test_an_album_is_sorted_by_the_time_of_taking(api: Api, pool: Pool, mine: list[str]) -> None:
    """Also after the time was corrected."""
    made = await filled(api, mine)

    for day, asset in enumerate((mine[2], mine[0], mine[4], mine[1], mine[3]), 1):
        await do(pool, f"update assets set taken_at = '2020-01-0{day}' where asset_id = '{asset}'")

    assert await listed(api, made, sort="taken") == [mine[2], mine[0], mine[4], mine[1], mine[3]]


async def test_what_is_in_the_trash_keeps_its_place(api: Api, pool: Pool, mine: list[str]) -> None:
    """It is neither shown nor counted, and stands where it stood when it is back."""
    made = await filled(api, mine)

    await do(pool, f"update assets set trashed_at = now() where asset_id = '{mine[1]}'")
    without = (await listed(api, made), (await album(api, made))["asset_count"])
    await do(pool, f"update assets set trashed_at = null where asset_id = '{mine[1]}'")

    assert without == ([mine[0], *mine[2:]], 4)
    assert (await listed(api, made), (await album(api, made))["asset_count"]) == (mine, 5)


async def test_an_asset_tells_the_albums_that_it_is_in(api: Api, mine: list[str]) -> None:
    """With its place in each."""
    first = await filled(api, mine, "first")
    second = await filled(api, mine[2:], "second")

    found = data(await api.client.get(f"/api/v1/assets/{mine[3]}/albums"))

    told = [(one["album_id"], one["album_name"], one["position"]) for one in found["albums"]]
    assert (told, found["count"]) == ([(second, "second", 1), (first, "first", 3)], 2)


@pytest.mark.parametrize("hostile", XSS)
async def test_names_come_back_as_they_were_given(api: Api, hostile: str) -> None:
    """What would be markup elsewhere is text here, and unharmed."""
    made = await created(api, hostile, description=hostile)

    answer = await api.client.get(f"{ALBUMS}/{made}")

    assert answer.headers["content-type"].startswith("application/json")
    assert (data(answer)["album_name"], data(answer)["description"]) == (hostile, hostile)


@pytest.mark.parametrize(
    "said",
    [
        {"album_name": ""},
        {"album_name": "   "},
        {"album_name": "x" * 101},
        {"description": "no name"},
        {"album_name": "Summer", "owner_id": 1},
        {"album_name": "\0"},
    ],
)
async def test_senseless_albums_are_refused(api: Api, said: dict[str, object]) -> None:
    """With a reason."""
    answer = await api.client.post(ALBUMS, content=json.dumps(said), headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize("asked", [{"limit": 101}, {"limit": 0}, {"offset": -1}, {"after": "x"}, {"sort": "size"}])
async def test_senseless_pages_are_refused(api: Api, asked: dict[str, str | int], mine: list[str]) -> None:
    """Never silently cut."""
    made = await filled(api, mine)

    assert (await api.client.get(f"{ALBUMS}/{made}/assets", params=asked)).status_code == 400


async def test_albums_of_somebody_else_do_not_exist(api: Api, pool: Pool, user: User, mine: list[str]) -> None:
    """Each route of an album answers for a foreign one as for none, and a foreign asset is not added."""
    theirs = await filled(api, mine)
    await another(pool, "berta", user)
    await api.enter("berta")
    own = await created(api)

    for album_id in (theirs, 10_000):
        at, asset = f"{ALBUMS}/{album_id}", f"{ALBUMS}/{album_id}/assets/{mine[0]}"
        answers = [
            await api.client.get(at),
            await api.client.put(at, json={"album_name": "mine now"}),
            await api.client.delete(at),
            await api.client.get(f"{at}/assets"),
            await api.client.post(f"{at}/assets", json={"asset_ids": mine}),
            await api.client.post(asset),
            await api.client.delete(asset),
            await api.client.put(f"{asset}/position", json={"position": 0}),
            await api.client.get(f"{at}/members"),
        ]
        assert {answer.status_code for answer in answers} == {404}
    assert (await api.client.post(f"{ALBUMS}/{own}/assets/{mine[0]}")).status_code == 404
    assert (await api.client.post(ALBUMS, json={"album_name": "x", "cover_asset_id": mine[0]})).status_code == 404
    assert (await api.client.get(f"/api/v1/assets/{mine[0]}/albums")).status_code == 404
    assert [one["album_id"] for one in data(await api.client.get(ALBUMS))["albums"]] == [own]
