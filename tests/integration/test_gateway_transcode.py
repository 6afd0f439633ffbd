"""A person has a version for browsers made or not made, and hears truly where that stands."""

from uuid import UUID

import pytest

from common import passwords, queries
from common.db import Pool
from common.queries import Progress
from common.stages import Claim, Stage
from tests.support import films, playing, transcodes
from tests.support.gateway import Api
from tests.support.given import Repository, User, new_user
from tests.support.rows import ask, claim, do, row

FAIL = "state = 'failed', next_at = null, error = 'no pixels', error_class = 'permanent'"
RANG = "select count(*) from outbox where subject = 'lumilio.transcode.requested'"


@pytest.fixture
async def video(pool: Pool, repository: Repository, user: User) -> UUID:
    """A video of anna's that is placed and still to be rendered."""
    return await playing.stored(pool, repository, user, "video/quicktime")


@pytest.fixture
async def clip(pool: Pool, video: UUID) -> UUID:
    """The same when everything is done."""
    await playing.rendered(pool, video)
    return video


async def wish(api: Api, asset: UUID, policy: str = "always") -> tuple[str, str]:
    """Ask for it; the state and the message of the answer."""
    answer = await api.client.post(f"/api/v1/assets/{asset}/transcode", json={"policy": policy})
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert (data["asset_id"], data["policy"]) == (str(asset), policy)
    return data["state"], data["message"]


async def cancel(api: Api, asset: UUID) -> tuple[str, str]:
    """Call it off."""
    data = (await api.client.delete(f"/api/v1/assets/{asset}/transcode")).json()["data"]
    assert data["policy"] == "never"
    return data["state"], data["message"]


async def heard(pool: Pool, running: Claim) -> bool | None:
    """What running work hears with its next report: whether it is to be done again."""
    async with pool.connection() as conn:
        told = Progress(percent=1)
        return await queries.report(conn, running.asset_id, running.stage, epoch=running.epoch, progress=told)


@pytest.mark.parametrize(
    "before", ["state = 'done', next_at = null", FAIL, "state = 'pending', next_at = now(), lane = 1"]
)
async def test_what_a_person_wants_goes_first(api: Api, pool: Pool, clip: UUID, before: str) -> None:
    """Whatever became of it before, it is due at once with all its tries, rung for, and remembered."""
    await do(pool, f"update asset_stages set {before} where stage = 'transcode'")

    state, message = await wish(api, clip)

    found = await claim(pool, Stage.TRANSCODE)
    assert (state, found.lane, found.failures, found.error) == ("pending", 0, 0, None)
    assert "when a worker is free" in message
    assert await ask(pool, "select web_policy from assets") == ["always"]
    assert await ask(pool, RANG) == [1]


async def test_a_video_that_an_older_version_rendered_can_have_one(api: Api, pool: Pool, video: UUID) -> None:
    """Its stage is made when somebody asks."""
    await playing.rendered(pool, video, None)

    assert (await wish(api, video, "smart"))[0] == "pending"
    assert (await claim(pool, Stage.TRANSCODE)).asset_id == video


async def test_before_the_rendering_the_wish_is_remembered(api: Api, pool: Pool, video: UUID) -> None:
    """The rendering hands on to the stage, and neither it nor the place waits behind what nobody waits for."""
    await do(pool, "update asset_stages set lane = 1")

    state, message = await wish(api, video)

    assert (state, await playing.stages(pool)) == ("blocked", {"place": "done", "render": "pending"})
    assert "thumbnails" in message
    assert (
        await ask(pool, "select web_policy, lane from assets join asset_stages using (asset_id)") == [("always", 0)] * 2
    )


async def test_what_could_not_be_rendered_is_tried_all_the_same(api: Api, pool: Pool, video: UUID) -> None:
    """Nobody hands on after a failure, so the wish itself makes the stage due."""
    await playing.rendered(pool, video, None)
    await do(pool, f"update asset_stages set {FAIL} where stage = 'render'")

    assert (await wish(api, video))[0] == "pending"


async def test_another_wish_stops_what_runs(api: Api, pool: Pool, clip: UUID) -> None:
    """The work hears of it with its next report, and is due again when it ends."""
    await wish(api, clip, "always")
    running = await claim(pool, Stage.TRANSCODE)

    state, message = await cancel(api, clip)

    told = await heard(pool, running)
    assert (state, told) == ("running", True)
    assert "is given up" in message
    async with running.settle(pool):
        pass
    assert (await row(pool, clip, Stage.TRANSCODE))["state"] == "pending"


@pytest.mark.parametrize("policy", ["always", "never"])
async def test_asking_again_for_what_runs_changes_nothing(api: Api, pool: Pool, clip: UUID, policy: str) -> None:
    """An hour of work is not thrown away because somebody pressed a button twice."""
    await wish(api, clip, policy)
    running = await claim(pool, Stage.TRANSCODE)

    state, message = await wish(api, clip, policy)

    told = await heard(pool, running)
    assert (state, told) == ("running", False)
    assert ("given up" in message) == (policy == "never")


async def test_a_wish_after_another_counts_though_the_first_is_not_heard_yet(api: Api, pool: Pool, clip: UUID) -> None:
    """Whatever was wished meanwhile, the work is done once more, by the last wish."""
    await wish(api, clip, "smart")
    await claim(pool, Stage.TRANSCODE)
    for policy in ("never", "always", "always"):
        assert (await wish(api, clip, policy))[0] == "running"

    assert await ask(
        pool, "select web_policy, again from assets join asset_stages using (asset_id) where stage = 'transcode'"
    ) == [("always", True)]


async def test_a_paused_stage_is_no_promise(api: Api, pool: Pool, clip: UUID, user: User) -> None:
    """Whoever asks hears why nothing happens, whether one is wished for or called off."""
    await do(
        pool,
        f"""
        insert into stage_pauses (stage, paused_by, reason, until)
        values ('transcode', {user.user_id}, 'the fan is loud', now() + interval '1 hour')
        """,
    )

    started, called_off = await wish(api, clip), await cancel(api, clip)

    when = "when this work is no longer paused: the fan is loud"
    assert started == ("pending", f"it starts {when}")
    assert called_off == ("pending", f"none is made, and one that was made goes {when}")


async def test_a_missing_original_is_no_promise(api: Api, pool: Pool, clip: UUID) -> None:
    """What lies nowhere cannot be read."""
    await do(pool, "update file_records set state = 'missing'")

    state, message = await wish(api, clip)

    assert state == "pending"
    assert message == "it starts when the original is back on the disk, where it is missing"


async def test_nothing_is_made_in_the_trash_but_much_can_be_called_off(api: Api, pool: Pool, clip: UUID) -> None:
    """A person throws away a film that is just being made smaller."""
    await do(pool, "update assets set trashed_at = now()")

    refused = await api.client.post(f"/api/v1/assets/{clip}/transcode", json={"policy": "always"})

    assert (refused.status_code, refused.json()["error"]) == (409, "it is in the trash: restore it first")
    assert (await cancel(api, clip))[0] == "pending"


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"policy": "often"}, 400), ({"policy": "always", "x": 1}, 400)]
)
async def test_what_is_not_understood_changes_nothing(
    api: Api, pool: Pool, clip: UUID, body: dict[str, object], status: int
) -> None:
    """There are three policies and nothing else to say."""
    assert (await api.client.post(f"/api/v1/assets/{clip}/transcode", json=body)).status_code == status
    assert await ask(pool, "select web_policy from assets") == [None]


async def test_a_photo_needs_none(api: Api, pool: Pool) -> None:
    """It is told so in words, whether one is wished for or called off."""
    asset = (await api.uploaded())["asset_id"]
    url = f"/api/v1/assets/{asset}/transcode"

    answers = [await api.client.post(url, json={"policy": "always"}), await api.client.delete(url)]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("it is a photo" in answer.json()["error"] for answer in answers)
    assert await ask(pool, "select count(*) from asset_stages where stage = 'transcode'") == [0]


async def test_nobody_else_decides(api: Api, pool: Pool, user: User, clip: UUID) -> None:
    """Somebody else's video is as unknown as nobody's, and stays as it is."""
    await new_user(pool, "berta", user.password, password_hash=passwords.hashed(user.password))
    await api.enter("berta")
    url = f"/api/v1/assets/{clip}/transcode"

    answers = [await api.client.post(url, json={"policy": "always"}), await api.client.delete(url)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert await ask(pool, "select web_policy from assets") == [None]
    assert (await playing.stages(pool))["transcode"] == "done"


async def test_a_wish_is_fulfilled_and_taken_back(api: Api, pool: Pool, repository: Repository, user: User) -> None:
    """The version is played once it is made, and the original before and after."""
    original = films.film("mkv", "mpeg4", seconds=0.5)
    asset = await playing.stored(pool, repository, user, "video/x-matroska", original)
    await playing.rendered(pool, asset)
    url = f"/api/v1/assets/{asset}/video/web"
    types = [(await api.client.get(url)).headers["content-type"]]

    async with transcodes.transcoder(pool) as transcoder:
        for policy in ("smart", "never"):
            await wish(api, asset, policy)
            await transcoder.transcode(await claim(pool, Stage.TRANSCODE))
            types.append((await api.client.get(url)).headers["content-type"])

    assert types == ["video/x-matroska", "video/mp4", "video/x-matroska"]
    assert transcodes.made(repository) == []
