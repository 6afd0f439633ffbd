"""Every field of a filter chooses what it says, alone and with others, and whatever is typed into it."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from psycopg.sql import SQL

from common.db import Pool
from common.formats import RAW_TYPES
from gateway.filter_schemas import AssetFilter
from gateway.queries import filters, lists, walks
from gateway.queries.lists import Part
from gateway.queries.walks import KEYS, Order, Sort
from tests.support.filtered import CASES, make_three
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.million import seed
from tests.support.rows import ask, do


@pytest.fixture
async def three(api: Api, pool: Pool, user: User, repository: Repository) -> Api:
    """Three assets that differ in everything."""
    await make_three(pool, user, repository)
    return api


async def chosen(api: Api, wanted: dict[str, Any], repository: Repository) -> str:
    text = json.dumps({"filter": wanted}).replace("REPOSITORY", str(repository.repository_id))
    answer = await api.client.post("/api/v1/assets/filter", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert data["total"] == len(data["assets"])
    return "".join(asset["original_filename"] for asset in data["assets"])


async def test_every_field_chooses_what_it_says(three: Api, repository: Repository) -> None:
    """Alone and with others, the newest first."""
    found = [(wanted, await chosen(three, wanted, repository)) for wanted, _ in CASES]

    assert [(one, other) for one, other in zip(found, CASES, strict=True) if one != other] == []


async def test_what_is_hidden_can_be_asked_for(three: Api, pool: Pool, repository: Repository) -> None:
    """The archive and the trash are lists of their own; what has no file is in none."""
    await do(pool, "update assets set archived_at = now() where original_filename = 'A'")
    await do(pool, "update assets set trashed_at = now() where original_filename = 'B'")
    await do(pool, "update assets set missing_since = now() where original_filename = 'C'")

    for wanted, names in (
        ({}, ""),
        ({"archived": "only"}, "A"),
        ({"archived": "any"}, "A"),
        ({"trashed": True}, "B"),
        ({"trashed": True, "album_id": 1}, "B"),
        ({"archived": "any", "tag": "Places", "rating": 5}, "A"),
        ({"album_id": 1}, ""),
    ):
        assert await chosen(three, wanted, repository) == names, wanted


@pytest.mark.parametrize(
    "wanted",
    [
        {"rating": 6},
        {"unknown": 1},
        {"bbox": {"west": 0, "south": 0, "east": 0}},
        {"bbox": {"west": 181, "south": 0, "east": 0, "north": 0}},
        {"taken": {"from": "2026-01-01T00:00:00Z"}},
        {"date": {"from": "2026-01-01T00:00:00"}},
        {"city": ""},
        {"city": "a\0b"},
        {"tag": "\0"},
        {"filename": {"value": "x", "mode": "like"}},
        {"type": "DOCUMENT"},
        {"folder": "x"},
    ],
)
async def test_what_makes_no_sense_is_refused(api: Api, wanted: dict[str, Any]) -> None:
    """In words, and nothing is left out silently."""
    answer = await api.client.post("/api/v1/assets/filter", json={"filter": wanted})

    assert answer.status_code == 400, answer.text


def everything() -> Iterator[dict[str, Any]]:
    """Filters of one, two and three fields, of each kind."""
    for first in WALKED:
        yield first
        yield first | {"tag": "Family"}
        yield first | {"type": "PHOTO", "taken": {"to": "2015-01-01T00:00:00"}}


WALKED: list[dict[str, Any]] = [
    {"camera": "iPhone 7"},
    {"rating": 4},
    {"liked": True},
    {"label": "summer"},
    {"album_id": 1},
    {"untagged": True},
    {"iso": {"from": 1600}},
    {"repository_id": "REPOSITORY"},
    {"archived": "any"},
    {"trashed": True},
]


@pytest.mark.parametrize("near_by", [0, 1, 80])
async def test_every_way_finds_the_same(
    pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch, near_by: int
) -> None:
    """Whether along an index, near by, or all at once: each once and in order, on every page."""
    library = await seed(database_url, assets=1000)
    owner = library.owners["million"]
    monkeypatch.setattr(lists, "NEAR_BY", near_by)
    monkeypatch.setattr(lists, "MOST_COUNTED", 30 if near_by else 10_000)
    async with pool.connection() as conn:
        for said in everything():
            text = json.dumps(said).replace("REPOSITORY", str(library.repository_id))
            wanted = msgspec.json.decode(text, type=AssetFilter)
            where, values = filters.condition(wanted, owner=owner)
            orders: list[Sort] = list(KEYS) if said in WALKED else ["taken"]
            for by in orders:
                truth = await conn.execute(SQL("select a.asset_id from assets a where {}").format(where), values)
                ids = await paged(conn, wanted, Order(by=by), owner)
                assert sorted(ids) == sorted([row[0] for row in await truth.fetchall()]), (said, by)
                assert ids == await paged(conn, wanted, Order(by=by, is_ascending=True), owner, turned=True), (said, by)


async def paged(conn: Any, wanted: AssetFilter, order: Order, owner: int, *, turned: bool = False) -> list[Any]:
    way = walks.walk(wanted, order, owner=owner)
    page = await lists.list_page(conn, way, order, Part(77))
    ids = page.asset_ids
    while page.end is not None:
        page = await lists.list_page(conn, way, order, Part(77, page.end))
        ids = ids + page.asset_ids
    return ids[::-1] if turned else ids


async def test_raw_files_are_those_that_the_code_knows(pool: Pool) -> None:
    """What the column says is what the formats say."""
    column = "select pg_get_expr(adbin, adrelid) from pg_attrdef where pg_get_expr(adbin, adrelid) like '%x-raw%'"

    said = (await ask(pool, column))[0]

    assert all(one in said for one in RAW_TYPES)
    assert said.count("image/") == len(RAW_TYPES)
