"""Where the first server did other than its documentation said: here both say the same, one test for each of them."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from common.db import Pool
from ingest.handlers import Ingest
from tests.support import given, placing, thumbs
from tests.support.gateway import JPEG, Api, serving
from tests.support.given import Repository
from tests.support.rows import ask

API = "/api/v1"
PERSON = {"username": "carla", "email": "carla@example.org", "password": "a long enough password"}
RELATIONS = {"thumbnails", "renditions", "stages", "stacks"}


@pytest.fixture
async def described(api: Api) -> dict[str, Any]:
    """The paths of the document that clients are generated from."""
    paths: dict[str, Any] = (await api.client.get(f"{API}/openapi.json")).json()["paths"]
    return paths


@pytest.fixture
async def asset(api: Api) -> str:
    """Where an asset of anna's is asked for."""
    return f"{API}/assets/{(await api.uploaded())['asset_id']}"


async def test_1_registering_answers_as_documented(pool: Pool) -> None:
    """The status that the document promises is the one that comes."""
    async with serving(pool, open_registration=True, setup_token=(token := "a token of some length")) as api:
        answer = await api.client.post(f"{API}/auth/register", json=PERSON | {"setup_token": token})
        paths = (await api.client.get(f"{API}/openapi.json")).json()["paths"]

    assert answer.status_code == 200
    assert [status for status in paths[f"{API}/auth/register"]["post"]["responses"] if status < "300"] == ["200"]


async def test_2_what_is_there_is_documented(described: dict[str, Any]) -> None:
    """Health, web versions, the repository of an upload and of a filter, `types` and the order of lists."""
    form = described[f"{API}/assets"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    asked = {one["name"] for one in described[f"{API}/assets"]["get"]["parameters"]}

    assert {f"{API}/health", f"{API}/assets/{{asset_id}}/video/web", f"{API}/assets/{{asset_id}}/audio/web"} <= set(
        described
    )
    assert "repository_id" in form
    assert {"types", "sort_order"} <= asked


async def test_3_thumbnails_are_documented_as_what_they_are(
    api: Api, asset: str, pool: Pool, repository: Repository, described: dict[str, Any]
) -> None:
    """WebP, which is the first that the document names."""
    await thumbs.keep(pool, repository, UUID(asset.rpartition("/")[2]))

    answer = await api.client.get(f"{asset}/thumbnail")

    documented = described[f"{API}/assets/{{asset_id}}/thumbnail"]["get"]["responses"]["200"]["content"]
    assert answer.headers["content-type"] == next(iter(documented)) == "image/webp"


async def test_4_one_asset_has_the_fields_of_a_list_and_its_relations(api: Api, asset: str) -> None:
    """No raw row, and no vector of a model."""
    listed = (await api.client.get(f"{API}/assets")).json()["data"]["assets"][0]
    one = (await api.client.get(asset)).json()["data"]

    assert set(one) >= set(listed) | RELATIONS
    assert "embedding" not in one


@pytest.mark.parametrize("what", ["rating", "like", "description", "rating-and-like"])
async def test_5_what_is_said_of_nothing_is_not_found(api: Api, what: str) -> None:
    """An unknown asset is no success."""
    said: dict[str, dict[str, Any]] = {
        "rating": {"rating": 3},
        "like": {"liked": True},
        "description": {"description": "words"},
        "rating-and-like": {"rating": 3, "liked": True},
    }

    assert (await api.client.put(f"{API}/assets/{uuid4()}/{what}", json=said[what])).status_code == 404


@pytest.mark.parametrize("what", ["original", "thumbnail", "video/web", "audio/web"])
async def test_6_bytes_of_nothing_are_not_found(api: Api, what: str) -> None:
    """An unknown asset is no fault of the server."""
    assert (await api.client.get(f"{API}/assets/{uuid4()}/{what}")).status_code == 404


async def test_7_an_asset_is_put_into_an_album_without_a_body(api: Api, asset: str) -> None:
    """A position may be said and need not be."""
    album = await new_album(api)

    answer = await api.client.post(f"{API}/albums/{album}/assets/{asset.rpartition('/')[2]}")

    assert answer.status_code == 200, answer.text
    assert (await api.client.get(f"{API}/albums/{album}/assets")).json()["data"]["count"] == 1


async def test_8_the_albums_of_an_asset_need_a_sign_in(api: Api, asset: str, described: dict[str, Any]) -> None:
    """As the document says."""
    del api.client.headers["Authorization"]

    assert (await api.client.get(f"{asset}/albums")).status_code == 401
    assert described[f"{API}/assets/{{asset_id}}/albums"]["get"]["security"] == [{"token": []}]


@pytest.mark.parametrize("rating", [-1, 6, 2.5, None])
async def test_9_a_rating_out_of_its_range_is_refused(api: Api, asset: str, rating: Any) -> None:
    """With 400, and the asset stays as it is."""
    assert (await api.client.put(f"{asset}/rating", json={"rating": rating})).status_code == 400
    assert "rating" not in (await api.client.get(asset)).json()["data"]["specific_metadata"]


async def test_10_whoever_is_signed_in_has_albums(api: Api) -> None:
    """Made, listed, changed, deleted."""
    album = await new_album(api)

    changed = await api.client.put(f"{API}/albums/{album}", json={"album_name": "Winter"})
    listed = (await api.client.get(f"{API}/albums")).json()["data"]["albums"]
    deleted = await api.client.delete(f"{API}/albums/{album}")

    assert (changed.status_code, deleted.status_code) == (200, 200)
    assert [(one["album_id"], one["album_name"]) for one in listed] == [(album, "Winter")]
    assert (await api.client.get(f"{API}/albums/{album}")).status_code == 404


async def test_11_uploads_are_whose_who_sent_them(api: Api, asset: str) -> None:
    """The owner is the caller, whichever number they have."""
    me = (await api.client.get(f"{API}/auth/me")).json()["data"]["user_id"]

    assert (await api.client.get(asset)).json()["data"]["owner_id"] == me


async def test_12_a_filter_finds_what_lies_in_a_repository(api: Api, pool: Pool, repository: Repository) -> None:
    """And nothing of another one."""
    await api.uploaded()
    await placing.place_all(pool, Ingest(pool))

    here = await filtered(api, repository_id=str(repository.repository_id))
    elsewhere = await filtered(api, repository_id=str(uuid4()))

    assert (len(here), len(elsewhere)) == (1, 0)


async def test_13_an_asset_is_a_photo_a_video_or_audio(api: Api) -> None:
    """There are no documents, neither told nor taken."""
    types = (await api.client.get(f"{API}/assets/types")).json()["data"]["types"]
    asked = [
        await api.client.get(f"{API}/assets", params={"type": "DOCUMENT"}),
        await api.client.post(f"{API}/assets/filter", json={"filter": {"type": "DOCUMENT"}}),
        await api.upload(b"%PDF-1.7 a document", name="a.pdf"),
    ]

    assert types == ["PHOTO", "VIDEO", "AUDIO"]
    assert [answer.status_code for answer in asked] == [400, 400, 415]


async def test_14_strangers_neither_list_nor_delete(api: Api, asset: str, pool: Pool) -> None:
    """Without a sign-in nothing of anybody's is seen or touched."""
    del api.client.headers["Authorization"]

    answers = [await api.client.get(f"{API}/assets?owner_id=1"), await api.client.delete(asset)]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert await ask(pool, "select trashed_at from assets") == [None]


async def test_15_originals_come_from_their_own_repository(api: Api, pool: Pool, tmp_path: Any) -> None:
    """However many there are, and whichever was made last."""
    second = await given.new_repository(pool, bytes(tmp_path / "second"), is_default=False)
    contents = {None: JPEG, second.repository_id: JPEG + b"second"}

    sent = [await upload(api, content, where) for where, content in contents.items()]
    await placing.place_all(pool, Ingest(pool))

    got = [(await api.client.get(f"{API}/assets/{one}/original")).content for one in sent]
    assert got == list(contents.values())


async def new_album(api: Api) -> int:
    """An album of anna's."""
    answer = await api.client.post(f"{API}/albums", json={"album_name": "Summer"})
    album: int = answer.json()["data"]["album_id"]
    return album


async def filtered(api: Api, **wanted: Any) -> list[Any]:
    """The assets that a filter finds."""
    answer = await api.client.post(f"{API}/assets/filter", json={"filter": wanted})
    assets: list[Any] = answer.json()["data"]["assets"]
    return assets


async def upload(api: Api, content: bytes, where: UUID | None) -> str:
    """An asset in a repository; the default one, if none is said."""
    fields = {"repository_id": str(where)} if where else None
    asset: str = (await api.upload(content, fields=fields)).json()["data"]["asset_id"]
    return asset
