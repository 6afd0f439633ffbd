"""Tags are a tree that follows what is said of photos; renaming one renames it everywhere."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.db import Pool
from gateway.queries import tags as queries
from tests.support import given
from tests.support.gateway import JPEG, Api, serving
from tests.support.given import User
from tests.support.rows import ask
from tests.support.waiting import until

PATHS = "select path from tags order by path"
SAID = "select edits -> 'tags' from asset_metadata order by asset_id"
WAITING = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


@pytest.fixture
async def two(api: Api) -> list[str]:
    """The ids of two uploaded photos, in their order."""
    return sorted([(await api.uploaded(JPEG + bytes([number])))["asset_id"] for number in range(2)])


async def tag(api: Api, asset: str, *paths: str) -> list[str]:
    """Give an asset tags one after the other; returns all that it has then."""
    for path in paths:
        answer = await api.client.put(f"/api/v1/assets/{asset}/tags", json={"path": path})
        assert answer.status_code == 200, answer.text
    tags: list[str] = answer.json()["data"]["tags"]
    return tags


async def listed(api: Api, **parameters: str) -> list[dict[str, Any]]:
    answer = await api.client.get("/api/v1/tags", params=parameters)
    assert answer.status_code == 200, answer.text
    tags: list[dict[str, Any]] = answer.json()["data"]["tags"]
    return tags


async def tag_id(api: Api, path: str) -> int:
    (found,) = [one["tag_id"] for one in await listed(api) if one["path"] == path]
    return int(found)


async def make(api: Api, path: str) -> httpx.Response:
    return await api.client.post("/api/v1/tags", json={"path": path})


async def test_to_tag_is_to_edit(api: Api, pool: Pool, two: list[str]) -> None:
    """The edits say it, the sidecar is to be written at once, it is told, and a second time changes nothing."""
    for _ in range(2):
        assert await tag(api, two[0], "Places / Paris") == ["Places/Paris"]

    assert await ask(pool, SAID) == [["Places/Paris"]]
    assert await ask(pool, "select state, lane from asset_stages where stage = 'sidecar'") == [("pending", 0)]
    assert await ask(pool, "select count(*) from outbox where subject = 'lumilio.asset.updated'") == [1]


async def test_the_tree_counts_what_is_shown(api: Api, two: list[str]) -> None:
    """A tag has what is just its own and all below it; what is thrown away is in neither."""
    await tag(api, two[0], "Places", "Places/Paris")
    await tag(api, two[1], "Places/Rome/Forum")

    assert [(one["path"], one["own_assets"], one["assets"], one["has_children"]) for one in await listed(api)] == [
        ("Places", 1, 2, True),
        ("Places/Paris", 1, 1, False),
        ("Places/Rome", 0, 1, True),
        ("Places/Rome/Forum", 1, 1, False),
    ]
    await api.client.delete(f"/api/v1/assets/{two[1]}")
    assert (await listed(api))[0]["assets"] == 1


async def test_tags_are_found_by_level_and_by_beginning(api: Api, two: list[str]) -> None:
    """Page by page in the order of the tree, whatever characters they have."""
    await tag(api, two[0], "A", "A B", "A/x", "A/x/y", "b%", "Ünï/pa")

    async def paths(**parameters: str) -> list[str]:
        return [one["path"] for one in await listed(api, **parameters)]

    assert await paths() == ["A", "A/x", "A/x/y", "A B", "b%", "Ünï", "Ünï/pa"]
    assert await paths(parent="") == ["A", "A B", "b%", "Ünï"]
    assert await paths(parent="A") == ["A/x"]
    assert await paths(prefix="PA") == ["Ünï/pa"]
    assert await paths(prefix="%") == []
    page = (await api.client.get("/api/v1/tags", params={"limit": "2"})).json()["data"]
    assert await paths(after=page["next"], limit="2") == ["A/x/y", "A B"]
    assert (await api.client.get("/api/v1/tags", params={"limit": "101"})).status_code == 400


async def test_a_tag_of_no_asset_stays_only_if_it_was_made(api: Api, pool: Pool, two: list[str]) -> None:
    """By hand, that is, however often; others vanish with their last asset."""
    made = [await make(api, "Made/here") for _ in range(2)]
    await tag(api, two[0], "Made/here", "Other/there", "stays")

    gone = await api.client.delete(f"/api/v1/assets/{two[0]}/tags", params={"path": "Other/there"})
    by_id = await api.client.delete(f"/api/v1/assets/{two[0]}/tags/{await tag_id(api, 'Made/here')}")

    assert made[0].json() == made[1].json()
    assert gone.json()["data"]["tags"] == ["Made/here", "stays"]
    assert by_id.json()["data"]["tags"] == ["stays"]
    assert await ask(pool, PATHS) == ["Made", "Made/here", "stays"]
    for path in ("", " / ", "\u0007", "x" * 201):
        assert (await make(api, path)).status_code == 400


async def test_a_tag_is_renamed_with_all_below_it(api: Api, pool: Pool, two: list[str]) -> None:
    """At every asset, also one in the trash; what only begins alike stays."""
    await tag(api, two[0], "Places/Paris", "Places", "Placeset")
    await tag(api, two[1], "Places/Rome/Forum")
    await make(api, "Places/empty")
    await api.client.delete(f"/api/v1/assets/{two[1]}")

    renamed = await api.client.patch(f"/api/v1/tags/{await tag_id(api, 'Places')}", json={"path": "Travel/Europe"})

    data = renamed.json()["data"]
    assert (renamed.status_code, data["path"]) == (202, "Travel/Europe")
    assert (data["operation"]["state"], data["operation"]["changed"]) == ("done", 2)
    assert data["operation"]["title"] == "rename the tag Places to Travel/Europe"
    assert await ask(pool, SAID) == [
        ["Travel/Europe/Paris", "Travel/Europe", "Placeset"],
        ["Travel/Europe/Rome/Forum"],
    ]
    assert [one["path"] for one in await listed(api)] == [
        *("Placeset", "Travel", "Travel/Europe", "Travel/Europe/Paris"),
        *("Travel/Europe/Rome", "Travel/Europe/Rome/Forum", "Travel/Europe/empty"),
    ]


async def test_a_tag_may_become_one_that_is_there(api: Api, pool: Pool, two: list[str]) -> None:
    """An asset that had both has one; a tag cannot lie below itself."""
    await tag(api, two[0], "cat", "Animals/Cat")

    below = await api.client.patch(f"/api/v1/tags/{await tag_id(api, 'cat')}", json={"path": "cat/x"})
    await api.client.patch(f"/api/v1/tags/{await tag_id(api, 'cat')}", json={"path": "Animals/Cat"})

    assert below.status_code == 409
    assert await ask(pool, SAID) == [["Animals/Cat"]]
    assert await ask(pool, PATHS) == ["Animals", "Animals/Cat"]


async def test_a_deleted_tag_is_gone_with_all_below_it(api: Api, pool: Pool, two: list[str]) -> None:
    """Also one that was made by hand, and one that no asset has."""
    await tag(api, two[0], "Places/Paris", "stays")
    await make(api, "Places/empty")
    await make(api, "alone")

    gone = await api.client.delete(f"/api/v1/tags/{await tag_id(api, 'Places')}")
    alone = await api.client.delete(f"/api/v1/tags/{await tag_id(api, 'alone')}")

    assert [one.json()["data"]["operation"]["state"] for one in (gone, alone)] == ["done", "done"]
    assert await ask(pool, SAID) == [["stays"]]
    assert await ask(pool, PATHS) == ["stays"]


async def test_nobody_touches_the_tags_of_others(api: Api, pool: Pool, two: list[str], user: User) -> None:
    """Foreign tags and assets are answered like those that do not exist, and stay as they are."""
    await tag(api, two[0], "mine")
    mine = await tag_id(api, "mine")
    (known,) = await ask(pool, "select password_hash from users where username = 'anna'")
    other = await given.new_user(pool, "berta", user.password, password_hash=known)
    async with serving(pool) as served:
        await served.enter(other.username)
        assert await listed(served) == []
        await make(served, "hers")
        hers = await tag_id(served, "hers")
        client = served.client
        answers = [
            await client.patch(f"/api/v1/tags/{mine}", json={"path": "x"}),
            await client.delete(f"/api/v1/tags/{mine}"),
            await client.put(f"/api/v1/assets/{two[0]}/tags", json={"path": "x"}),
            await client.put(f"/api/v1/assets/{uuid4()}/tags", json={"path": "x"}),
            await client.put(f"/api/v1/assets/{two[0]}/tags/{hers}"),
            await client.delete(f"/api/v1/assets/{two[0]}/tags/{mine}"),
            await client.delete(f"/api/v1/assets/{two[0]}/tags", params={"path": "mine"}),
        ]

    assert [answer.status_code for answer in answers] == [404] * 7
    assert await ask(pool, SAID) == [["mine"]]
    assert await ask(pool, PATHS) == ["hers", "mine"]


async def test_a_tag_that_is_just_given_is_not_swept_away(api: Api, pool: Pool, two: list[str], user: User) -> None:
    """Whoever forgets empty tags while an asset gets one leaves it; the tables say what the edits say."""
    await tag(api, two[0], "x")
    await api.client.patch(f"/api/v1/assets/{two[0]}", json={"tags": []})
    assert await ask(pool, PATHS) == ["x"]

    async with pool.connection() as conn:  # somebody who has just forgotten it
        await queries.forget_empty(conn, owner=user.user_id)
        giving = asyncio.create_task(tag(api, two[0], "x"))
        await until(lambda: ask(pool, WAITING))
    await giving

    counts = "select count(*) from asset_tags join tags using (tag_id) where path = 'x'"
    assert (await ask(pool, SAID), await ask(pool, counts)) == ([["x"]], [1])
    async with pool.connection() as conn:
        await queries.forget_empty(conn, owner=user.user_id)
    assert await ask(pool, PATHS) == ["x"]
