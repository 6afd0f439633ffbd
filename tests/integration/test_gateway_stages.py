"""What is not done is told with its reason, tried again and paused; others' work stays theirs."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from common import passwords, retries
from common.db import Connection, Pool
from common.stage_queries import count
from common.stages import Stage
from gateway.queries.stages import State, newest
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.rows import ask, claim, claim_next, do

STAGES = "/api/v1/stages"
FAIL = "update asset_stages set state = 'failed', next_at = null, error = 'no pixels', error_class = 'permanent'"


@pytest.fixture
async def admin(pool: Pool, api: Api, user: User) -> User:
    """An administrator called berta, who has no photos; the client is hers from here on."""
    async with pool.connection() as conn:
        cursor = await conn.execute(
            """
            insert into users (username, email, password_hash, is_admin)
            values ('berta', 'berta@localhost', %s, true)
            returning user_id
            """,
            (passwords.hashed(user.password),),
        )
        found = await cursor.fetchall()
    await api.enter("berta")
    return User(found[0][0], "berta", user.password)


async def many(pool: Pool, user: User, number: int, state: str = "pending") -> None:
    """Assets with a place stage, some of which changed at the same time."""
    async with pool.connection() as conn:
        await conn.execute(
            """
            insert into assets (owner_id, content_hash, size, kind, mime_type, original_filename)
            select %s, sha256(n::text::bytea), 1, 'photo', 'image/jpeg', n || '.jpg' from generate_series(1, %s) n
            """,
            (user.user_id, number),
        )
        await conn.execute(
            """
            insert into asset_stages (asset_id, stage, owner_id, state, next_at, changed_at)
            select asset_id, 'place', owner_id, %(state)s, case when %(state)s = 'pending' then now() end,
                   now() - (row_number() over () / 3) * interval '1 minute'
            from assets
            """,
            {"state": state},
        )


async def listed(api: Api, **params: str) -> list[dict[str, Any]]:
    answer = await api.client.get(STAGES, params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["stages"]
    return found


async def test_work_that_is_not_done_is_told_with_its_reason(api: Api, asset: UUID, pool: Pool) -> None:
    """A person sees which photo, which work, how often it was tried and why it failed."""
    await do(pool, f"{FAIL}, failures = 2 where stage = 'place'")

    failed, blocked = sorted(await listed(api), key=lambda work: work["state"], reverse=True)

    assert failed.pop("changed_at") <= blocked["changed_at"]
    assert failed == {
        "asset_id": str(asset),
        "owner_id": 1,
        "file_name": "p.jpg",
        "stage": "place",
        "state": "failed",
        "lane": 0,
        "failures": 2,
        "deaths": 0,
        "error": "no pixels",
        "error_class": "permanent",
        "next_at": None,
        "progress": None,
    }
    assert (blocked["stage"], blocked["state"]) == ("render", "blocked")


async def test_the_list_can_be_narrowed(api: Api, asset: UUID, pool: Pool, repository: Repository) -> None:
    """Each filter leaves what it names."""
    await do(pool, f"{FAIL} where stage = 'place'")

    for params, expected in [
        ({"state": "failed"}, ["place"]),
        ({"state": "blocked"}, ["render"]),
        ({"state": "running"}, []),
        ({"stage": "render"}, ["render"]),
        ({"error_class": "permanent"}, ["place"]),
        ({"error_class": "poison"}, []),
        ({"repository_id": str(repository.repository_id), "state": "failed"}, ["place"]),
        ({"repository_id": str(uuid4())}, []),
    ]:
        assert [work["stage"] for work in await listed(api, **params)] == expected, params


async def test_done_work_is_not_listed(api: Api, asset: UUID, pool: Pool) -> None:
    """What is done is told with its asset; the list is of what is left."""
    await do(pool, "update asset_stages set state = 'done', next_at = null")

    assert await listed(api) == []
    assert (await api.client.get(STAGES, params={"state": "done"})).status_code == 400


async def test_pages_of_work_follow_each_other_without_gaps(api: Api, pool: Pool, user: User) -> None:
    """Following `next` gives everything once, the last change first, also where many changed at once."""
    await many(pool, user, 20)
    found: list[tuple[datetime, str]] = []
    params = {"limit": "7"}
    while True:
        data = (await api.client.get(STAGES, params=params)).json()["data"]
        found += [(work["changed_at"], work["asset_id"]) for work in data["stages"]]
        if "next" not in data:
            break
        params["after"] = data["next"]

    assert len(found) == 20
    assert found == sorted(found, reverse=True)
    assert (await api.client.get(STAGES, params={"after": "WyIyMDI2Il0="})).status_code == 400


async def test_administrators_see_everyones_work(api: Api, asset: UUID, pool: Pool, admin: User) -> None:
    """Everyone's work is listed, counted and tried again on request; their own alone otherwise."""
    await do(pool, f"{FAIL} where stage = 'place'")

    assert await listed(api) == []
    assert [work["asset_id"] for work in await listed(api, all="true", state="failed")] == [str(asset)]
    assert (await api.client.get(f"{STAGES}/summary")).json()["data"]["counts"] == []
    assert len((await api.client.get(f"{STAGES}/summary?all=true")).json()["data"]["counts"]) == 2
    assert (await api.client.post(f"{STAGES}/retry")).json()["data"]["retried"] == 0
    assert (await api.client.post(f"{STAGES}/retry?all=true")).json()["data"]["retried"] == 1


async def test_what_administrators_may_is_refused_to_others(api: Api, asset: UUID, pool: Pool) -> None:
    """Nobody sees, restarts or pauses the work of others without being an administrator."""
    answers = [
        await api.client.get(f"{STAGES}?all=true"),
        await api.client.get(f"{STAGES}/summary?all=true"),
        await api.client.post(f"{STAGES}/retry?all=true"),
        await api.client.post(f"{STAGES}/render/pause", json={"reason": "mine", "minutes": 1}),
        await api.client.post(f"{STAGES}/render/resume"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert "administrators" in answers[0].json()["error"]
    assert await ask(pool, "select stage from stage_pauses") == []


async def test_work_is_counted_by_stage_lane_and_state(api: Api, asset: UUID, pool: Pool) -> None:
    """What waits is told with how long it has waited."""
    await do(pool, "update asset_stages set next_at = now() - interval '1 hour', lane = 1 where stage = 'place'")

    data = (await api.client.get(f"{STAGES}/summary")).json()["data"]

    waiting, blocked = data["counts"]
    assert 3600 <= waiting.pop("oldest_due_seconds") < 3700
    assert waiting == {"stage": "place", "lane": 1, "state": "pending", "count": 1}
    assert blocked == {"stage": "render", "lane": 0, "state": "blocked", "count": 1, "oldest_due_seconds": None}
    assert data["pauses"] == []


async def test_one_failed_stage_is_tried_again_first(api: Api, asset: UUID, pool: Pool) -> None:
    """Somebody asked for it, so it goes to the lane of what people wait for, with all its tries."""
    await do(pool, f"{FAIL}, lane = 1, failures = 10 where stage = 'place'")

    answer = await api.client.post(f"/api/v1/assets/{asset}/stages/place/retry")

    assert (answer.status_code, answer.json()["data"]["retried"]) == (200, 1)
    assert "20 s" in answer.json()["data"]["message"]
    found = await claim(pool, Stage.PLACE)
    assert (found.asset_id, found.lane, found.failures, found.error) == (asset, 0, 0, None)


async def test_only_failed_work_can_be_tried_again(api: Api, asset: UUID, pool: Pool) -> None:
    """What waits, runs or is done is left alone, and the answer says which it is."""
    waiting = await api.client.post(f"/api/v1/assets/{asset}/stages/place/retry")
    unknown = await api.client.post(f"/api/v1/assets/{asset}/stages/dance/retry")

    assert (waiting.status_code, waiting.json()["error"]) == (
        409,
        "only what has failed can be tried again, and this is pending",
    )
    assert unknown.status_code == 404


async def test_many_retries_give_way_to_fresh_photos(api: Api, pool: Pool, user: User) -> None:
    """All failed work is due again in the bulk lane; the filters leave the rest failed."""
    await many(pool, user, 5)
    await do(pool, FAIL)

    nothing = await api.client.post(f"{STAGES}/retry?stage=render")
    answer = await api.client.post(f"{STAGES}/retry?stage=place&error_class=permanent")

    assert nothing.json()["data"] == {"retried": 0, "message": "nothing of this has failed"}
    assert answer.json()["data"]["retried"] == 5
    assert await ask(pool, "select distinct state || ' ' || lane from asset_stages") == ["pending 1"]


async def test_however_many_failed_no_statement_lasts(
    api: Api, pool: Pool, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them are tried again, a few at a time, each once: what fails again meanwhile has had its turn."""
    await many(pool, user, 7)
    await do(pool, FAIL)
    await do(
        pool,
        """
        create function fail_again() returns trigger language plpgsql as
        $$ begin new.state = 'failed'; new.next_at = null; new.error = 'again'; new.changed_at = clock_timestamp();
        return new; end $$
        """,
    )
    await do(pool, "create trigger fail_again before update on asset_stages for each row execute function fail_again()")
    monkeypatch.setattr(retries, "BATCH", 2)

    answer = await api.client.post(f"{STAGES}/retry")

    assert answer.json()["data"]["retried"] == 7
    assert await ask(pool, "select distinct error from asset_stages") == ["again"]


async def test_one_of_all_is_one(api: Api, asset: UUID, pool: Pool) -> None:
    """A single failure that is tried again with the rest is not bulk work."""
    await do(pool, f"{FAIL}, lane = 1 where stage = 'place'")

    await api.client.post(f"{STAGES}/retry")

    assert (await claim(pool, Stage.PLACE)).lane == 0


async def test_a_paused_stage_starts_nothing_until_it_is_resumed(
    api: Api, asset: UUID, pool: Pool, admin: User
) -> None:
    """The summary says who paused what, why and until when; other stages go on."""
    answer = await api.client.post(f"{STAGES}/place/pause", json={"reason": "the disk is being moved", "minutes": 30})
    paused = answer.json()["data"]["pauses"]
    held = await claim_next(pool, Stage.PLACE, seconds=9)
    resumed = (await api.client.post(f"{STAGES}/place/resume")).json()["data"]["pauses"]

    assert [(pause["stage"], pause["paused_by"], pause["reason"]) for pause in paused] == [
        ("place", "berta", "the disk is being moved")
    ]
    assert held is None
    assert resumed == []
    assert (await claim(pool, Stage.PLACE)).asset_id == asset


@pytest.mark.parametrize(
    ("stage", "body", "status"),
    [
        ("place", {"reason": "", "minutes": 1}, 400),
        ("place", {"reason": "x", "minutes": 0}, 400),
        ("place", {"reason": "x", "minutes": 7 * 24 * 60 + 1}, 400),
        ("dance", {"reason": "x", "minutes": 1}, 404),
    ],
)
async def test_a_pause_has_a_reason_an_end_and_a_stage(
    api: Api, pool: Pool, admin: User, stage: str, body: dict[str, object], status: int
) -> None:
    """Nothing rests for ever, for no reason, or that does not exist."""
    assert (await api.client.post(f"{STAGES}/{stage}/pause", json=body)).status_code == status


async def test_what_is_not_done_is_found_among_what_is(pool: Pool, user: User) -> None:
    """Neither list nor summary reads the rows of done work, however many there are."""
    await many(pool, user, 500, "done")
    await do(pool, f"{FAIL} where asset_id in (select asset_id from assets limit 30)")
    await do(pool, "analyze asset_stages")

    async with pool.connection() as conn:
        await conn.execute("set local enable_seqscan = off")  # the table is small here
        before = await rows_read(conn)
        asked: list[tuple[State | None, int | None]] = [("failed", user.user_id), (None, user.user_id), (None, None)]
        for state, owner in asked:
            found = await newest(
                conn, owner=owner, state=state, stage=None, error_class=None, repository=None, after=None, limit=100
            )
            assert len(found) == 30
            assert [counted.count for counted in await count(conn, owner=owner)] == [30]
        assert await rows_read(conn) - before < 300


async def rows_read(conn: Connection) -> int:
    """How many rows of stages this connection has read, as far as it still remembers."""
    cursor = await conn.execute(
        """
        select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
        from pg_stat_xact_user_tables
        where relname = 'asset_stages'
        """
    )
    return int((await cursor.fetchall())[0][0])
