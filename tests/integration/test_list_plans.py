"""Lists walk the indexes that are made for them: none sorts or reads the whole, in any order, by any usual filter."""

from typing import Any

import msgspec
import pytest
from psycopg.sql import SQL

from common.db import Connection, Pool
from gateway.filter_schemas import AssetFilter
from gateway.queries import lists, walks
from gateway.queries.lists import PAGE, Part
from gateway.queries.walks import KEYS, Order, Sort
from tests.support.million import Library, seed

INDEXES: dict[str, tuple[dict[str, Any], Sort]] = {
    "assets_timeline": ({}, "taken"),
    "assets_kept": ({"archived": "any"}, "taken"),
    "assets_uploaded": ({}, "uploaded"),
    "assets_names": ({}, "filename"),
    "assets_sizes": ({}, "size"),
    "assets_stars": ({}, "rating"),
    "assets_kinds": ({"type": "VIDEO"}, "taken"),
    "assets_makes": ({"camera_make": "Canon"}, "taken"),
    "assets_cameras": ({"camera": "PowerShot G3"}, "taken"),
    "assets_lenses": ({"lens": "EF 50mm f/1.8"}, "taken"),
    "assets_countries": ({"country": "Country 5"}, "taken"),
    "assets_regions": ({"region": "Region 9"}, "taken"),
    "assets_cities": ({"city": "City 7"}, "taken"),
    "assets_liked": ({"liked": True}, "taken"),
    "assets_raw": ({"raw": True}, "taken"),
    "assets_nowhere": ({"has_gps": False}, "taken"),
    "asset_tags_timeline": ({"tag": "Events/Expo"}, "taken"),
    "labels_timeline": ({"label": "zeppelin"}, "taken"),
    "album_assets_taken": ({"album_id": 1}, "taken"),
}


async def explained(conn: Connection, wanted: AssetFilter, order: Order, owner: int) -> str:
    way = walks.walk(wanted, order, owner=owner)
    statement = SQL("explain (costs off) {}").format(lists.written(PAGE, way, order, Part(100)))
    rows = await (await conn.execute(statement, way.values, prepare=False)).fetchall()
    return "\n".join(row[0] for row in rows)


async def test_every_list_walks_its_own_index(pool: Pool, database_url: str) -> None:
    """Both ways, without a sort, whatever stands in it."""
    library: Library = await seed(database_url, assets=30_000)

    async with pool.connection() as conn:
        for index, (said, by) in INDEXES.items():
            for is_ascending in (False, True):
                wanted = msgspec.convert(said, AssetFilter)
                plan = await explained(conn, wanted, Order(by=by, is_ascending=is_ascending), library.owners["million"])
                assert index in plan, (said, by, plan)
                assert "Sort" not in plan, (said, by, plan)
                assert "Seq Scan on assets" not in plan, (said, by, plan)


@pytest.mark.parametrize("by", KEYS)
async def test_pages_deep_in_a_list_are_walked_too(pool: Pool, database_url: str, by: Sort) -> None:
    """A page is found at its place in the index, not by counting up to it."""
    library = await seed(database_url, assets=3000)
    owner, order = library.owners["million"], Order(by=by)
    way = walks.walk(AssetFilter(), order, owner=owner)
    async with pool.connection() as conn:
        page = await lists.list_page(conn, way, order, Part(1000))
        part = Part(100, page.end)
        statement = SQL("explain (costs off) {}").format(lists.written(PAGE, way, order, part))
        assert page.end is not None
        values = way.values | lists.places("after", page.end.keys)
        plan = "\n".join(row[0] for row in await (await conn.execute(statement, values, prepare=False)).fetchall())

    condition = next(line for line in plan.splitlines() if "Index Cond" in line)
    assert "ROW(" in condition, plan
    assert "Sort" not in plan, plan
