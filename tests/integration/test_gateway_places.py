"""The map shows every picture that has a place, once, wherever in the world and however many."""

from typing import Any

import pytest

from common.db import Pool
from gateway import map_squares
from gateway.filter_schemas import Box
from gateway.place_schemas import WORLD
from gateway.queries import places as queries
from gateway.queries.places import Cursor
from tests.support.costs import counted
from tests.support.gateway import Api
from tests.support.given import User
from tests.support.rows import ask, do

ODD = {
    "berlin": (52.52, 13.405),
    "north pole": (90, 0),
    "south pole": (-90, 12),
    "date line, west of it": (-17, 179.999),
    "date line, east of it": (-17, -179.999),
    "date line": (10, 180),
    "other date line": (10, -180),
    "null island": (0, 0),
}


async def make(pool: Pool, user: User, latitude: float, longitude: float, name: str) -> None:
    await do(
        pool,
        f"""
        insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, latitude, longitude)
        values ({user.user_id}, sha256('{name}'), 1, 'photo', 'image/jpeg', '{name}', {latitude}, {longitude})
        """,
    )


async def many(pool: Pool, user: User, count: int, box: Box) -> None:
    await do(
        pool,
        f"""
        insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, latitude, longitude,
                            liked)
        select {user.user_id}, sha256(n::text::bytea), 1, 'photo', 'image/jpeg', n || '.jpg',
               {box.south} + (n % 100) * {box.north - box.south} / 100.0,
               {box.west} + (n / 100) * {box.east - box.west} * 100.0 / {count}, n % 2 = 0
        from generate_series(0, {count} - 1) n
        """,
    )


async def get(api: Api, what: str, **params: Any) -> dict[str, Any]:
    answer = await api.client.get(f"/api/v1/map/{what}", params=params)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


@pytest.mark.parametrize("zoom", [0, 5, 11, 20, 22])
async def test_every_place_is_on_the_map_at_every_zoom(api: Api, pool: Pool, user: User, zoom: int) -> None:
    """Also at the poles and at both sides of the date line."""
    for name, (latitude, longitude) in ODD.items():
        await make(pool, user, latitude, longitude, name)

    world = await get(api, "clusters", zoom=zoom)

    assert world["total"] == len(ODD)
    assert len(world["clusters"]) <= 2000


async def test_a_single_picture_is_where_it_was_taken(api: Api, pool: Pool, user: User) -> None:
    """Close enough, what was a cluster falls apart into its pictures."""
    await make(pool, user, 52.52, 13.405, "gate")
    await make(pool, user, 52.53, 13.405, "tower")
    await make(pool, user, 48.85, 2.35, "paris")
    ids = dict(await ask(pool, "select original_filename, asset_id::text from assets"))

    far = await get(api, "clusters", zoom=3)
    near = await get(api, "clusters", zoom=18, bbox="13.3,52.4,13.5,52.6")
    nearest = await get(api, "clusters", zoom=18, bbox="13.404,52.519,13.406,52.531")

    assert sorted(cluster["count"] for cluster in far["clusters"]) == [1, 2]
    assert near["total"] == 2
    assert {one["asset_id"]: (one["latitude"], one["longitude"]) for one in nearest["clusters"]} == {
        ids["gate"]: (52.52, 13.405),
        ids["tower"]: (52.53, 13.405),
    }


async def test_a_box_may_lie_across_the_date_line(api: Api, pool: Pool, user: User) -> None:
    """Its west is east of its east then."""
    for name, (latitude, longitude) in ODD.items():
        await make(pool, user, latitude, longitude, name)

    clusters = await get(api, "clusters", zoom=6, bbox="179,-20,-179,-15")
    points = await get(api, "points", bbox="179,-20,-179,-15")

    assert clusters["total"] == 2
    assert sorted(point["longitude"] for point in points["points"]) == [-179.999, 179.999]


@pytest.mark.parametrize("limit", [1, 3, 1000])
async def test_pages_of_points_have_everything_once(api: Api, pool: Pool, user: User, limit: int) -> None:
    """Also where many were taken at the same spot."""
    for name, (latitude, longitude) in ODD.items():
        await make(pool, user, latitude, longitude, name)
        await make(pool, user, latitude, longitude, f"{name} again")
    found: list[str] = []
    page = await get(api, "points", limit=limit)
    while True:
        found += [point["asset_id"] for point in page["points"]]
        if "next" not in page:
            break
        page = await get(api, "points", limit=limit, after=page["next"])

    assert sorted(found) == sorted(await ask(pool, "select asset_id::text from assets"))


async def test_a_filter_clusters_what_it_wants(api: Api, pool: Pool, user: User) -> None:
    """And finds the same as the map without one, when it wants everything."""
    box = Box(west=5, south=45, east=15, north=55)
    await many(pool, user, 500, box)
    every = await get(api, "clusters", zoom=5, bbox="5,45,15,55")
    body = {"zoom": 5, "bbox": {"west": 5, "south": 45, "east": 15, "north": 55}}

    same = (await api.client.post("/api/v1/map/clusters", json=body)).json()["data"]
    liked = (await api.client.post("/api/v1/map/clusters", json={**body, "filter": {"liked": True}})).json()["data"]

    assert (every["total"], liked["total"]) == (500, 250)
    assert [(one["count"], round(one["latitude"], 6)) for one in same["clusters"]] == [
        (one["count"], round(one["latitude"], 6)) for one in every["clusters"]
    ]


async def test_what_is_not_shown_or_not_ones_own_is_not_on_the_map(api: Api, pool: Pool, user: User) -> None:
    """Neither in clusters nor as points."""
    await do(pool, "insert into users (username, email, password_hash) values ('bert', 'bert@localhost', 'x')")
    (bert,) = await ask(pool, "select user_id from users where username = 'bert'")
    await make(pool, User(bert, "bert", ""), 1, 1, "of bert")
    await make(pool, user, 1, 1, "of anna")
    await do(pool, f"update assets set trashed_at = now() where owner_id = {user.user_id}")

    assert await get(api, "clusters", zoom=3) == {"clusters": [], "total": 0}
    assert (await get(api, "points"))["points"] == []


@pytest.mark.parametrize(
    "query",
    [
        *("clusters", "clusters?zoom=23", "clusters?zoom=-1"),
        *("clusters?zoom=3&bbox=1,2,3", "clusters?zoom=3&bbox=a,b,c,d"),
        *("clusters?zoom=3&bbox=nan,0,1,1", "clusters?zoom=3&bbox=0,-91,1,1", "points?bbox=0,0,inf,1"),
        *("points?limit=1001", "points?after=x"),
    ],
)
async def test_nonsense_is_refused(api: Api, query: str) -> None:
    """In words."""
    answer = await api.client.get(f"/api/v1/map/{query}")

    assert answer.status_code == 400, query


async def test_a_part_of_the_map_reads_no_other(pool: Pool, user: User) -> None:
    """However many pictures there are elsewhere, and a page no more than a page of each of its few squares."""
    await many(pool, user, 20_000, Box(west=5, south=45, east=15, north=55))
    await do(pool, "analyze assets")
    box = Box(west=10, south=50, east=10.2, north=50.2)

    async with counted(pool) as (conn, clusters):
        found = await queries.list_clusters(conn, map_squares.cover(box, zoom=9, most=2000), owner=user.user_id)
    async with counted(pool) as (conn, page):
        cover = map_squares.cover(Box(west=5, south=45, east=15, north=55), most=16)
        points = await queries.list_places(
            conn, Box(west=5, south=45, east=15, north=55), cover, owner=user.user_id, after=None, limit=20
        )

    assert clusters.rows == sum(cluster.count for cluster in found) < 100
    assert len(points) == 20
    assert page.rows <= 16 * 20


async def test_a_page_of_the_whole_map_reads_a_page(pool: Pool, user: User) -> None:
    """Squares that lie side by side are one stretch of the index."""
    await many(pool, user, 2000, WORLD)
    await do(pool, "analyze assets")
    place, seen = None, 0

    for _ in range(3):
        async with counted(pool) as (conn, page):
            points = await queries.list_places(
                conn, WORLD, map_squares.cover(WORLD, most=16), owner=user.user_id, after=place, limit=300
            )
        assert (len(points), page.rows) == (300, 300)
        assert points == sorted(points, key=lambda point: (point.cell, point.asset_id))
        assert seen <= points[0].cell
        place, seen = Cursor(cell=points[-1].cell, asset_id=points[-1].asset_id), points[-1].cell
