"""Videos and recordings as browsers play them: the right bytes, whichever there are, and words where there are none."""

from typing import NamedTuple
from uuid import UUID

import pytest
from blake3 import blake3

from common.db import Pool
from tests.support import playing
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.playing import ORIGINAL
from tests.support.rows import ask, do

MADE = bytes(range(256)) * 40
ETAG = f'"{blake3(MADE).hexdigest()}"'
FAIL = "update asset_stages set state = 'failed', next_at = null, error = 'no pictures' where stage = 'render'"


class Route(NamedTuple):
    """A route, the type of what it is for, and which rendition it serves, of which type."""

    path: str
    of: str
    kind: str
    mime: str


ROUTES = {
    "video": Route("video/web", "video/quicktime", "web", "video/mp4"),
    "audio": Route("audio/web", "audio/flac", "web", "audio/mpeg"),
    "preview": Route("preview", "video/mp4", "preview", "image/webp"),
    "waveform": Route("waveform", "audio/flac", "waveform", "application/json"),
    "picture": Route("waveform?format=png", "audio/flac", "waveform_image", "image/png"),
}
WEB = ("video", "audio")
SMALL = ("preview", "waveform", "picture")


class Given(NamedTuple):
    """An asset, and where a route of it is asked for."""

    asset: UUID
    url: str
    route: Route


@pytest.fixture
async def given(request: pytest.FixtureRequest, api: Api, pool: Pool, repository: Repository, user: User) -> Given:
    """An asset of the type that the route is for, of which nothing was made yet."""
    route = ROUTES[request.param]
    asset = await playing.stored(pool, repository, user, route.of)
    return Given(asset, f"/api/v1/assets/{asset}/{route.path}", route)


def of(*names: str) -> pytest.MarkDecorator:
    """A test for each of these routes."""
    return pytest.mark.parametrize("given", names or ROUTES, indirect=True)


@of()
async def test_what_was_made_is_served_whole_and_in_part(
    api: Api, pool: Pool, repository: Repository, given: Given
) -> None:
    """With its own type, hash and conditions, under headers that make it harmless."""
    await playing.keep(pool, repository, given.asset, given.route.kind, MADE, given.route.mime)

    whole = await api.client.get(given.url)
    head = await api.client.head(given.url)
    part = await api.client.get(given.url, headers={"Range": "bytes=10-19"})
    same = await api.client.get(given.url, headers={"If-None-Match": ETAG})
    going_on = await api.client.get(given.url, headers={"Range": "bytes=5-", "If-Range": ETAG})
    of_another = await api.client.get(given.url, headers={"Range": "bytes=5-", "If-Range": '"other"'})
    beyond = await api.client.get(given.url, headers={"Range": "bytes=99999-"})

    assert (whole.status_code, whole.content, whole.headers["etag"]) == (200, MADE, ETAG)
    assert whole.headers["content-type"] == given.route.mime
    loads = " media-src 'self';" if given.route.mime.startswith(("video/", "audio/")) else ""  # a page around itself
    assert whole.headers["content-security-policy"] == f"default-src 'none';{loads} sandbox"
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(MADE)))
    assert (part.status_code, part.content) == (206, MADE[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(MADE)}"
    assert (same.status_code, same.content) == (304, b"")
    assert (going_on.status_code, going_on.content) == (206, MADE[5:])
    assert (of_another.status_code, of_another.content) == (200, MADE)
    assert beyond.status_code == 416


@of()
async def test_whatever_is_saved_has_the_name_of_its_original(
    api: Api, pool: Pool, repository: Repository, given: Given
) -> None:
    """With the ending of what it is, which programs need; JSON is nobody's file."""
    await playing.keep(pool, repository, given.asset, given.route.kind, MADE, given.route.mime)
    names = {"video/mp4": "summer.mp4", "audio/mpeg": "summer.mp3", "image/webp": "summer.webp"}
    name = (names | {"image/png": "summer.png"}).get(given.route.mime)

    said = (await api.client.get(given.url)).headers.get("content-disposition")

    assert said == (f"inline; filename=\"{name}\"; filename*=UTF-8''{name}" if name else None)


@of(*WEB)
async def test_the_original_is_played_until_there_is_a_web_version(
    api: Api, pool: Pool, repository: Repository, given: Given
) -> None:
    """It is asked for anew each time, so that a player has the version for browsers as soon as there is one."""
    before = await api.client.get(given.url)
    again = await api.client.get(given.url, headers={"If-None-Match": before.headers["etag"]})
    part = await api.client.get(given.url, headers={"Range": "bytes=2-5"})
    await playing.keep(pool, repository, given.asset, "web", MADE, given.route.mime)
    after = await api.client.get(given.url, headers={"If-None-Match": before.headers["etag"]})
    going_on = await api.client.get(given.url, headers={"Range": "bytes=5-", "If-Range": before.headers["etag"]})

    assert (before.status_code, before.content) == (200, ORIGINAL)
    assert (before.headers["content-type"], again.status_code) == (given.route.of, 304)
    assert {one.headers["cache-control"] for one in (before, again, part)} == {"private, no-cache"}
    assert (part.status_code, part.content) == (206, ORIGINAL[2:6])
    assert (after.status_code, after.content) == (200, MADE)
    assert (going_on.status_code, going_on.content) == (200, MADE)
    assert after.headers["cache-control"] == "private, max-age=86400, must-revalidate"


@of()
async def test_each_route_is_for_one_kind_of_asset(
    api: Api, pool: Pool, repository: Repository, user: User, given: Given
) -> None:
    """A photo, or a recording where a video is asked for, is told so; it will not be one later."""
    other = "audio/mpeg" if given.route.of.startswith("video") else "video/mp4"
    for mime, called in {"image/jpeg": "a photo", other: "a recording" if other == "audio/mpeg" else "a video"}.items():
        asset = await playing.stored(pool, repository, user, mime, ORIGINAL + mime.encode())
        answer = await api.client.get(given.url.replace(str(given.asset), str(asset)))
        assert (answer.status_code, answer.headers.get("retry-after")) == (400, None)
        assert f"it is {called}" in answer.json()["error"]


@of(*SMALL)
async def test_what_is_not_made_yet_will_be(api: Api, given: Given) -> None:
    """The client is told to ask again, and when."""
    answer = await api.client.get(given.url)

    assert (answer.status_code, answer.json()["message"]) == (404, "not ready yet, try again")
    assert answer.headers["retry-after"] == "2"
    assert "is being made" in answer.json()["error"]


@of(*SMALL)
@pytest.mark.parametrize("failed", [True, False])
async def test_what_never_will_be_says_why(api: Api, pool: Pool, given: Given, failed: bool) -> None:
    """By the reason of the failure where there is one; asking again is of no use."""
    await playing.rendered(pool, given.asset)
    await do(pool, FAIL if failed else "select 1")

    answer = await api.client.get(given.url)

    assert (answer.status_code, answer.headers.get("retry-after")) == (404, None)
    assert ("no pictures" if failed else "was made of it") in answer.json()["error"]


@of("audio")
async def test_a_recording_without_a_cover_says_so(api: Api, pool: Pool, given: Given) -> None:
    """Before it was looked at nobody knows yet; a failure is told as such."""
    url = f"/api/v1/assets/{given.asset}/thumbnail"
    before = await api.client.get(url)
    await playing.rendered(pool, given.asset)
    after = await api.client.get(url)
    await do(pool, FAIL)
    failed = await api.client.get(url)

    assert (before.status_code, before.headers["retry-after"]) == (404, "2")
    assert (after.status_code, after.headers.get("retry-after")) == (404, None)
    assert "no cover picture" in after.json()["error"]
    assert "no pictures" in failed.json()["error"]


@of(*SMALL)
@pytest.mark.parametrize("missing", [True, False])
async def test_a_damaged_file_is_rendered_again(
    api: Api, pool: Pool, repository: Repository, given: Given, missing: bool
) -> None:
    """The words are of what is missing, and nothing but its own stage is due once more."""
    path = await playing.keep(pool, repository, given.asset, given.route.kind, MADE)
    await playing.rendered(pool, given.asset)
    path.unlink() if missing else path.write_bytes(MADE[:9])

    answer = await api.client.get(given.url)

    what = "preview" if given.route.kind == "preview" else "waveform"
    assert (answer.status_code, answer.headers["retry-after"]) == (404, "2")
    assert answer.json()["error"] == f"the {what} is damaged on the disk and is being made again"
    assert await playing.stages(pool) == {"place": "done", "render": "pending", "transcode": "done"}


@of()
async def test_what_is_damaged_and_cannot_be_made_again_says_so(
    api: Api, pool: Pool, repository: Repository, given: Given
) -> None:
    """Nobody is asked to come back for what has failed meanwhile; the original is played all the same."""
    path = await playing.keep(pool, repository, given.asset, given.route.kind, MADE, given.route.mime)
    await playing.rendered(pool, given.asset)
    await do(pool, FAIL.replace("'render'", "'transcode'") if given.route.kind == "web" else FAIL)
    path.unlink()

    answer = await api.client.get(given.url)

    if given.route.kind == "web":
        assert (answer.status_code, answer.content) == (200, ORIGINAL)
    else:
        assert (answer.status_code, answer.headers.get("retry-after")) == (404, None)
        assert "making it again failed: no pictures" in answer.json()["error"]
    assert "pending" not in (await playing.stages(pool)).values()


@of(*WEB)
@pytest.mark.parametrize("missing", [True, False])
async def test_a_damaged_web_version_is_made_again_while_the_original_plays(
    api: Api, pool: Pool, repository: Repository, given: Given, missing: bool
) -> None:
    """Nothing says that there is one, or the stage would keep it; only that stage is due once more."""
    path = await playing.keep(pool, repository, given.asset, "web", MADE, given.route.mime)
    await playing.rendered(pool, given.asset)
    path.unlink() if missing else path.write_bytes(MADE[:9])

    answers = [await api.client.get(given.url) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, ORIGINAL)] * 2
    assert {answer.headers["cache-control"] for answer in answers} == {"private, no-cache"}
    assert await playing.stages(pool) == {"place": "done", "render": "done", "transcode": "pending"}
    assert await ask(pool, "select count(*) from renditions") == [0]


@of()
async def test_a_repository_that_is_away_loses_nothing(
    api: Api, pool: Pool, repository: Repository, given: Given
) -> None:
    """Its files are not taken for damaged ones: that would make all of them again."""
    await playing.keep(pool, repository, given.asset, given.route.kind, MADE, given.route.mime)
    await playing.rendered(pool, given.asset)
    await do(pool, "update repositories set root = root || '.gone'::bytea")

    answer = await api.client.get(given.url)

    assert (answer.status_code, answer.json()["message"]) == (503, "the repository is offline")
    assert await playing.stages(pool) == {"place": "done", "render": "done", "transcode": "done"}
    assert await ask(pool, "select count(*) from renditions") == [1]


async def test_a_waveform_has_two_shapes(api: Api) -> None:
    """Another one is refused by the name that the client gave."""
    asset = (await api.uploaded())["asset_id"]

    answer = await api.client.get(f"/api/v1/assets/{asset}/waveform?format=svg")

    assert answer.status_code == 400
    assert answer.json()["error"].startswith("format: ")


async def test_the_description_says_what_each_route_is_for(api: Api) -> None:
    """Whoever generates a client reads a sentence for each."""
    paths = (await api.client.get("/api/v1/openapi.json")).json()["paths"]

    for route in ("video/web", "audio/web", "preview", "waveform", "motion"):
        assert len(paths[f"/api/v1/assets/{{asset_id}}/{route}"]["get"]["description"]) > 20
