"""Albums that are shared with people who sign in here: who sees what, who may do what, and what goes when they do."""

import pytest

from common.db import Pool
from tests.support.albums import ALBUMS, album, another, assets_of, created, data, filled, listed, shared
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import do


@pytest.fixture
async def berta(pool: Pool, user: User) -> User:
    """Somebody else."""
    return await another(pool, "berta", user)


@pytest.fixture
async def mine(pool: Pool, repository: Repository, user: User) -> list[str]:
    """Three assets of anna's."""
    return await assets_of(pool, repository, user, 3)


async def test_a_member_sees_what_is_in_the_album_and_nothing_else(
    api: Api, mine: list[str], user: User, berta: User
) -> None:
    """Each reading route of an asset answers for what is in the album; where its file lies is told to nobody else."""
    made = await filled(api, mine[:2])
    own = data(await api.client.get(f"/api/v1/assets/{mine[0]}"))
    await shared(api, made, berta)
    await api.enter("berta")

    seen = data(await api.client.get(f"/api/v1/assets/{mine[0]}"))
    page = data(await api.client.get(f"{ALBUMS}/{made}/assets"))["assets"]

    assert (await api.client.get(f"/api/v1/assets/{mine[0]}/original")).status_code == 200
    assert (await api.client.get(f"/api/v1/assets/{mine[2]}")).status_code == 404
    assert (await api.client.get(f"/api/v1/assets/{mine[2]}/original")).status_code == 404
    assert own["stages"]
    assert seen["stages"] == []
    for one in (seen, *page):
        assert (one["repository_id"], one["storage_path"]) == (None, "")
    assert [one["asset_id"] for one in page] == mine[:2]


@pytest.mark.parametrize("route", ["thumbnail", "motion", "video/web", "audio/web", "preview", "waveform", "albums"])
async def test_every_reading_route_tells_members_from_strangers(
    api: Api, mine: list[str], user: User, berta: User, route: str
) -> None:
    """What answers a member says more than that there is no such asset."""
    made = await filled(api, mine[:1])
    await shared(api, made, berta)
    await api.enter("berta")

    member = await api.client.get(f"/api/v1/assets/{mine[0]}/{route}")
    stranger = await api.client.get(f"/api/v1/assets/{mine[2]}/{route}")

    assert stranger.json()["error"] == f"no asset {mine[2]}"
    assert member.json().get("error") != f"no asset {mine[0]}"


async def test_what_is_hidden_is_hidden_from_members(
    api: Api, pool: Pool, mine: list[str], user: User, berta: User
) -> None:
    """In the trash, taken out of the album, or the album deleted: gone at once."""
    made = await filled(api, mine)
    await shared(api, made, berta)
    anna = api.client.headers["Authorization"]
    await do(pool, f"update assets set trashed_at = now() where asset_id = '{mine[0]}'")
    await api.client.delete(f"{ALBUMS}/{made}/assets/{mine[1]}")
    await api.enter("berta")
    berta_signed_in = api.client.headers["Authorization"]

    async def statuses() -> list[int]:
        return [(await api.client.get(f"/api/v1/assets/{asset}/original")).status_code for asset in mine]

    before = await statuses()
    api.client.headers["Authorization"] = anna
    await api.client.delete(f"{ALBUMS}/{made}")
    api.client.headers["Authorization"] = berta_signed_in

    assert before == [404, 404, 200]
    assert await statuses() == [404, 404, 404]


async def test_members_cannot_write_to_what_they_see(api: Api, mine: list[str], user: User, berta: User) -> None:
    """The assets are their owner's: rating, trashing and adding them elsewhere answers 404."""
    made = await filled(api, mine)
    await shared(api, made, berta, "editor")
    await api.enter("berta")
    own = await created(api)

    answers = [
        await api.client.put(f"/api/v1/assets/{mine[0]}/rating", json={"rating": 1}),
        await api.client.delete(f"/api/v1/assets/{mine[0]}"),
        await api.client.post(f"{ALBUMS}/{own}/assets/{mine[0]}"),
    ]

    assert {answer.status_code for answer in answers} == {404}


async def test_viewers_look_and_editors_add_their_own(
    api: Api, pool: Pool, repository: Repository, mine: list[str], user: User, berta: User
) -> None:
    """An editor takes out what is their own; name, order, members and everybody else's assets are the owner's."""
    made = await filled(api, mine)
    await shared(api, made, berta, "viewer")
    anna = api.client.headers["Authorization"]
    hers = await assets_of(pool, repository, berta, 2, start=10)
    await api.enter("berta")
    at = f"{ALBUMS}/{made}"

    as_viewer = await api.client.post(f"{at}/assets/{hers[0]}")
    berta_signed_in = api.client.headers["Authorization"]
    api.client.headers["Authorization"] = anna
    data(await api.client.put(f"{at}/members/{berta.user_id}", json={"role": "editor"}))
    api.client.headers["Authorization"] = berta_signed_in
    data(await api.client.post(f"{at}/assets", json={"asset_ids": hers}))
    data(await api.client.delete(f"{at}/assets/{hers[1]}"))
    refused = [
        await api.client.delete(f"{at}/assets/{mine[0]}"),
        await api.client.put(f"{at}/assets/{hers[0]}/position", json={"position": 0}),
        await api.client.put(at, json={"album_name": "Ours"}),
        await api.client.delete(at),
        await api.client.post(f"{at}/members", json={"username": "berta", "role": "editor"}),
    ]

    assert as_viewer.status_code == 403
    assert {answer.status_code for answer in refused} == {403}
    assert await listed(api, made) == [*mine, hers[0]]


async def test_the_owner_sees_and_removes_what_members_added(
    api: Api, pool: Pool, repository: Repository, user: User, berta: User
) -> None:
    """It is in the owner's album, and the owner's eyes."""
    made = await created(api)
    await shared(api, made, berta, "editor")
    (hers,) = await assets_of(pool, repository, berta, 1, start=10)
    await api.enter("berta")
    await api.client.post(f"{ALBUMS}/{made}/assets/{hers}")
    await api.enter("anna")

    seen = data(await api.client.get(f"/api/v1/assets/{hers}"))
    data(await api.client.delete(f"{ALBUMS}/{made}/assets/{hers}"))

    assert (seen["owner_id"], seen["storage_path"]) == (berta.user_id, "")
    assert (await api.client.get(f"/api/v1/assets/{hers}")).status_code == 404


@pytest.mark.parametrize("who", ["anna", "berta"])
async def test_what_a_member_added_leaves_with_them(
    api: Api, pool: Pool, repository: Repository, mine: list[str], user: User, berta: User, who: str
) -> None:
    """Whether they leave or are let go: nobody's pictures stay where they may not look any more."""
    made = await filled(api, mine)
    await shared(api, made, berta, "editor")
    (hers,) = await assets_of(pool, repository, berta, 1, start=10)
    await api.enter("berta")
    await api.client.post(f"{ALBUMS}/{made}/assets/{hers}")

    await api.enter(who)
    data(await api.client.delete(f"{ALBUMS}/{made}/members/{berta.user_id}"))

    await api.enter("anna")
    assert await listed(api, made) == mine
    await api.enter("berta")
    assert (await api.client.get(f"{ALBUMS}/{made}")).status_code == 404
    assert (await api.client.get(f"/api/v1/assets/{hers}")).status_code == 200


async def test_nobody_learns_who_else_is_here(api: Api, user: User, berta: User) -> None:
    """People are found by their exact names only; an id makes nobody a member, so that no name can be read by it."""
    made = await created(api)
    at = f"{ALBUMS}/{made}/members"

    by_name = [await api.client.post(at, json={"username": name}) for name in ("bert", "berta%", "nobody", "BERTA ")]
    by_id = await api.client.put(f"{at}/{berta.user_id}", json={"role": "viewer"})
    oneself = await api.client.post(at, json={"username": "anna"})

    assert {answer.status_code for answer in by_name} == {404}
    assert by_id.json()["error"] == f"nobody with the id {berta.user_id} has part in this album"
    assert oneself.status_code == 409
    assert [one["username"] for one in data(await api.client.get(at))["members"]] == ["anna"]


async def test_shared_albums_are_listed_apart(api: Api, mine: list[str], user: User, berta: User) -> None:
    """`whose=shared` are those of others, which say whose they are and what one may do there."""
    made = await filled(api, mine)
    await shared(api, made, berta)
    await api.enter("berta")
    own = await created(api, "Winter")

    pages = {whose: data(await api.client.get(ALBUMS, params={"whose": whose})) for whose in ("mine", "shared", "all")}

    found = {whose: [one["album_id"] for one in page["albums"]] for whose, page in pages.items()}
    assert found == {"mine": [own], "shared": [made], "all": [own, made]}
    assert [page["total"] for page in pages.values()] == [1, 1, 2]
    told = pages["shared"]["albums"][0]
    assert (told["owner_name"], told["role"], told["cover_asset_id"]) == ("anna", "viewer", mine[0])


async def test_a_cover_outside_of_the_album_is_the_owners_alone(
    api: Api, mine: list[str], user: User, berta: User
) -> None:
    """Members get no id of what they may not see."""
    made = await created(api, cover_asset_id=mine[2])
    await shared(api, made, berta)
    own = await album(api, made)
    await api.enter("berta")

    assert (own["cover_asset_id"], (await album(api, made))["cover_asset_id"]) == (mine[2], None)
