"""Videos and recordings processed again: rendered, or only looked at for what browsers play."""

from uuid import UUID

import pytest

from common import queries as core
from common.db import Pool
from common.readings import VERSION
from common.stages import Stage
from tests.support import playing
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask, claim, do, row

MANY = "/api/v1/assets/reprocess"
FAIL = "state = 'failed', next_at = null, error = 'no pixels', error_class = 'permanent'"
BEFORE = {
    "done": "select 1",
    "failed": f"update asset_stages set {FAIL} where stage = 'transcode'",
    "none": "delete from asset_stages where stage = 'transcode'",
    "due": "update asset_stages set state = 'pending', next_at = now() where stage = 'transcode'",
}


async def queued(api: Api, scope: str, **filters: str) -> int:
    """Ask for many; how many are queued."""
    answer = await api.client.post(MANY, json={"scope": scope, "filter": filters})
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["data"]["queued"]
    return number


@pytest.fixture
async def recording(pool: Pool, repository: Repository, user: User) -> UUID:
    """A recording of anna's, without a cover, with which everything is done."""
    asset = await playing.stored(pool, repository, user, "audio/flac")
    await playing.rendered(pool, asset)
    await do(pool, f"insert into asset_metadata (asset_id, version) values ('{asset}', {VERSION})")
    return asset


async def test_a_recording_without_a_cover_lacks_nothing(api: Api, pool: Pool, recording: UUID) -> None:
    """It has no thumbnails, and never will; it is missing when an older version read it."""
    assert await queued(api, "missing") == 0

    await do(pool, f"update asset_metadata set version = {VERSION} - 1")

    assert await queued(api, "missing", type="AUDIO") == 1
    assert (await claim(pool, Stage.RENDER)).asset_id == recording


async def test_a_recording_that_nobody_meant_to_render_is_rendered(api: Api, pool: Pool, recording: UUID) -> None:
    """One by one and among many, as photos are."""
    for ask_for in (lambda: queued(api, "all"), lambda: api.client.post(f"/api/v1/assets/{recording}/reprocess")):
        await do(pool, "delete from asset_stages where stage <> 'place'")
        await ask_for()
        assert (await row(pool, recording, Stage.RENDER))["state"] == "pending"


async def test_failed_versions_are_among_what_failed(api: Api, pool: Pool, recording: UUID) -> None:
    """They are tried again behind what people wait for, and nothing is rendered for it."""
    await do(pool, BEFORE["failed"])

    assert await queued(api, "failed") == 1
    assert (await claim(pool, Stage.TRANSCODE)).lane == 1
    assert (await row(pool, recording, Stage.RENDER))["state"] == "done"


@pytest.mark.parametrize(("before", "number"), [("done", 1), ("failed", 1), ("none", 1), ("due", 0)])
async def test_versions_alone_can_be_looked_at_again(
    api: Api, pool: Pool, recording: UUID, before: str, number: int
) -> None:
    """After another policy was set, without reading a single original for its thumbnails."""
    await do(pool, BEFORE[before])

    assert [await queued(api, "web"), await queued(api, "web")] == [number, 0]
    found = await claim(pool, Stage.TRANSCODE)
    assert (found.asset_id, found.lane) == (recording, 1 if number else 0)
    assert (await row(pool, recording, Stage.RENDER))["state"] == "done"


async def test_a_version_in_the_making_is_made_once_more_at_most(api: Api, pool: Pool, recording: UUID) -> None:
    """It was begun by the policy of then."""
    await do(pool, BEFORE["due"])
    await claim(pool, Stage.TRANSCODE)

    assert [await queued(api, "web"), await queued(api, "web")] == [1, 0]
    assert await ask(pool, "select again from asset_stages where stage = 'transcode'") == [True]


async def test_photos_and_what_is_not_rendered_yet_have_no_versions(
    api: Api, pool: Pool, repository: Repository, user: User
) -> None:
    """A photo needs none, and a rendering that is to come hands on by itself."""
    await playing.stored(pool, repository, user, "video/mp4")
    photo = await playing.stored(pool, repository, user, "image/jpeg", playing.ORIGINAL + b"photo")
    await playing.rendered(pool, photo, None)

    assert await queued(api, "web") == 0
    assert await ask(pool, "select count(*) from asset_stages where stage = 'transcode'") == [0]


async def test_many_versions_give_way_to_a_fresh_one(api: Api, pool: Pool, recording: UUID) -> None:
    """What is rendered again in bulk hands the lane on, so that today's video is first."""
    await queued(api, "all")
    rendering = await claim(pool, Stage.RENDER)
    async with rendering.settle(pool) as conn:
        await core.follow(conn, recording, Stage.TRANSCODE, owner=rendering.owner_id, lane=rendering.lane)

    assert (await claim(pool, Stage.TRANSCODE)).lane == 1
