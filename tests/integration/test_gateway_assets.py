"""Lists are the caller's own, in order, and pages follow each other without gaps."""

from typing import Any

import pytest

from common.db import Pool
from tests.support.gateway import JPEG, Api
from tests.support.given import User
from tests.support.rows import do

PNG = b"\x89PNG\r\n\x1a\n" + bytes(5000)
FIELDS = {
    "title",
    "description",
    "rating",
    "liked",
    "archived_at",
    "asset_id",
    "owner_id",
    "repository_id",
    "type",
    "status",
    "original_filename",
    "storage_path",
    "mime_type",
    "file_size",
    "hash",
    "width",
    "height",
    "duration",
    "upload_time",
    "taken_time",
    "is_deleted",
    "deleted_at",
    "missing_since",
    "thumbhash",
    "live_video_id",
    "has_motion",
    "has_preview",
    "has_waveform",
    "specific_metadata",
}
BELONGINGS = {"tags", "albums", "species_predictions"}
PLACED = """
    insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode)
    select repository_id, 'inbox/beach.jpg', file_name, asset_id, size, 0, 0 from uploads
"""
MANY = """
    insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at)
    select %s, sha256(n::text::bytea), n, case n %% 3 when 0 then 'video' else 'photo' end, 'image/jpeg', n || '.jpg',
           timestamp '2026-01-01 12:00' + (n / 4) * interval '1 hour'
    from generate_series(1, 50) n
"""


async def test_a_list_has_the_shape_of_the_contract(api: Api) -> None:
    """Every asset comes with its fields, the newest first."""
    first = await api.uploaded(JPEG, name="one.jpg")
    second = await api.uploaded(PNG, name="two.png")

    data = (await api.client.get("/api/v1/assets")).json()["data"]

    assert [asset["asset_id"] for asset in data["assets"]] == [second["asset_id"], first["asset_id"]]
    assert [asset["mime_type"] for asset in data["assets"]] == ["image/png", "image/jpeg"]
    assert (set(data["assets"][0]), data["limit"], data["offset"]) == (FIELDS, 20, 0)
    assert data["assets"][0] | {"type": "PHOTO", "status": "processing", "storage_path": ""} == data["assets"][0]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_follow_each_other_without_gaps(api: Api, pool: Pool, user: User, order: str) -> None:
    """Following `next` gives every asset once and in order, also where many have the same time."""
    await make_many(pool, user)
    pages: list[dict[str, Any]] = []
    params = {"limit": "7", "sort_order": order}
    while True:
        data = (await api.client.get("/api/v1/assets", params=params)).json()["data"]
        pages += data["assets"]
        if "next" not in data:
            break
        params["after"] = data["next"]

    found = [(asset["taken_time"], asset["asset_id"]) for asset in pages]
    assert len(found) == 50
    assert found == sorted(found, reverse=order == "desc")


async def test_limit_and_offset_are_honoured(api: Api, pool: Pool, user: User) -> None:
    """The contract's paging works too; more than 100 are refused and not cut."""
    await make_many(pool, user)
    whole = await listed(api, limit="100")

    assert await listed(api, limit="5", offset="10") == whole[10:15]
    assert (await api.client.get("/api/v1/assets?limit=101")).status_code == 400


async def test_kinds_can_be_chosen(api: Api, pool: Pool, user: User) -> None:
    """`type` and `types` narrow the list to what they name, in either case of letters."""
    await make_many(pool, user)

    assert {asset["type"] for asset in await listed(api, type="VIDEO", limit="100")} == {"VIDEO"}
    assert len(await listed(api, types="photo,AUDIO", limit="100")) == 34
    assert len(await listed(api, types="PHOTO, VIDEO", limit="100")) == 50


async def test_the_list_of_somebody_else_is_empty(api: Api, pool: Pool, user: User) -> None:
    """An owner can name only themselves."""
    await make_many(pool, user)

    assert await listed(api, owner_id=str(user.user_id + 1)) == []
    assert len(await listed(api, owner_id=str(user.user_id))) == 20


async def test_questions_without_sense_are_refused(api: Api) -> None:
    """A wrong kind, order, number or cursor is answered with 400 and a reason."""
    for query in (
        "type=DOCUMENT",
        "types=PHOTO,,",
        "sort_order=up",
        "limit=0",
        "limit=x",
        "offset=-1",
        "offset=99999999999999999999",
        "after=x",
        "after=bnVsbA==",
        "after=WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsIjAxYTIwNTgxLWNjMjYtNzY1Ny04MzhiLTNmMzNkMmFmYTI1ZSJd",
        "after=%00%ff",
    ):
        answer = await api.client.get(f"/api/v1/assets?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, 400), query


async def test_an_asset_tells_its_progress_and_its_failures(api: Api, pool: Pool) -> None:
    """A client that waits for a photo sees each stage, and the reason where one failed."""
    asset = (await api.uploaded())["asset_id"]
    await do(pool, "update asset_stages set state = 'done', next_at = null where stage = 'place'")
    await do(pool, "update asset_stages set state = 'failed', error = 'no image' where stage = 'render'")

    data = (await api.client.get(f"/api/v1/assets/{asset}")).json()["data"]

    assert set(data) == FIELDS | {"edited", "thumbnails", "renditions", "web_policy", "stages", "stacks"} | BELONGINGS
    assert data["status"] == "failed"
    assert data["stages"] == [
        {"stage": "place", "state": "done", "error": None},
        {"stage": "render", "state": "failed", "error": "no image"},
    ]


async def test_an_asset_whose_original_is_gone_is_not_complete(api: Api, pool: Pool) -> None:
    """All work is done, and people must still hear that there is nothing left of it."""
    asset = (await api.uploaded())["asset_id"]
    await do(pool, "update asset_stages set state = 'done', next_at = null")
    await do(pool, PLACED)
    await do(pool, "update file_records set state = 'missing'")

    data = (await api.client.get(f"/api/v1/assets/{asset}")).json()["data"]

    assert (data["status"], data["storage_path"]) == ("warning", "")


async def test_a_processed_asset_is_complete(api: Api, pool: Pool) -> None:
    """With every stage done the asset is complete and shows what was seen in it; edits win over facts."""
    asset = (await api.uploaded())["asset_id"]
    await do(pool, "update asset_stages set state = 'done', next_at = null")
    await do(pool, PLACED)
    async with pool.connection() as conn:
        await conn.execute(
            """
            update assets
            set width = 40, height = 30, taken_at = '2026-05-04 03:02:01', taken_offset_minutes = 120, thumbhash = 'ab'
            """
        )
        await conn.execute(
            """
            insert into asset_metadata (asset_id, facts, edits)
            values (%s, '{"camera_model": "X100", "rating": 1}', '{"rating": 5}')
            """,
            (asset,),
        )

    data = (await api.client.get(f"/api/v1/assets/{asset}", params={"include_thumbnails": "false"})).json()["data"]

    assert (data["status"], data["width"], data["height"]) == ("complete", 40, 30)
    assert (data["taken_time"], data["thumbhash"]) == ("2026-05-04T03:02:01+02:00", "YWI=")
    assert data["specific_metadata"] == {"camera_model": "X100", "rating": 5}


async def test_trashed_assets_are_not_listed(api: Api, pool: Pool) -> None:
    """What is in the trash is hidden from lists and can still be looked at."""
    asset = (await api.uploaded())["asset_id"]
    async with pool.connection() as conn:
        await conn.execute("update assets set trashed_at = now()")

    assert await listed(api) == []
    data = (await api.client.get(f"/api/v1/assets/{asset}")).json()["data"]
    assert data["is_deleted"]
    assert data["deleted_at"]


async def test_the_kinds_of_assets_are_told(api: Api) -> None:
    """A client can ask what an asset can be."""
    answer = await api.client.get("/api/v1/assets/types")

    assert answer.json()["data"] == {"types": ["PHOTO", "VIDEO", "AUDIO"]}


async def make_many(pool: Pool, user: User) -> None:
    async with pool.connection() as conn:
        await conn.execute(MANY, (user.user_id,))


async def listed(api: Api, **params: str) -> list[dict[str, Any]]:
    answer = await api.client.get("/api/v1/assets", params=params)
    assert answer.status_code == 200, answer.text
    assets: list[dict[str, Any]] = answer.json()["data"]["assets"]
    return assets


async def test_an_asset_tells_what_it_belongs_to(api: Api, pool: Pool, user: User) -> None:
    """Its own tags, its albums and what models see in it, each unless it is not wanted."""
    asset = (await api.uploaded())["asset_id"]
    await do(pool, f"""insert into asset_metadata (asset_id, facts) values ('{asset}', '{{"keywords": ["A/B"]}}')""")
    await do(pool, f"insert into albums (owner_id, album_name) values ({user.user_id}, 'One')")
    await do(pool, f"insert into album_assets (album_id, asset_id, position) values (1, '{asset}', 1)")
    await do(
        pool,
        "insert into labels (asset_id, label, owner_id, sort_at, score, source, model)"
        " select asset_id, 'Parus major', owner_id, sort_at, 0.5, 'bioclip_classify', 'bioclip' from assets",
    )

    data = (await api.client.get(f"/api/v1/assets/{asset}")).json()["data"]

    assert [tag["tag_name"] for tag in data["tags"]] == ["A/B"]
    assert [(album["album_id"], album["album_name"]) for album in data["albums"]] == [(1, "One")]
    seen = {"label": "Parus major", "score": 0.5, "source": "bioclip_classify", "model": "bioclip"}
    assert data["species_predictions"] == [seen]
    for name, field in (("tags", "tags"), ("albums", "albums"), ("species", "species_predictions")):
        answer = await api.client.get(f"/api/v1/assets/{asset}", params={f"include_{name}": "false"})
        assert field not in answer.json()["data"]


async def test_what_is_shown_can_be_sent_back_with_changes(api: Api, pool: Pool) -> None:
    """What a person can say is kept; the file's own word is refused where it is different, and harmless where not."""
    asset = (await api.uploaded())["asset_id"]
    await do(
        pool,
        f"""
        insert into asset_metadata (asset_id, facts)
        values ('{asset}', '{{"camera_model": "5D", "taken_time": "2020-01-01T00:00:00", "rating": 2}}')
        """,
    )
    path = f"/api/v1/assets/{asset}"
    shown = (await api.client.get(path)).json()["data"]["specific_metadata"]

    same = await api.client.put(path, json={"specific_metadata": shown})
    fixed = await api.client.put(path, json={"specific_metadata": shown | {"camera_model": "6D", "f_number": 2}})
    wrong = await api.client.put(path, json={"specific_metadata": {"rating": 9}})
    changed = await api.client.put(
        path,
        json={
            "specific_metadata": shown | {"taken_time": "2021-02-03T04:05:06+02:00", "keywords": ["A"], "title": "T"}
        },
    )

    assert (same.status_code, fixed.status_code, wrong.status_code, changed.status_code) == (200, 422, 400, 200)
    assert same.json()["data"]["message"] == "nothing is different"
    assert fixed.json()["error"].startswith("camera_model, f_number: the file says so")
    data = (await api.client.get(path)).json()["data"]
    assert (data["taken_time"], data["title"], data["rating"]) == ("2021-02-03T04:05:06+02:00", "T", 2)
    assert (data["specific_metadata"]["keywords"], data["edited"]) == (
        ["A"],
        ["offset_minutes", "tags", "taken_time", "title"],
    )
    unknown = "/api/v1/assets/00000000-0000-0000-0000-000000000000"
    assert (await api.client.put(unknown, json={"specific_metadata": {}})).status_code == 404
