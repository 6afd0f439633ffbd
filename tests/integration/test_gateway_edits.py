"""What a person says about a photo is kept, wins over the file, and can be taken back."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.db import Pool
from tests.support import given
from tests.support.gateway import Api, serving
from tests.support.given import User
from tests.support.rows import ask, do

FACTS = """
    insert into asset_metadata (asset_id, facts)
    select asset_id, '{"title": "IMG_1", "camera_model": "X100V", "gps_latitude": 1.5, "gps_longitude": 2.5,
                       "altitude": 12, "city": "Somewhere", "keywords": ["camera"]}' from assets
"""


@pytest.fixture
async def photo(api: Api, pool: Pool) -> str:
    """The id of an uploaded photo whose file says several things, among them when it was taken."""
    asset: str = (await api.uploaded())["asset_id"]
    await do(pool, FACTS)
    await do(pool, "update assets set taken_at = '2020-01-01 10:00', taken_offset_minutes = 60")
    return asset


async def edit(api: Api, photo: str, **said: Any) -> httpx.Response:
    return await api.client.patch(f"/api/v1/assets/{photo}", json=said)


async def shown(api: Api, photo: str) -> dict[str, Any]:
    data: dict[str, Any] = (await api.client.get(f"/api/v1/assets/{photo}")).json()["data"]
    return data


async def test_what_a_person_says_wins_and_the_rest_stays(api: Api, photo: str) -> None:
    """The answer is the asset as everybody sees it from now on, and says what of it is a person's word."""
    answer = await edit(api, photo, title="Grandma's «birthday» 🎂", rating=5, tags=["Family", "Places/Paris"])

    data = answer.json()["data"]
    assert data == await shown(api, photo)
    told = data["specific_metadata"]
    assert (told["title"], told["rating"], told["camera_model"]) == ("Grandma's «birthday» 🎂", 5, "X100V")
    assert told["keywords"] == ["Family", "Places/Paris"]
    assert data["edited"] == ["rating", "tags", "title"]


async def test_an_edited_time_moves_the_photo_in_the_timeline(api: Api, photo: str, pool: Pool) -> None:
    """The person's clock counts, with the offset that the file knows unless the person says another one."""
    await edit(api, photo, taken_time="1999-12-31T23:59:00")

    assert (await shown(api, photo))["taken_time"] == "1999-12-31T23:59:00+01:00"
    assert await ask(pool, "select sort_at::text from assets") == ["1999-12-31 23:59:00"]
    assert (await edit(api, photo, offset_minutes=None)).json()["data"]["taken_time"] == "1999-12-31T23:59:00"
    back = await edit(api, photo, reset=["taken_time", "offset_minutes"])
    assert back.json()["data"]["taken_time"] == "2020-01-01T10:00:00+01:00"
    assert await ask(pool, "select sort_at::text from assets") == ["2020-01-01 10:00:00"]


async def test_an_edited_position_hides_what_the_file_says_of_its_own(api: Api, photo: str, pool: Pool) -> None:
    """Neither the old town nor the old altitude is told of the new place, which is told once it is known."""
    answer = await edit(api, photo, gps_latitude=48.85, gps_longitude=2.35)

    told = answer.json()["data"]["specific_metadata"]
    assert (told["gps_latitude"], told["gps_longitude"], "city" in told, "altitude" in told) == (
        *(48.85, 2.35),
        *(False, False),
    )
    await do(pool, """update asset_metadata set edited_place = '{"city": "Paris"}'""")
    assert (await shown(api, photo))["specific_metadata"]["city"] == "Paris"
    nowhere = await edit(api, photo, gps_latitude=None, gps_longitude=None)
    assert {"gps_latitude", "gps_longitude", "city"}.isdisjoint(nowhere.json()["data"]["specific_metadata"])
    back = await edit(api, photo, reset=["gps_latitude", "gps_longitude"])
    assert back.json()["data"]["specific_metadata"]["city"] == "Somewhere"


async def test_an_edit_makes_the_sidecar_due_and_is_announced(api: Api, photo: str, pool: Pool) -> None:
    """Also when it is done, failed or being written: somebody waits for it, and what runs is done again."""
    await edit(api, photo, rating=1)
    for state in ("done", "failed"):
        await do(
            pool,
            f"update asset_stages set state = '{state}', next_at = null, error = 'no' where stage = 'sidecar'",
        )
        await edit(api, photo, rating=2)
        assert await ask(pool, "select state, lane, error from asset_stages where stage = 'sidecar'") == [
            ("pending", 0, None)
        ]
    await do(
        pool, "update asset_stages set state = 'running', lease_until = now() + interval '1 h' where stage = 'sidecar'"
    )

    await edit(api, photo, rating=3)

    assert await ask(pool, "select state, again from asset_stages where stage = 'sidecar'") == [("running", True)]
    assert await ask(pool, "select count(*) from outbox where subject = 'lumilio.asset.updated'") == [4]


async def test_the_documented_ways_to_rate_and_describe(api: Api, photo: str) -> None:
    """They answer with a message and do the same."""
    rated = await api.client.put(f"/api/v1/assets/{photo}/rating", json={"rating": 4})
    described = await api.client.put(f"/api/v1/assets/{photo}/description", json={"description": "好 ]]> <b>"})

    assert (rated.status_code, described.status_code) == (200, 200)
    assert rated.json()["data"]["message"]
    told = (await shown(api, photo))["specific_metadata"]
    assert (told["rating"], told["description"]) == (4, "好 ]]> <b>")


@pytest.mark.parametrize(
    "said",
    [
        {"rating": 6},
        {"rating": -1},
        {"title": "x" * 4001},
        {"tags": ["x"] * 1001},
        {"tags": None},
        {"taken_time": "2020-01-01T10:00:00Z"},
        {"taken_time": "yesterday"},
        {"offset_minutes": 900},
        {"gps_latitude": 1},
        {"gps_latitude": None, "gps_longitude": 1},
        {"gps_latitude": 91, "gps_longitude": 0},
        {"reset": ["gps_latitude"]},
        {"reset": ["everything"]},
        {"reset": ["title"], "title": "x"},
        {"stars": 5},
        {},
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused_whole(api: Api, photo: str, pool: Pool, said: dict[str, Any]) -> None:
    """One clear error, and nothing of it is kept."""
    answer = await edit(api, photo, **({"description": "kept?"} | said if said else said))

    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert answer.json()["error"]
    assert await ask(pool, "select edits from asset_metadata") == [{}]
    for body in ({"rating": 6}, {"rating": None}, {}):
        assert (await api.client.put(f"/api/v1/assets/{photo}/rating", json=body)).status_code == 400


async def test_texts_are_kept_without_what_nobody_sees(api: Api, photo: str) -> None:
    """No control character gets further; a text or tag of nothing else is none."""
    said = {"title": " a\x00b\x1b[31m\u202ec\r\n ", "description": "\x00 ", "tags": ["a | b", " /x//", "\x07", "x"]}

    answer = await edit(api, photo, **said)

    told = answer.json()["data"]["specific_metadata"]
    assert (told["title"], told["keywords"], "description" in told) == ("ab[31mc", ["a/b", "x"], False)


async def test_nobody_edits_what_is_not_theirs(api: Api, photo: str, pool: Pool, user: User) -> None:
    """A foreign asset is answered like one that does not exist, and stays as it is."""
    (known,) = await ask(pool, "select password_hash from users where username = 'anna'")
    other = await given.new_user(pool, "berta", user.password, password_hash=known)
    async with serving(pool) as served:
        await served.enter(other.username)
        foreign = [await edit(served, photo, title="mine"), await edit(served, str(uuid4()), title="mine")]
        for way, body in (("rating", {"rating": 1}), ("description", {"description": "mine"})):
            foreign.append(await served.client.put(f"/api/v1/assets/{photo}/{way}", json=body))

    assert [answer.status_code for answer in foreign] == [404] * 4
    assert foreign[0].json()["error"].replace(photo, "") == foreign[1].json()["error"][: -len(photo)]
    assert await ask(pool, "select edits from asset_metadata") == [{}]
    assert await ask(pool, "select 1 from asset_stages where stage = 'sidecar'") == []


async def test_a_sidecar_that_is_due_does_not_keep_a_photo_from_being_complete(
    api: Api, photo: str, pool: Pool
) -> None:
    """Whether it can be shown has nothing to do with what is written beside it; the stage says how far that is."""
    await do(pool, "update asset_stages set state = 'done', next_at = null")
    await do(
        pool,
        """
        insert into file_records (repository_id, path, display_name, asset_id, size, modified_ns, inode)
        select repository_id, 'inbox/p.jpg', file_name, asset_id, size, 0, 0 from uploads
        """,
    )

    data = (await edit(api, photo, rating=3)).json()["data"]

    assert data["status"] == "complete"
    assert [stage for stage in data["stages"] if stage["stage"] == "sidecar"] == [
        {"stage": "sidecar", "state": "pending", "error": None}
    ]
