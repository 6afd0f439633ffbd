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
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.million import seed
from tests.support.rows import ask, do

# A: an old raw photo from Fiji with all that can be known. B: a video from Paris. C: a recording that says nothing.
MADE = """
    insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, uploaded_at, taken_at, liked)
    select {owner}, sha256(name::bytea), 1, kind, mime, name, uploaded, taken, name = 'A'
    from (values
        ('A', 'photo', 'image/x-canon-cr2', timestamptz '2026-01-01 00:00Z', timestamp '2001-02-03 04:05'),
        ('B', 'video', 'video/mp4', '2026-01-02 00:00Z', '2026-01-01 12:00'),
        ('C', 'audio', 'audio/mpeg', '2026-01-03 00:00Z', null)
    ) made (name, kind, mime, uploaded, taken);
    insert into asset_metadata (asset_id, facts)
    select asset_id, facts::jsonb
    from assets
    join (values
        ('A', '{{"camera_make": "Canon", "camera_model": "5D", "lens_model": "50mm", "iso_speed": 100, "rating": 5,
                 "gps_latitude": -17.5, "gps_longitude": 179.5, "country": "Fiji", "region": "North", "city": "Labasa",
                 "keywords": ["Places/Fiji/Labasa", "100%_\\\\\\\\"]}}'),
        ('B', '{{"camera_make": "Apple", "camera_model": "iPhone", "rating": 3, "gps_latitude": 48.8,
                 "gps_longitude": 2.3, "iso_speed": 3200, "country": "France", "city": "Paris",
                 "keywords": ["Places"]}}')
    ) said (name, facts) on name = original_filename;
    insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode)
    select '{repository}', path, '', asset_id, 1, 0, 0
    from assets
    join (values ('A', '\\x612f62ff2f782e6a7067'::bytea), ('B', 'a%2Fb/c.mp4'), ('C', 'ab/x.mp3')) at (name, path)
      on name = original_filename;
    insert into labels (asset_id, label, owner_id, sort_at, score, source)
    select asset_id, 'Parus major', owner_id, sort_at, 0.9, 'species' from assets where original_filename = 'A';
    insert into stack_keys (owner_id, kind, key, asset_id, role)
    select owner_id, stacks.kind, key, asset_id, 'frame'
    from assets, (values ('burst', '1', 'AB'), ('live', '2', 'C')) stacks (kind, key, names)
    where names like '%' || original_filename || '%';
    insert into asset_stages (asset_id, stage, owner_id, state, error)
    select asset_id, 'render', owner_id, case original_filename when 'A' then 'failed' else 'done' end,
           case original_filename when 'A' then 'no image' end
    from assets;
    insert into albums (owner_id, album_name) values ({owner}, 'One');
    insert into album_assets (album_id, asset_id, position)
    select album_id, asset_id, 1 from albums, assets where original_filename <> 'A';
"""
CASES: list[tuple[dict[str, Any], str]] = [
    ({}, "CBA"),
    ({"type": "PHOTO"}, "A"),
    ({"types": ["PHOTO", "AUDIO"]}, "CA"),
    ({"types": []}, ""),
    ({"owner_id": 999_999}, ""),
    ({"raw": True}, "A"),
    ({"raw": False}, "CB"),
    ({"rating": 5}, "A"),
    ({"rating": 0}, "C"),
    ({"rating_range": {"from": 3}}, "BA"),
    ({"rating_range": {"to": 3}}, "CB"),
    ({"liked": True}, "A"),
    ({"liked": False}, "CB"),
    ({"date": {"from": "2026-01-02T00:00:00Z"}}, "CB"),
    ({"date": {"from": "2026-01-02T01:00:00+01:00", "to": "2026-01-03T00:00:00Z"}}, "B"),
    ({"taken": {"to": "2001-02-03T04:05:01"}}, "A"),
    ({"taken": {"from": "2001-02-03T04:05:01", "to": "2026-01-01T12:00:00"}}, ""),
    ({"camera_make": "Canon"}, "A"),
    ({"camera": "iPhone"}, "B"),
    ({"lens": "50mm"}, "A"),
    ({"iso": {"from": 101}}, "B"),
    ({"iso": {"from": 100, "to": 100}}, "A"),
    ({"country": "Fiji"}, "A"),
    ({"region": "North"}, "A"),
    ({"city": "Paris"}, "B"),
    ({"has_gps": True}, "BA"),
    ({"has_gps": False}, "C"),
    ({"bbox": {"west": 0, "south": 40, "east": 10, "north": 50}}, "B"),
    ({"bbox": {"west": 170, "south": -20, "east": -170, "north": 0}}, "A"),
    ({"bbox": {"west": -170, "south": -90, "east": 170, "north": 90}}, "B"),
    ({"bbox": {"west": 10, "south": 50, "east": 20, "north": 40}}, ""),
    ({"tag": "Places"}, "BA"),
    ({"tag": "Places/Fiji"}, "A"),
    ({"tag": "places"}, ""),
    ({"tag": "100%_\\\\"}, "A"),
    ({"tag": "100__\\\\"}, ""),
    ({"untagged": True}, "C"),
    ({"untagged": False}, "BA"),
    ({"label": "Parus major"}, "A"),
    ({"label": "'; drop table assets; --"}, ""),
    ({"album_id": 1}, "CB"),
    ({"album_id": 2}, ""),
    ({"stack": "burst"}, "BA"),
    ({"stack": "live"}, ""),
    ({"stage_state": {"state": "failed"}}, "A"),
    ({"stage_state": {"state": "failed", "stage": "place"}}, ""),
    ({"stage_state": {"state": "done", "stage": "render"}}, "CB"),
    ({"stage_state": {"state": "pending"}}, ""),
    ({"repository_id": "REPOSITORY"}, "CBA"),
    ({"repository_id": "00000000-0000-0000-0000-000000000000"}, ""),
    ({"repository_id": "REPOSITORY", "folder": "a"}, "A"),
    ({"repository_id": "REPOSITORY", "folder": "a%2Fb/"}, "B"),
    ({"repository_id": "REPOSITORY", "folder": "a%"}, ""),
    ({"repository_id": "REPOSITORY", "folder": "%"}, ""),
    ({"archived": "only"}, ""),
    ({"archived": "any"}, "CBA"),
    ({"trashed": True}, ""),
    ({"ids": []}, ""),
    ({"tag": "Places", "album_id": 1}, "B"),
    ({"tag": "Places", "label": "Parus major", "rating": 5, "raw": True, "stack": "burst"}, "A"),
    ({"camera": "5D", "city": "Paris"}, ""),
    ({"has_gps": True, "taken": {"from": "2020-01-01T00:00:00"}, "iso": {"from": 1}}, "B"),
    ({"city": "𠮷\u0301%_\\"}, ""),
]


@pytest.fixture
async def three(api: Api, pool: Pool, user: User, repository: Repository) -> Api:
    """Three assets that differ in everything."""
    for statement in MADE.format(owner=user.user_id, repository=repository.repository_id).split(";\n"):
        await do(pool, statement)
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
