"""People teach a label by a few pictures, see how far it is, and take it back."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from common.db import Pool
from ml_dispatcher import learnt
from tests.support import looks, people
from tests.support.gateway import Api
from tests.support.given import User
from tests.support.looks import vector
from tests.support.rows import ask, do

LABELS = "/api/v1/labels"


@pytest.fixture
async def pictures(pool: Pool, user: User) -> list[UUID]:
    """Forty pictures, of which the first twenty show the same; one of those is in the trash."""
    made = await looks.pictures(pool, user, *[None] * 40)
    space = await looks.space(pool)
    angles = [number / 4 for number in range(20)] + [90 + number for number in range(20)]
    await looks.seen(pool, space, made, [vector(angle) for angle in angles])
    await do(pool, f"update assets set trashed_at = now() where asset_id = '{made[19]}'")
    return made


async def teach(api: Api, label: str, examples: list[UUID], counters: list[UUID] | None = None) -> httpx.Response:
    body = {"label": label, "examples": list(map(str, examples)), "counter_examples": list(map(str, counters or []))}
    return await api.client.post(LABELS, json=body)


async def listed(api: Api, **parameters: str) -> dict[str, Any]:
    answer = await api.client.get(LABELS, params=parameters)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def learn(pool: Pool) -> None:
    while await learnt.learn_next(pool, asyncio.Event()):
        pass


async def test_a_label_is_taught_corrected_and_forgotten(api: Api, pool: Pool, pictures: list[UUID]) -> None:
    """It is found by what it is called; more examples make it better; others keep what a model said of them."""
    made = await teach(api, "  Our \n garden ", pictures[:6])
    assert made.status_code == 202, made.text
    label = made.json()["data"]
    assert (label["label"], label["state"], label["progress"], label["examples"]) == ("Our garden", "waiting", 0, 6)
    assert await ask(pool, "select body ->> 'label_id' from outbox where subject = 'lumilio.label.taught'") == [
        str(label["label_id"])
    ]
    await learn(pool)

    shown = await listed(api)
    assert shown["labels"] == [{"label": "Our garden", "count": 19, "count_is_at_least": False}]
    assert (shown["taught"][0]["state"], shown["taught"][0]["progress"]) == ("ready", 1)
    found = await api.client.post("/api/v1/assets/filter", json={"filter": {"label": "Our garden"}, "limit": 100})
    assert {one["asset_id"] for one in found.json()["data"]["assets"]} == set(map(str, pictures[:19]))

    more = {"examples": [str(pictures[7])], "counter_examples": [str(pictures[1])]}
    changed = await api.client.patch(f"{LABELS}/{label['label_id']}", json=more)
    assert (changed.status_code, changed.json()["data"]["counter_examples"]) == (202, 1), changed.text
    await learn(pool)
    assert str(pictures[1]) not in await ask(pool, "select asset_id::text from labels")

    await do(pool, f"update labels set source = 'smart_classify' where asset_id = '{pictures[3]}'")
    assert (await api.client.delete(f"{LABELS}/{label['label_id']}")).status_code == 200
    assert await ask(pool, "select asset_id from labels") == [pictures[3]]
    assert await ask(pool, "select count(*) from learnt_examples") == [0]
    assert (await api.client.delete(f"{LABELS}/{label['label_id']}")).status_code == 404


async def test_what_makes_no_label_is_refused(api: Api, pool: Pool, pictures: list[UUID]) -> None:
    """And nothing of it is kept."""
    berta = await people.person(pool, "berta")
    (foreign,) = await looks.pictures(pool, berta, None)
    label = (await teach(api, "garden", pictures[:6])).json()["data"]["label_id"]
    one = f"{LABELS}/{label}"

    refused = [
        await teach(api, "garden", pictures[:6]),
        await teach(api, "x", [*pictures[:5], foreign]),
        await teach(api, "x", [*pictures[:5], uuid4()]),
        await teach(api, "x", pictures[:4]),
        await teach(api, "x", [pictures[0]] * 5),
        await teach(api, "x", pictures[:5], [pictures[4]]),
        await teach(api, " \n\t ", pictures[:5]),
        await teach(api, "x" * 101, pictures[:5]),
        await api.client.patch(one, json={}),
        await api.client.patch(one, json={"examples": [str(foreign)]}),
    ]

    assert [one.status_code for one in refused] == [409, 404, 404, *[400] * 6, 404]
    assert [one["label"] for one in (await listed(api))["taught"]] == ["garden"]
    async with people.signed_in(api, berta) as other:
        answers = [await other.client.patch(one, json={"examples": [str(foreign)]}), await other.client.delete(one)]
        assert ([one.status_code for one in answers], (await listed(other))["taught"]) == ([404, 404], [])


async def test_labels_are_listed_page_by_page(api: Api, pool: Pool, pictures: list[UUID]) -> None:
    """By their names, each with how many pictures of the caller's have it."""
    for number, label in enumerate(("ant", "bee", "cat")):
        for asset in pictures[: number + 1]:
            await do(
                pool,
                f"insert into labels (asset_id, label, owner_id, sort_at, score, source)"
                f" select asset_id, '{label}', owner_id, sort_at, 1, 'species' from assets where asset_id = '{asset}'",
            )

    first = await listed(api, limit="2")
    second = await listed(api, limit="2", after=first["next"])

    assert [(one["label"], one["count"]) for one in first["labels"] + second["labels"]] == [
        ("ant", 1),
        ("bee", 2),
        ("cat", 3),
    ]
    assert "next" not in second
