"""What a person sees of a video or a recording while a version for browsers is made, and when that failed."""

from typing import Any
from uuid import UUID

import pytest

from common import queries
from common.db import Pool
from common.queries import Progress
from common.stages import Stage
from tests.support import playing
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask, claim, do, row

HALF = {"percent": 50.0, "speed": 4.2, "seconds_left": 600.0}
FREE = "next_at = null, lease_until = null"
FAIL = f"state = 'failed', {FREE}, error = 'no pixels', error_class = 'permanent'"


@pytest.fixture
async def film(pool: Pool, repository: Repository, user: User) -> UUID:
    """A film of anna's that can be shown; whether it needs a version for browsers is still to be found out."""
    asset = await playing.stored(pool, repository, user, "video/x-matroska")
    await playing.rendered(pool, asset, "pending")
    return asset


async def half_way(pool: Pool, film: UUID) -> None:
    """Half of the film is done."""
    running = await claim(pool, Stage.TRANSCODE)
    async with pool.connection() as conn:
        told = Progress(**HALF)
        await queries.report(conn, film, Stage.TRANSCODE, epoch=running.epoch, progress=told)


async def detail(api: Api, asset: UUID) -> dict[str, Any]:
    """All that is told of one."""
    found: dict[str, Any] = (await api.client.get(f"/api/v1/assets/{asset}")).json()["data"]
    return found


async def transcode_of(api: Api, asset: UUID) -> dict[str, Any]:
    """The stage in the detail."""
    found: list[dict[str, Any]] = (await detail(api, asset))["stages"]
    return next(one for one in found if one["stage"] == "transcode")


async def test_progress_is_told_while_it_runs_and_not_after(api: Api, pool: Pool, film: UUID) -> None:
    """Percent, speed and time left, with the asset and in the list of work; of what ended or waits nothing."""
    before = await transcode_of(api, film)
    await half_way(pool, film)

    running = await transcode_of(api, film)
    (work,) = (await api.client.get("/api/v1/stages")).json()["data"]["stages"]

    assert (before["state"], before.get("progress")) == ("pending", None)
    assert (running["state"], running["progress"]) == ("running", HALF)
    assert (work["stage"], work["progress"]) == ("transcode", HALF)
    for ended in (f"state = 'done', {FREE}", FAIL, "state = 'pending', next_at = now(), lease_until = null"):
        await do(pool, f"update asset_stages set {ended} where stage = 'transcode'")
        assert (await transcode_of(api, film)).get("progress") is None
        assert {one["progress"] for one in (await api.client.get("/api/v1/stages")).json()["data"]["stages"]} <= {None}


async def test_hours_of_transcoding_hold_nothing_up(api: Api, pool: Pool, film: UUID) -> None:
    """The asset can be shown and the upload is ready, whatever becomes of the version for browsers."""
    for change in ("select 1", f"update asset_stages set {FAIL} where stage = 'transcode'"):
        await do(pool, change)
        assert (await detail(api, film))["status"] == "complete"
        uploads = (await api.client.get("/api/v1/assets/uploads")).json()["data"]["uploads"]
        assert [(one["state"], one["error"]) for one in uploads] == [("ready", None)]


async def test_a_failed_version_is_found_and_tried_again(api: Api, pool: Pool, film: UUID) -> None:
    """With its reason in the detail, in the list of work and in the summary; one request tries again."""
    await do(pool, f"update asset_stages set {FAIL} where stage = 'transcode'")

    told = await transcode_of(api, film)
    (work,) = (await api.client.get("/api/v1/stages?state=failed")).json()["data"]["stages"]
    counts = (await api.client.get("/api/v1/stages/summary")).json()["data"]["counts"]
    retried = await api.client.post(f"/api/v1/assets/{film}/stages/transcode/retry")

    assert (told["state"], told["error"]) == ("failed", "no pixels")
    assert (work["asset_id"], work["stage"], work["error"]) == (str(film), "transcode", "no pixels")
    assert [(one["stage"], one["state"], one["count"]) for one in counts] == [("transcode", "failed", 1)]
    assert retried.status_code == 200
    assert (await row(pool, film, Stage.TRANSCODE))["state"] == "pending"


async def test_the_detail_names_what_was_made_and_where_it_is(
    api: Api, pool: Pool, repository: Repository, user: User, film: UUID
) -> None:
    """Every address that it tells has an answer of the type and length that it tells."""
    recording = await playing.stored(pool, repository, user, "audio/flac", playing.ORIGINAL + b"sound")
    await playing.keep(pool, repository, film, "web", b"a film", "video/mp4")
    await playing.keep(pool, repository, film, "preview", b"a picture")
    await playing.keep(pool, repository, recording, "web", b"a sound", "audio/mpeg")
    await playing.keep(pool, repository, recording, "waveform", b"{}")
    await playing.keep(pool, repository, recording, "waveform_image", b"a curve")

    found = [made for asset in (film, recording) for made in (await detail(api, asset))["renditions"]]

    assert [made["kind"] for made in found] == ["preview", "web", "waveform", "waveform_image", "web"]
    for made in found:
        answer = await api.client.get(made["url"])
        assert (answer.status_code, answer.headers["content-type"]) == (200, made["mime_type"])
        assert len(answer.content) == made["bytes"]


async def test_a_list_tells_what_there_is_to_show(
    api: Api, pool: Pool, repository: Repository, user: User, film: UUID
) -> None:
    """A client need not ask for each asset how long it is and what can be shown of it."""
    recording = await playing.stored(pool, repository, user, "audio/flac", playing.ORIGINAL + b"sound")
    await playing.keep(pool, repository, film, "preview", b"a picture")
    await playing.keep(pool, repository, recording, "waveform", b"{}")
    await do(pool, f"insert into asset_metadata (asset_id, facts) values ('{film}', '{{\"duration\": 7200.5}}')")

    shown = {one["asset_id"]: one for one in (await api.client.get("/api/v1/assets")).json()["data"]["assets"]}

    names = ("type", "duration", "has_preview", "has_waveform", "has_motion")
    assert [shown[str(film)][name] for name in names] == ["VIDEO", 7200.5, True, False, False]
    assert [shown[str(recording)][name] for name in names] == ["AUDIO", None, False, True, False]


async def test_the_detail_tells_what_was_wished_for(api: Api, pool: Pool, film: UUID) -> None:
    """Nothing, until a person says something."""
    assert (await detail(api, film))["web_policy"] is None

    await api.client.delete(f"/api/v1/assets/{film}/transcode")

    assert (await detail(api, film))["web_policy"] == "never"
    assert await ask(pool, "select state from asset_stages where stage = 'transcode'") == ["pending"]
