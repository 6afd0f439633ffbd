"""Administrators see how far models are, what is missing and what to do, and decide which space counts."""

import asyncio
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from rich.console import Console

from common import queries
from common.db import Pool
from gateway import ml
from gateway.queries.ml import KnownServer, Progress
from lumilio.following import Asking
from lumilio.ml import command
from lumilio.upload.patience import Patience
from lumilio_client.api import get_ml_status
from ml_dispatcher import filling_queries, spaces
from ml_dispatcher.filling_queries import Seen
from ml_dispatcher.tasks import Model
from tests.support.gateway import Api
from tests.support.given import Repository, User
from tests.support.meaning import many_pictured
from tests.support.rows import ask, claim, claim_next, do
from tests.support.sending import sending

SERVED: dict[str, Any] = {"is_there": True, "tasks": ["embed_image"], "slots": 4, "busy": 1}
SPACES = "select space_id, state from embedding_spaces order by space_id"


async def got(api: Api) -> dict[str, Any]:
    answer = await api.client.get("/api/v1/ml")
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def asked(api: Api, what: str, **body: Any) -> Any:
    """The answer's data, or its status when it is refused."""
    answer = await api.client.post(f"/api/v1/ml/{what}", json=body)
    return answer.json()["data"] if answer.status_code == 200 else answer.status_code


async def fill(pool: Pool, stage: str) -> None:
    async with pool.connection() as conn:
        while await filling_queries.fill(conn, stage, most=100, due=100):
            pass


@pytest.fixture
async def filled(pool: Pool, repository: Repository, user: User) -> None:
    """Ten photos, of which a model has three, one failed; another model is new, and its server away."""
    await many_pictured(pool, repository, user, 10)
    await do(pool, f"update users set is_admin = true where user_id = {user.user_id}")
    async with pool.connection() as conn:
        for name in ("old", "new"):
            await spaces.find(conn, Model(name, 8))
        found = [Seen(address="a:1", model="old", **SERVED)]
        found.append(Seen(address="b:1", is_there=False, tasks=[], model=None, slots=0, busy=0, complaint="refused"))
        await filling_queries.save_servers(conn, uuid4(), found)
    await fill(pool, "embed:1")
    for number in range(4):
        one = await claim(pool, "embed:1")
        async with pool.connection() as conn:
            if number < 3:
                await queries.settle_done(conn, one.asset_id, one.stage, epoch=one.epoch)
            else:
                await queries.settle_failed(
                    conn, one.asset_id, one.stage, epoch=one.epoch, error_class="permanent", error="no"
                )


async def test_counts_stay_what_they_are_however_they_are_added_up(
    api: Api, pool: Pool, filled: None, tmp_path: Path, user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    """Done, due and failed by stage, before and after the changes are added up; what is missing stands in words."""
    before = await got(api)
    async with pool.connection() as conn:
        assert await filling_queries.add_up(conn, limit=5) == 5
    half = await got(api)
    async with pool.connection() as conn:
        while await filling_queries.add_up(conn, limit=5):
            pass
    after = await got(api)

    for status in (before, half, after):
        first, second = status["stages"]
        assert [first[name] for name in ("total", "done", "due", "failed", "coverage_percent")] == [10, 3, 6, 1, 30.0]
        assert first["is_served"]
        assert first["per_second"] > 0
        assert first["model"] == "old"
        assert [second[name] for name in ("total", "done", "is_served")] == [10, 0, False]
        assert second["time_left"] == "it waits for a server"
    assert [space["state"] for space in after["spaces"]] == ["current", "filling"]
    said = " | ".join(after["advice"])
    assert "b:1 is not there (refused)" in said
    assert "1 failed at embed:1" in said
    assert "no server offers new, so embed:2 waits" in said
    assert "new is being filled" in said
    with sending(api.port, user, bytes(tmp_path / "photos")) as sender:
        found = await asyncio.to_thread(Asking(sender.session, Patience(Event())).ask, get_ml_status())
    command.tell(found, Console(width=120))
    assert "30.0 %" in capsys.readouterr().out


async def test_gaps_are_filled_and_failures_tried_again_when_somebody_asks(api: Api, pool: Pool, filled: None) -> None:
    """All assets are looked at anew, of one stage or of all; a stage that nobody wants is told."""
    await fill(pool, "embed:2")
    await do(pool, "delete from asset_stages where stage = 'embed:1' and state = 'pending'")
    await fill(pool, "embed:1")
    assert await ask(pool, "select count(*) from asset_stages where stage = 'embed:1'") == [4], "that walk is over"

    assert await asked(api, "backfill", stage="dreams") == 404
    assert await asked(api, "backfill", space_id=9) == 404
    assert (await asked(api, "backfill"))["stages"] == ["embed:1", "embed:2"]
    done = await asked(api, "backfill", space_id=1, retry_failed=True)
    assert (done["stages"], done["retried"]) == (["embed:1"], 1)
    await fill(pool, "embed:1")
    rows = await ask(pool, "select state, count(*) from asset_stages where stage = 'embed:1' group by 1 order by 1")
    assert rows == [("done", 3), ("pending", 7)]


async def test_a_stage_of_meaning_can_rest_as_any_other(api: Api, pool: Pool, filled: None) -> None:
    """As long as it is wanted; nothing of it is claimed meanwhile."""
    rest = {"reason": "the card is hot", "minutes": 5}
    for stage, status in (("embed:1", 200), ("embed:7", 404)):
        answer = await api.client.post(f"/api/v1/stages/{stage}/pause", json=rest)
        assert answer.status_code == status, answer.text

    assert await claim_next(pool, "embed:1") is None
    assert (await api.client.post("/api/v1/stages/embed:1/resume")).status_code == 200
    assert await claim_next(pool, "embed:1") is not None


async def test_a_person_decides_which_space_counts(api: Api, pool: Pool, filled: None) -> None:
    """One that is being filled does so at once; one that was replaced is filled again before."""
    assert await asked(api, "switch", space_id=9) == 404
    assert await asked(api, "switch", space_id=1) == 409
    assert (await asked(api, "switch", space_id=2))["state"] == "current"
    assert await ask(pool, SPACES) == [(1, "retired"), (2, "current")]
    assert await ask(pool, "select stage from inference_stages where is_wanted") == ["embed:2"]
    assert (await asked(api, "switch", space_id=1))["state"] == "filling"
    assert await ask(pool, SPACES) == [(1, "filling"), (2, "current")]


def test_time_left_is_told_as_people_say_it() -> None:
    """By the speed of the last minutes, and only while somebody works."""
    server = KnownServer(address="a:1", model=None, complaint=None, seen_at=None, **SERVED | {"tasks": ["classify"]})  # type: ignore[arg-type]

    def left(open_rows: int, lately: int, *, there: bool = True) -> str:
        counts: dict[str, int] = {"open": open_rows, "done": 5, "failed": 0, "lately": lately}
        one = Progress(stage="classify", kinds=["photo"], is_walking=False, seconds=60, **counts)
        return ml.progress(one, [], [server] if there else [], {"photo": 100}).time_left

    assert left(0, 60) == "all is done"
    assert left(30, 60) == "less than a minute"
    assert left(90, 60) == "about 2 minutes"
    assert left(3600, 60) == "about 1 hour"
    assert left(200_000, 60) == "about 2 days"
    assert left(90, 0) == "not known yet"
    assert left(90, 60, there=False) == "it waits for a server"
