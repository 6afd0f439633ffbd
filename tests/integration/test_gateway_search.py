"""People find photos by parts of names and by words, in every script, in any order, and only their own."""

from itertools import product
from typing import Any

import pytest

from common.db import Pool
from gateway.queries import texts
from tests.support.gateway import Api
from tests.support.given import User
from tests.support.million import seed
from tests.support.rows import ask, do

NAMES = [
    *("IMG_1234.JPG", "img_12345.jpg", "DSC%_1.ARW", "a\\b.jpg", "東京旅行_1.jpg", "Été à la plage.jpg", "Strasse.jpg"),
    *("cafe\u0301.jpg", "𠮷野家.jpg", "😀 smile.jpg", "İstanbul.jpg", "ﾎﾟｽﾄ.jpg", "한글.jpg"),
]
FOUND = {
    "1234": ["IMG_1234.JPG", "img_12345.jpg"],
    "IMG 5.j": ["img_12345.jpg"],
    "jpg 京旅": ["東京旅行_1.jpg"],
    "旅": ["東京旅行_1.jpg"],
    "ete": ["Été à la plage.jpg"],
    "ÉTÉ PLAGE": ["Été à la plage.jpg"],
    "straße": ["Strasse.jpg"],
    "café": ["cafe\u0301.jpg"],
    "𠮷": ["𠮷野家.jpg"],
    "😀": ["😀 smile.jpg"],
    "istanbul": ["İstanbul.jpg"],
    "ポスト": ["ﾎﾟｽﾄ.jpg"],
    "글": ["한글.jpg"],
    "%": ["DSC%_1.ARW"],
    "%_": ["DSC%_1.ARW"],
    "\\": ["a\\b.jpg"],
    "c%1": [],
    "zzz": [],
    "' or true --": [],
}


async def named(pool: Pool, user: User, names: list[str]) -> None:
    """An asset for each name, a month apart: the first is the newest."""
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename, taken_at)
            select %s, sha256(place::text::bytea), place, 'photo', 'image/jpeg', name,
                   timestamp '2026-06-01' - place * interval '1 month'
            from unnest(%s::text[]) with ordinality given (name, place)
            """,
            (user.user_id, names),
        )


async def found(api: Api, query: str, **asked: Any) -> dict[str, Any]:
    answer = await api.client.post(
        "/api/v1/assets/search", json={"query": query, "search_type": "filename", "limit": 100, **asked}
    )
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def names(api: Api, query: str, **asked: Any) -> list[str]:
    return [asset["original_filename"] for asset in (await found(api, query, **asked))["assets"]]


@pytest.mark.parametrize("query", FOUND)
async def test_names_are_found_by_any_part(api: Api, pool: Pool, user: User, query: str) -> None:
    """Case, accents and widths do not count, nor does any letter stand for others."""
    await named(pool, user, NAMES)

    assert await names(api, query) == FOUND[query]


async def test_words_that_were_said_are_found(api: Api, pool: Pool, user: User) -> None:
    """Of the title, the description and the tags, as a person said them last; all words of a query are needed."""
    await named(pool, user, ["one.jpg", "two.jpg"])
    await do(
        pool,
        """
        insert into asset_metadata (asset_id, facts)
        select asset_id, '{"title": "At the Harbour", "description": "日本の夏\\nsecond", "keywords": ["Family/Zoë"]}'
        from assets where original_filename = 'one.jpg'
        """,
    )

    for query in ("harb", "the HARBOUR", "夏", "second", "zoe", "family one", "本の 夏"):
        assert await names(api, query) == ["one.jpg"], query
    assert await names(api, "harbour two") == []

    await do(pool, """update asset_metadata set edits = '{"title": null, "tags": ["Boats"]}'""")

    assert (await names(api, "harbour"), await names(api, "zoe"), await names(api, "boats")) == ([], [], ["one.jpg"])


async def test_what_is_hidden_or_somebody_elses_is_not_found(
    api: Api, pool: Pool, user: User, database_url: str
) -> None:
    """The same words of others are others'."""
    await seed(database_url, assets=300)
    await named(pool, user, ["IMG_1.JPG", "IMG_2.JPG", "IMG_3.JPG"])
    await do(pool, "update assets set trashed_at = now() where original_filename = 'IMG_2.JPG'")
    await do(pool, "update assets set archived_at = now() where original_filename = 'IMG_3.JPG'")

    assert await names(api, "IMG") == ["IMG_1.JPG"]
    assert await names(api, "IMG", filter={"trashed": True}) == ["IMG_2.JPG"]
    assert await names(api, "IMG", filter={"archived": "any"}) == ["IMG_1.JPG", "IMG_3.JPG"]


async def test_a_moved_asset_is_found_in_its_new_time(api: Api, pool: Pool, user: User) -> None:
    """What is indexed by season follows the time that a person says."""
    await named(pool, user, ["a1.jpg", "a2.jpg"])
    await do(pool, "update assets set edited_taken_at = '1826-01-01' where original_filename = 'a1.jpg'")

    assert await names(api, "a") == ["a2.jpg", "a1.jpg"]
    assert await names(api, "a", sort_order="asc") == ["a1.jpg", "a2.jpg"]


@pytest.mark.parametrize("few", [0, 3000])
async def test_every_way_of_looking_finds_the_same(
    api: Api, pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Whether much or little is wanted otherwise: in order, page by page, without gaps, and counted."""
    library = await seed(database_url, assets=1500)
    await api.enter("million")
    monkeypatch.setattr(texts, "FEW", few)
    monkeypatch.setattr(texts, "MOST_COUNTED", few or 10)
    monkeypatch.setattr(texts, "MOST_SORTED", few)
    monkeypatch.setattr(texts, "NEAR_BY", few)
    truth = await ask(
        pool,
        f"""
        select asset_id::text from assets a join asset_texts using (asset_id)
        where a.owner_id = {library.owners["million"]} and is_shown and words like '%img%' and words like '%7%'
          and kind = 'photo'
        """,
    )

    for by, direction in product(("taken", "uploaded", "filename", "size", "rating"), ("asc", "desc")):
        way = (by, direction)
        asked = {"limit": 60, "sort_by": by, "sort_order": direction, "filter": {"type": "PHOTO"}}
        data = await found(api, "IMG 7", **asked)
        assert (data["total"], len(truth) > 100) == (len(truth) if few else 10, True), way
        ids = [asset["asset_id"] for asset in data["assets"]]
        while "next" in data:
            data = await found(api, "IMG 7", **asked, after=data["next"])
            ids += [asset["asset_id"] for asset in data["assets"]]
        assert sorted(ids) == sorted(truth), way
        whole = {"filter": {"type": "PHOTO"}, "sort_by": by, "sort_order": direction, "limit": 100}
        first = (await api.client.post("/api/v1/assets/filter", json=whole)).json()["data"]["assets"]
        among = [asset["asset_id"] for asset in first if asset["asset_id"] in set(truth)]
        assert ids[: len(among)] == among, way
        later = (await found(api, "IMG 7", **asked, offset=5))["assets"]
        assert [one["asset_id"] for one in later] == ids[5:65], way


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("contains", "mg_12", ["IMG_1234.JPG", "img_12345.jpg"]),
        ("matches", "img_1234.jpg", ["IMG_1234.JPG"]),
        ("startswith", "ÉTÉ à", ["Été à la plage.jpg"]),
        ("endswith", ".arw", ["DSC%_1.ARW"]),
        ("contains", "%", ["DSC%_1.ARW"]),
        ("contains", "_", ["IMG_1234.JPG", "img_12345.jpg", "DSC%_1.ARW", "東京旅行_1.jpg"]),
        ("contains", "\\", ["a\\b.jpg"]),
        ("contains", " ", ["Été à la plage.jpg", "😀 smile.jpg"]),
        ("endswith", "\\", []),
    ],
)
async def test_a_filter_reads_names_in_four_ways(
    api: Api, pool: Pool, user: User, mode: str, value: str, expected: list[str]
) -> None:
    """Upper and lower case are the same; every sign means itself."""
    await named(pool, user, NAMES)

    asked = {"limit": 100, "filter": {"filename": {"value": value, "mode": mode}}}
    data = (await api.client.post("/api/v1/assets/filter", json=asked)).json()["data"]

    assert [asset["original_filename"] for asset in data["assets"]] == expected


@pytest.mark.parametrize("query", ["", "a\0b", "x" * 201, "\ud800"])
async def test_queries_that_are_none_are_refused(api: Api, query: str) -> None:
    """With words, and not as a failure of the server."""
    body = b'{"search_type": "filename", "query": "%s"}' % query.encode("unicode_escape").replace(b"\\x00", b"\\u0000")
    answer = await api.client.post("/api/v1/assets/search", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400, answer.text


async def test_a_query_of_blanks_finds_all(api: Api, pool: Pool, user: User) -> None:
    """Nothing is asked of the words."""
    await named(pool, user, ["one.jpg"])

    assert await names(api, " \t\u3000") == ["one.jpg"]


async def test_nothing_finds_what_pictures_show_yet(api: Api) -> None:
    """Who asks hears why."""
    answer = await api.client.post("/api/v1/assets/search", json={"query": "a cat", "search_type": "semantic"})

    assert (answer.status_code, "inference server" in answer.json()["error"]) == (422, True)
