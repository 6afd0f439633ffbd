"""Whatever a filter leaves is all that a search in words finds, by every part of it, and nothing of anybody else's."""

import json
from typing import Any

import pytest

from common.bus import Bus
from common.db import Pool
from tests.support import looks, people
from tests.support.answering import answering
from tests.support.filtered import CASES, make_three
from tests.support.gateway import Api, serving
from tests.support.given import Repository, User
from tests.support.rows import ask, do

SAY_RED = """
    insert into asset_metadata (asset_id, facts)
    select asset_id, '{"description": "red"}' from assets
    on conflict (asset_id) do update
    set facts = asset_metadata.facts || excluded.facts
"""
PLACES = {"A": "[1,0,0]", "B": "[0,1,0]"}


@pytest.fixture
async def three(pool: Pool, user: User, repository: Repository) -> None:
    """Three assets of anna's, of which nobody has looked at the last; all that berta has is the reddest."""
    await make_three(pool, user, repository)
    berta = await people.person(pool, "berta")
    await make_three(pool, berta, repository, folder="b/")
    await do(pool, SAY_RED)
    space = await looks.space(pool, dimension=3, model="colours")
    for owner, name in ((owner, name) for owner in (user, berta) for name in PLACES):
        where = "[1,0,0]" if owner is berta else PLACES[name]
        await do(
            pool,
            f"insert into embeddings (asset_id, space_id, owner_id, vector)"
            f" select asset_id, {space}, owner_id, '{where}'::halfvec from assets"
            f" where owner_id = {owner.user_id} and original_filename = '{name}'",
        )


async def found(api: Api, kind: str, wanted: dict[str, Any], repository: Repository) -> set[str]:
    asked = {"query": "red", "search_type": kind, "limit": 100, "filter": wanted}
    body = json.dumps(asked).replace("REPOSITORY", str(repository.repository_id))
    answer = await api.client.post("/api/v1/assets/search", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    return {asset["asset_id"] for asset in answer.json()["data"]["assets"]}


async def test_every_filter_holds_for_words_and_for_what_is_shown(
    three: None, pool: Pool, bus: Bus, user: User, repository: Repository
) -> None:
    """By what is shown only what somebody has looked at, by all parts together the rest too, and never berta's."""
    mine = dict(
        await ask(pool, f"select original_filename, asset_id::text from assets where owner_id = {user.user_id}")
    )
    async with serving(pool, bus=bus) as api, answering(bus):
        await api.login(user.username, user.password)
        for wanted, names in CASES:
            meant = {mine[name] for name in names}
            assert await found(api, "semantic", wanted, repository) == meant - {mine["C"]}, wanted
            assert await found(api, "auto", wanted, repository) == meant, wanted


async def test_without_any_vector_words_find_as_much(
    three: None, pool: Pool, bus: Bus, user: User, repository: Repository
) -> None:
    """What is shown finds nothing then, and is no failure."""
    await do(pool, "delete from embeddings")
    async with serving(pool, bus=bus) as api, answering(bus):
        await api.login(user.username, user.password)
        for wanted, count in (({}, 3), ({"tag": "Places"}, 2), ({"repository_id": "REPOSITORY", "type": "PHOTO"}, 1)):
            assert await found(api, "semantic", wanted, repository) == set()
            assert len(await found(api, "auto", wanted, repository)) == count
