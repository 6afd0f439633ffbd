"""Lists in every order: pages follow each other without gaps, and the first one tells how many there are."""

from typing import Any

import pytest

from common.db import Pool
from gateway.queries import lists
from gateway.queries.walks import KEYS, Sort
from tests.support.gateway import Api
from tests.support.given import User
from tests.support.million import seed
from tests.support.rows import ask, do

MADE = """
    insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at, uploaded_at, rating,
                        liked)
    select {owner}, sha256(n::text::bytea), 1 + n % 7, case n % 3 when 0 then 'video' else 'photo' end, 'image/jpeg',
           (array['b.jpg', 'A.jpg', 'Ä 東京.jpg', '%_\\.jpg'])[1 + n % 4],
           timestamp '2026-01-01' + n / 4 * interval '1 h',
           timestamptz '2026-02-01 00:00Z' - n / 2 * interval '1 h', nullif(n % 6, 0), n % 10 = 0
    from generate_series(1, 60) n
"""
PATHS: dict[Sort, Any] = {
    "taken": lambda asset: asset["taken_time"],
    "uploaded": lambda asset: asset["upload_time"],
    "filename": lambda asset: asset["original_filename"].lower(),
    "size": lambda asset: asset["file_size"],
    "rating": lambda asset: (asset["rating"] or 0, asset["taken_time"]),
}


async def filtered(api: Api, **asked: Any) -> dict[str, Any]:
    answer = await api.client.post("/api/v1/assets/filter", json=asked)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


@pytest.fixture
async def many(api: Api, pool: Pool, user: User) -> Api:
    """Sixty assets, of which many have each value."""
    await do(pool, MADE.format(owner=user.user_id))
    return api


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("by", KEYS)
async def test_every_order_pages_without_gaps(many: Api, by: Sort, direction: str) -> None:
    """Every asset comes once, in order, also where many have the same value."""
    asked: dict[str, Any] = {"limit": 7, "sort_by": by, "sort_order": direction}
    found: list[dict[str, Any]] = []
    while True:
        data = await filtered(many, **asked)
        found += data["assets"]
        if "next" not in data:
            break
        asked["after"] = data["next"]

    keys = [(PATHS[by](asset), asset["asset_id"]) for asset in found]
    assert len(found) == 60
    assert keys == sorted(keys, reverse=direction == "desc")


async def test_only_first_pages_tell_the_total(many: Api) -> None:
    """Who leafs on knows it already."""
    first = await filtered(many, limit=10, filter={"types": ["VIDEO"]})

    assert first["total"] == 20
    assert "total_is_at_least" not in first
    assert "total" not in await filtered(many, limit=10, filter={"types": ["VIDEO"]}, after=first["next"])
    assert "total" not in await filtered(many, limit=10, offset=5)
    assert (await filtered(many, limit=5, filter={"rating": 3}))["total"] == 10


async def test_the_total_of_a_plain_list_is_that_of_the_counts(many: Api, pool: Pool) -> None:
    """What is hidden is not counted, however many there are."""
    await do(pool, "update assets set trashed_at = now() where size = 1")

    assert (await filtered(many, limit=1))["total"] == (await ask(pool, "select count(*) from assets where is_shown"))[
        0
    ]
    assert (await filtered(many, limit=1, filter={"type": "PHOTO", "types": ["VIDEO"]}))["total"] == 0


async def test_what_is_many_is_not_counted_to_its_end(many: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that nobody needs exactly costs little, and is told as what it is."""
    monkeypatch.setattr(lists, "MOST_COUNTED", 10)

    data = await filtered(many, limit=1, filter={"has_gps": False})

    assert (data["total"], data["total_is_at_least"]) == (10, True)


async def test_the_next_of_another_order_is_refused(many: Api) -> None:
    """A page of another list would have gaps."""
    end = (await filtered(many, limit=1))["next"]

    for asked in ({"sort_by": "size"}, {"sort_order": "asc"}):
        answer = await many.client.post("/api/v1/assets/filter", json={"after": end, **asked})
        assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "asked", [{"limit": 0}, {"limit": 101}, {"offset": -1}, {"sort_by": "x"}, {"filter": {"x": 1}}]
)
async def test_what_makes_no_sense_is_refused(api: Api, asked: dict[str, Any]) -> None:
    """Nothing is cut or left out silently."""
    answer = await api.client.post("/api/v1/assets/filter", json=asked)

    assert answer.status_code == 400, answer.text


async def test_stars_and_likes_have_lists_of_their_own(many: Api) -> None:
    """Without stars is 0."""
    for path, total in (("rating/5", 10), ("rating/0", 10), ("liked", 6)):
        data = (await many.client.get(f"/api/v1/assets/{path}?limit=4")).json()["data"]
        assert (data["total"], len(data["assets"])) == (total, 4), path
    for path in ("rating/6", "rating/-1", "rating/x"):
        assert (await many.client.get(f"/api/v1/assets/{path}")).status_code in {400, 404}, path


async def test_nobody_sees_what_is_somebody_elses(api: Api, database_url: str) -> None:
    """Each owner's lists are theirs alone, in every order."""
    library = await seed(database_url, assets=400)
    await api.enter("many")

    for by in KEYS:
        data = await filtered(api, limit=100, sort_by=by)
        assert {asset["owner_id"] for asset in data["assets"]} == {library.owners["many"]}


async def test_what_there_is_to_choose_by(api: Api, pool: Pool, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each value once, nothing of what is hidden, and who has more values than are told hears so."""
    assert (await api.client.get("/api/v1/assets/filter-options")).json()["data"]["iso_to"] is None
    await do(pool, MADE.format(owner=user.user_id))
    await do(pool, "update assets set camera = 'X' || size, city = 'Köln', iso = size * 100 where size > 2")
    await do(pool, "update assets set trashed_at = now(), lens = 'hidden' where size = 7")
    monkeypatch.setattr("gateway.lists.MOST_VALUES", 3)

    data = (await api.client.get("/api/v1/assets/filter-options")).json()["data"]

    assert (data["cameras"], data["cut"]) == (["X3", "X4", "X5"], ["cameras"])
    assert (data["cities"], data["lenses"], data["ratings"]) == (["Köln"], [], [0, 1, 2, 3, 4, 5])
    assert (data["iso_from"], data["iso_to"]) == (300, 600)
