"""What people put together stays together until they take it apart."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from common.db import Pool
from processor import queries as processor_queries
from tests.support import given
from tests.support.gateway import JPEG, Api, serving
from tests.support.given import User
from tests.support.rows import ask


@pytest.fixture
async def four(api: Api) -> list[str]:
    """The ids of four uploaded photos."""
    return [(await api.uploaded(JPEG + bytes([number])))["asset_id"] for number in range(4)]


async def make(api: Api, *assets: str, **more: Any) -> httpx.Response:
    return await api.client.post("/api/v1/stacks", json={"asset_ids": list(assets), **more})


async def listed(api: Api, **parameters: str) -> list[dict[str, Any]]:
    stacks: list[dict[str, Any]] = (await api.client.get("/api/v1/stacks", params=parameters)).json()["data"]["stacks"]
    return stacks


async def test_a_stack_shows_its_cover_first(api: Api, pool: Pool, four: list[str]) -> None:
    """In the order of the request otherwise; made twice it is one; its assets and lists tell of it."""
    for _ in range(2):
        made = await make(api, four[2], four[0], four[1], cover_asset_id=four[1])
        assert made.status_code == 200, made.text
    await make(api, four[2], four[0], four[1])

    assert [(one["cover_asset_id"], one["asset_ids"]) for one in await listed(api)] == [
        (four[1], [four[1], four[2], four[0]])
    ]
    (told,) = (await api.client.get(f"/api/v1/assets/{four[0]}")).json()["data"]["stacks"]
    assert (told["kind"], told["cover_asset_id"], len(told["members"])) == ("manual", four[1], 3)
    assert await ask(pool, "select count(*) from outbox where subject = 'lumilio.assets.updated'") == [1]
    chosen = await api.client.post(
        "/api/v1/operations", json={"action": {"kind": "like", "liked": True}, "filter": {"stack": "manual"}}
    )
    assert chosen.json()["data"]["total"] == 3


async def test_another_cover_and_no_stack(api: Api, four: list[str]) -> None:
    """Only a member can be the cover; what is taken apart can be put together again."""
    stack = (await make(api, *four[:2])).json()["data"]["stack_id"]

    changed = await api.client.patch(f"/api/v1/stacks/{stack}", json={"cover_asset_id": four[1]})
    refused = await api.client.patch(f"/api/v1/stacks/{stack}", json={"cover_asset_id": four[2]})
    gone = await api.client.delete(f"/api/v1/stacks/{stack}")

    assert (changed.json()["data"]["cover_asset_id"], refused.status_code) == (four[1], 409)
    assert (gone.status_code, await listed(api)) == (200, [])
    assert (await api.client.delete(f"/api/v1/stacks/{stack}")).status_code == 404
    assert (await make(api, *four)).status_code == 200


async def test_an_asset_is_in_one_stack(api: Api, four: list[str]) -> None:
    """The answer says in which, and nothing is changed; a stack of one is none."""
    first = (await make(api, *four[:2])).json()["data"]["stack_id"]

    second = await make(api, four[1], four[2])

    assert (second.status_code, f"in the stack {first} already" in second.json()["error"]) == (409, True)
    assert (await make(api, four[3], four[3])).status_code == 400
    assert (await make(api, four[3])).status_code == 400
    assert (await make(api, four[2], four[3], cover_asset_id=four[0])).status_code == 400
    assert len(await listed(api)) == 1


async def test_reading_a_file_again_takes_nothing_apart(api: Api, pool: Pool, four: list[str], user: User) -> None:
    """What follows from files is written anew, beside it."""
    await make(api, *four[:2])

    async with pool.connection() as conn:
        await processor_queries.save_stack_keys(conn, UUID(four[0]), owner=user.user_id, keys=[])

    assert len(await listed(api)) == 1


async def test_what_is_thrown_away_is_not_in_the_stack(api: Api, four: list[str]) -> None:
    """Nor is a stack of fewer than two shown, until they are back; another one stands for the cover meanwhile."""
    await make(api, *four[:3])
    await api.client.delete(f"/api/v1/assets/{four[0]}")
    assert [one["cover_asset_id"] for one in await listed(api)] == [four[1]]
    await api.client.delete(f"/api/v1/assets/{four[1]}")
    assert await listed(api) == []

    for one in four[:2]:
        await api.client.post(f"/api/v1/assets/{one}/restore")

    assert [one["asset_ids"] for one in await listed(api)] == [four[:3]]


async def test_stacks_are_listed_page_by_page(api: Api, four: list[str]) -> None:
    """The newest first."""
    made = [(await make(api, *pair)).json()["data"]["stack_id"] for pair in (four[:2], four[2:])]

    page = (await api.client.get("/api/v1/stacks", params={"limit": "1"})).json()["data"]

    assert [one["stack_id"] for one in page["stacks"]] == made[1:]
    assert [one["stack_id"] for one in await listed(api, after=str(page["next"]))] == made[:1]
    assert (await api.client.get("/api/v1/stacks", params={"limit": "101"})).status_code == 400


async def test_nobody_puts_together_what_is_not_theirs(api: Api, pool: Pool, four: list[str], user: User) -> None:
    """Foreign and unknown ones are the same, and nothing is left of the request."""
    stack = (await make(api, *four[:2])).json()["data"]["stack_id"]
    (known,) = await ask(pool, "select password_hash from users where username = 'anna'")
    other = await given.new_user(pool, "berta", user.password, password_hash=known)
    async with serving(pool) as served:
        await served.enter(other.username)
        answers = [
            await make(served, *four[2:]),
            await make(served, str(uuid4()), str(uuid4())),
            await served.client.patch(f"/api/v1/stacks/{stack}", json={"cover_asset_id": four[1]}),
            await served.client.delete(f"/api/v1/stacks/{stack}"),
        ]
        assert await listed(served) == []

    assert [answer.status_code for answer in answers] == [404] * 4
    assert await ask(pool, "select count(*) from stacks") == [1]
