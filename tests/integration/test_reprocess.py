"""A person has photos read and rendered again: one at once, many behind everything else, and nobody else's."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from common import passwords
from common.bus import Bus
from common.db import Pool
from common.readings import VERSION
from common.stages import Claim, LeaseLost, Reject, Stage
from gateway import reprocess
from tests.support.gateway import Api
from tests.support.given import Repository, User, new_user
from tests.support.placing import new_asset, placed
from tests.support.rows import ask, claim, do, expire, row
from tests.support.waiting import until
from tests.support.working import working

MANY = "/api/v1/assets/reprocess"
FAIL = "state = 'failed', next_at = null, error = 'no pixels', error_class = 'permanent'"
DONE = "state = 'done', next_at = null"


async def again(api: Api, asset: UUID) -> str:
    """Ask for one; the state that the answer tells."""
    answer = await api.client.post(f"/api/v1/assets/{asset}/reprocess")
    assert answer.status_code == 200, answer.text
    data: dict[str, str] = answer.json()["data"]
    assert (data["asset_id"], bool(data["message"])) == (str(asset), True)
    return data["state"]


async def queued(api: Api, scope: str = "all", *, params: dict[str, str] | None = None, **filters: Any) -> int:
    """Ask for many; how many are queued."""
    answer = await api.client.post(MANY, json={"scope": scope, "filter": filters}, params=params or {})
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["data"]["queued"]
    return number


async def finish(pool: Pool, *, version: int = VERSION) -> None:
    """As if everything had been rendered by a reader of this version."""
    await do(pool, f"update asset_stages set {DONE}")
    await do(pool, "update assets set stored_at = now()")
    await do(pool, f"insert into asset_metadata (asset_id, version) select asset_id, {version} from assets")
    await do(
        pool,
        """
        insert into thumbnails
        select asset_id, edge, repository_id, 'p', 'image/webp', 1, 1, 1, content_hash
        from assets cross join repositories cross join unnest('{small,medium,large}'::text[]) edge
        """,
    )


@pytest.fixture
async def finished(pool: Pool, asset: UUID) -> UUID:
    """An asset of anna's with which everything is done."""
    await finish(pool)
    return asset


@pytest.mark.parametrize("before", [DONE, FAIL, f"{FAIL}, lane = 1, failures = 10"])
async def test_what_ended_is_done_again_before_what_nobody_waits_for(
    api: Api, pool: Pool, finished: UUID, before: str
) -> None:
    """Done or failed, it is due at once in the lane of what people wait for, with all its tries, and rung for."""
    await do(pool, f"update asset_stages set {before} where stage = 'render'")

    state = await again(api, finished)

    found = await claim(pool, Stage.RENDER)
    assert (state, found.asset_id, found.lane, found.failures, found.error) == ("pending", finished, 0, 0, None)
    assert (await ask(pool, "select subject from outbox order by outbox_id desc limit 1")) == ["lumilio.asset.reopened"]


async def test_what_runs_is_done_once_more_afterwards(api: Api, pool: Pool, finished: UUID) -> None:
    """A wish that comes in the middle is not lost when the work ends, and is fulfilled once."""
    await again(api, finished)
    running = await claim(pool, Stage.RENDER)

    assert await again(api, finished) == "running"
    async with running.settle(pool):
        pass
    once_more = await claim(pool, Stage.RENDER)
    async with once_more.settle(pool):
        pass

    assert once_more.epoch == running.epoch + 1
    assert (await row(pool, finished, Stage.RENDER))["state"] == "done"
    with pytest.raises(LeaseLost):
        async with running.settle(pool):
            pass


async def test_a_wish_outlives_the_failure_of_what_runs(api: Api, pool: Pool, bus: Bus, asset: UUID) -> None:
    """What was asked for meanwhile is done, whatever the work before it came to."""
    states: list[str] = []

    async def work(claimed: Claim) -> None:
        states.append((await row(pool, asset))["state"])
        if len(states) == 1:
            await do(pool, "update asset_stages set again = true where stage = 'place'")
            raise Reject("no pixels")
        async with claimed.settle(pool):
            pass

    async with working(pool, bus, work):
        await until(lambda: ask(pool, "select 1 from asset_stages where stage = 'place' and state = 'done'"))

    assert states == ["running", "running"]


async def test_a_worker_that_dies_takes_no_wish_with_it(api: Api, pool: Pool, finished: UUID) -> None:
    """The next claim sees all that was wished for before it."""
    await again(api, finished)
    await claim(pool, Stage.RENDER)
    await again(api, finished)
    await expire(pool)

    heir = await claim(pool, Stage.RENDER)
    async with heir.settle(pool):
        pass

    assert (await row(pool, finished, Stage.RENDER))["state"] == "done"


async def test_what_waits_for_its_place_gets_it_first(api: Api, pool: Pool, asset: UUID) -> None:
    """Where placing failed, that is tried again, and rendering follows it."""
    await do(pool, f"update asset_stages set {FAIL} where stage = 'place'")

    assert await again(api, asset) == "blocked"
    assert (await claim(pool, Stage.PLACE)).asset_id == asset


async def test_a_stage_that_is_not_there_is_made(api: Api, pool: Pool, finished: UUID) -> None:
    """A photo that nobody meant to render is rendered when somebody asks."""
    await do(pool, "delete from asset_stages where stage = 'render'")

    assert await again(api, finished) == "pending"


async def test_only_ones_own_can_be_asked_for(api: Api, pool: Pool, user: User, finished: UUID) -> None:
    """Somebody else's is as unknown as nobody's, one by one and among many, and stays as it is."""
    await new_user(pool, "berta", user.password, password_hash=passwords.hashed(user.password))
    await api.login("berta", user.password)

    answers = [await api.client.post(f"/api/v1/assets/{one}/reprocess") for one in (finished, uuid4())]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert await queued(api) == 0
    assert await queued(api, ids=[str(finished)]) == 0
    assert (await api.client.post(f"{MANY}?all=true", json={"scope": "all"})).status_code == 403
    assert (await row(pool, finished, Stage.RENDER))["state"] == "done"

    await do(pool, "update users set is_admin = true where username = 'berta'")
    assert await queued(api, params={"all": "true"}) == 1


async def test_many_give_way_to_a_fresh_photo(
    api: Api, pool: Pool, repository: Repository, user: User, finished: UUID
) -> None:
    """Whatever is done again in bulk, an upload that comes later is rendered first."""
    assert await queued(api) == 1
    fresh = await placed(pool, repository, user, b"\xff\xd8\xff fresh")

    claims = [await claim(pool, Stage.RENDER) for _ in range(2)]

    assert [(found.asset_id, found.lane) for found in claims] == [(fresh, 0), (finished, 1)]


async def test_asking_twice_is_asking_once(api: Api, pool: Pool, finished: UUID) -> None:
    """What is due already is neither touched nor counted, and what runs is done once more at most."""
    assert [await queued(api), await queued(api)] == [1, 0]

    await claim(pool, Stage.RENDER)

    assert [await queued(api), await queued(api)] == [1, 0]
    assert await queued(api, "missing") == await queued(api, "failed") == 0


@pytest.mark.parametrize(
    ("change", "missing", "failed"),
    [
        ("select 1", 0, 0),
        ("delete from thumbnails where size = 'large'", 1, 0),
        (f"update asset_metadata set version = {VERSION} - 1", 1, 0),
        ("delete from asset_metadata", 1, 0),
        ("delete from asset_stages where stage = 'render'", 1, 0),
        (f"update asset_stages set {FAIL} where stage = 'render'", 1, 1),
        (f"update asset_stages set {FAIL} where stage = 'place'", 1, 1),
        ("update assets set trashed_at = now(); delete from thumbnails", 0, 0),
    ],
)
async def test_each_scope_takes_what_it_names(
    api: Api, pool: Pool, finished: UUID, change: str, missing: int, failed: int
) -> None:
    """Missing is what has not all thumbnails or was read by an older version; what is in the trash is left alone."""
    for statement in change.split(";"):
        await do(pool, statement)

    assert await queued(api, "failed") == failed
    await finish_again(pool)
    for statement in change.split(";"):
        await do(pool, statement)
    assert await queued(api, "missing") == missing


async def finish_again(pool: Pool) -> None:
    await do(pool, "delete from thumbnails")
    await do(pool, "delete from asset_metadata")
    await finish(pool)


async def test_the_filters_leave_what_they_name(
    api: Api, pool: Pool, repository: Repository, user: User, finished: UUID
) -> None:
    """Each is honoured; a span begins with its start and ends before its end."""
    await do(pool, "update assets set taken_at = '2024-05-01 12:00', uploaded_at = '2024-06-01 12:00Z'")
    other = str(uuid4())
    asked: list[tuple[dict[str, Any], int]] = [
        ({"type": "PHOTO"}, 1),
        ({"type": "VIDEO"}, 0),
        ({"mime_types": ["image/png", "image/jpeg"]}, 1),
        ({"mime_types": ["image/png"]}, 0),
        ({"taken_from": "2024-05-01T12:00:00", "taken_to": "2024-05-02T00:00:00"}, 1),
        ({"taken_to": "2024-05-01T12:00:00"}, 0),
        ({"taken_from": "2024-05-01T12:00:01"}, 0),
        ({"uploaded_from": "2024-06-01T14:00:00+02:00"}, 1),
        ({"uploaded_to": "2024-06-01T12:00:00Z"}, 0),
        ({"repository_id": str(repository.repository_id)}, 1),
        ({"repository_id": other}, 0),
        ({"ids": [str(finished), other]}, 1),
        ({"ids": [other]}, 0),
        ({"ids": []}, 0),
    ]
    for filters, number in asked:
        assert await queued(api, **filters) == number, filters
        await do(pool, f"update asset_stages set {DONE}")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"scope": "everything"},
        {"scope": "all", "filter": {"repository": "x"}},
        {"scope": "all", "filters": {}},
        {"scope": "all", "filter": {"taken_from": "2024-05-01T12:00:00Z"}},
        {"scope": "all", "filter": {"uploaded_from": "2024-05-01T12:00:00"}},
        {"scope": "all", "filter": {"ids": [str(uuid4())] * 10_001}},
    ],
)
async def test_what_is_not_understood_processes_nothing(api: Api, pool: Pool, finished: UUID, body: object) -> None:
    """A filter that is misspelt would leave out nothing, so it is refused."""
    assert (await api.client.post(MANY, json=body)).status_code == 400
    assert (await row(pool, finished, Stage.RENDER))["state"] == "done"


async def test_very_many_are_asked_for_part_by_part(
    api: Api, pool: Pool, repository: Repository, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, each statement is short, and an answer that has to end early says how to go on."""
    for number in range(7):
        await new_asset(pool, repository, user, number)
    await finish(pool)
    monkeypatch.setattr(reprocess, "BATCH", 2)
    monkeypatch.setattr(reprocess, "PATIENCE_SECONDS", -1)
    body: dict[str, Any] = {"scope": "all"}
    found = []
    while True:
        data = (await api.client.post(MANY, json=body)).json()["data"]
        found.append(data["queued"])
        if "next" not in data:
            break
        body["after"] = data["next"]

    assert found == [2, 2, 2, 1, 0]
    assert await ask(pool, "select distinct state || ' ' || lane from asset_stages where stage = 'render'") == [
        "pending 1"
    ]
