"""An administrator has repositories scanned, and sees how true the catalogue is to their disks."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from common.db import Pool
from tests.support.gateway import JPEG, Api, serving
from tests.support.given import Repository, User
from tests.support.placing import placed
from tests.support.rows import ask, do
from tests.support.runs import ran, recorded

AWAY = "the repository is not there: its folder is gone; is its disk mounted?"
NONE = {"present": 0, "missing": 0, "corrupt": 0, "unread": 0, "waiting": 0, "other": 0}


@pytest.fixture
async def api(pool: Pool, repository: Repository, user: User) -> AsyncIterator[Api]:
    """A client of an administrator."""
    await do(pool, "update users set is_admin = true")
    async with serving(pool) as served:
        await served.enter(user.username)
        yield served


def url(repository: Repository, what: str) -> str:
    return f"/api/v1/repositories/{repository.repository_id}/{what}"


async def scan(api: Api, repository: Repository, **body: Any) -> httpx.Response:
    return await api.client.post(url(repository, "scan"), json=body)


async def got(api: Api, repository: Repository, what: str, **parameters: Any) -> dict[str, Any]:
    answer = await api.client.get(url(repository, what), params=parameters)
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def test_a_scan_is_a_row_and_an_event(api: Api, pool: Pool, repository: Repository, user: User) -> None:
    """Without a body all is scanned in full; the row and what rings for it are one transaction."""
    answer = await api.client.post(url(repository, "scan"))

    run = answer.json()["data"]
    assert answer.status_code == 202, answer.text
    assert run | {"requested_at": ""} == {
        "operation_id": run["operation_id"],
        "repository_id": str(repository.repository_id),
        "path": "",
        "path_encoded": "",
        "mode": "full",
        "reason": "requested",
        "state": "queued",
        "message": "it waits for its turn",
        "requested_by": user.user_id,
        "requested_at": "",
        "started_at": None,
        "ended_at": None,
        "counts": {},
        "asks": None,
        "allowed": None,
        "error": None,
    }
    assert await ask(pool, "select body - 'owner_id' from outbox where subject = 'lumilio.scan.requested'") == [
        {
            "repository_id": str(repository.repository_id),
            "folder": "",
            "operation_id": run["operation_id"],
        }
    ]


async def test_a_folder_is_named_as_text_or_by_its_bytes(api: Api, pool: Pool, repository: Repository) -> None:
    """Every name that a disk can have can be scanned, and asking twice is asking once."""
    for name in (b"100%25", b"caf\xe9", "Österreich/2019".encode()):
        os.makedirs(os.path.join(repository.root, name))

    answers = [
        (await scan(api, repository, path="100%25", mode="quick")).json()["data"],
        (await scan(api, repository, path_encoded="caf%E9")).json()["data"],
        (await scan(api, repository, path="Österreich/2019/")).json()["data"],
        (await scan(api, repository, path_encoded="%C3%96sterreich/2019")).json()["data"],
    ]

    assert [(one["path"], one["path_encoded"], one["mode"]) for one in answers] == [
        ("100%25", "100%2525", "quick"),
        ("caf\ufffd", "caf%E9", "full"),
        ("Österreich/2019", "%C3%96sterreich/2019", "full"),
        ("Österreich/2019", "%C3%96sterreich/2019", "full"),
    ]
    assert answers[2]["operation_id"] == answers[3]["operation_id"]
    assert await ask(pool, "select count(*) from sync_operations") == [3]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"path": "/etc"}, 422, "as seen from the root of its repository"),
        ({"path": "a/../.."}, 422, "may not have `.`, `..` or a zero byte"),
        ({"path_encoded": "a%00"}, 422, "may not have `.`, `..` or a zero byte"),
        ({"path": ".lumilio/trash"}, 422, "is the server's own"),
        ({"path": "nowhere"}, 422, "there is no such folder"),
        ({"path": "a.jpg"}, 422, "is a file or a link"),
        ({"path": "link"}, 422, "is a file or a link"),
        ({"path": "x" * 256}, 422, "the folder cannot be opened: File name too long"),
        ({"path": "a", "path_encoded": "a"}, 400, "not by both"),
        ({"path": "x" * 5000}, 400, "path"),
        ({"mode": "deep"}, 400, "mode"),
        ({"folder": "a"}, 400, "folder"),
        ({"accept_missing": 1, "path": "a"}, 400, "neither a path nor a `mode`"),
        ({"accept_missing": 1}, 409, "that run asks nothing"),
        ({"accept_missing": -(2**62)}, 409, "that run asks nothing"),
    ],
)
async def test_what_cannot_be_scanned_is_said(
    api: Api, pool: Pool, repository: Repository, body: dict[str, Any], status: int, told: str
) -> None:
    """Each wrong wish has one clear answer, and leaves nothing behind."""
    root = os.fsdecode(repository.root)
    with open(f"{root}/a.jpg", "wb") as file:
        file.write(JPEG)
    os.symlink("/etc", f"{root}/link")

    answer = await scan(api, repository, **body)

    assert (answer.status_code, told in answer.json()["error"]) == (status, True), answer.text
    assert await ask(pool, "select operation_id from sync_operations") == []


async def test_a_person_allows_what_a_run_asks(api: Api, pool: Pool, repository: Repository) -> None:
    """The same folder is scanned the same way, and may call as many files missing as were counted; once."""
    os.mkdir(os.path.join(repository.root, b"a"))
    old = await ran(pool, repository, "asking", folder=b"a", asks=999)
    asks = await ran(pool, repository, "asking", folder=b"a", asks=60, counts={"examples": ["a/1.jpg"]})
    told = await got(api, repository, "sync")

    stale = await scan(api, repository, accept_missing=old)
    accepted = await scan(api, repository, accept_missing=asks)
    await do(pool, "update sync_operations set state = 'done' where state = 'queued'")
    again = await scan(api, repository, accept_missing=asks)

    assert (told["asking"]["operation_id"], told["asking"]["counts"]["examples"]) == (asks, ["a/1.jpg"])
    assert "60 files are not where they were" in told["advice"][0]
    assert f"`accept_missing`: {asks}" in told["advice"][0]
    assert (stale.status_code, accepted.status_code, again.status_code) == (409, 202, 409)
    run = accepted.json()["data"]
    assert (run["path"], run["allowed"], run["state"]) == ("a", 60, "queued")
    assert (await got(api, repository, "sync"))["asking"] is None


async def test_all_of_it_is_for_administrators(api: Api, pool: Pool, repository: Repository) -> None:
    """The names of files are everybody's secrets; what does not exist is said to those who may ask."""
    asked = ["sync", "scans", "scans/1", "files?state=missing"]
    unknown = Repository(uuid4(), b"")

    assert [(await api.client.get(url(unknown, what))).status_code for what in asked] == [404] * 4
    assert (await scan(api, unknown)).status_code == 404
    await do(pool, "update users set is_admin = false")
    assert [(await api.client.get(url(repository, what))).status_code for what in asked] == [403] * 4
    assert (await scan(api, repository)).status_code == 403


async def test_a_repository_that_is_away_is_not_scanned(api: Api, pool: Pool, repository: Repository) -> None:
    """Whoever asks hears that it is an outage, also in its state."""
    os.rename(repository.root, repository.root + b".away")

    answer = await scan(api, repository)
    told = await got(api, repository, "sync")

    assert (answer.status_code, answer.json()["error"]) == (503, AWAY)
    assert (told["state"], told["reason"]) == ("offline", AWAY)
    assert "nothing of the repository is called missing" in told["advice"][0]


async def test_files_are_counted_by_what_became_of_them(
    api: Api, pool: Pool, repository: Repository, user: User
) -> None:
    """An administrator sees what is present, what is not, what is still to be done, and what is wrong for long."""
    asset = await placed(pool, repository, user, JPEG)
    await do(pool, "update file_records set state = 'missing', missing_since = now()")
    await do(pool, "update assets set missing_since = now()")
    now = datetime.now(tz=UTC)
    long = {"missing_since": now - timedelta(days=2), "missed": 3}
    await recorded(pool, repository, b"a.jpg")
    await recorded(pool, repository, b"b.jpg", read_after=now)
    await recorded(pool, repository, b"c.jpg", "found", read_after=now, trouble="it may not be read")
    await recorded(pool, repository, b"d.jpg", "found")
    await recorded(pool, repository, b"e.txt", "other")
    await recorded(pool, repository, b"f.jpg", "corrupt")
    await recorded(pool, repository, b"caf\xe9.jpg", "missing", **long)
    await do(pool, "update file_records set scrubbed_at = now() where path = 'b.jpg'")
    await do(pool, """update repositories set watched = '{"mode": "inotify", "folders": 7, "unwatched": 2, "x": 1}'""")

    told = await got(api, repository, "sync")
    missing = await got(api, repository, "files", state="missing", limit=1)
    rest = await got(api, repository, "files", state="missing", limit=1, after=missing["next"])
    unread = await got(api, repository, "files", state="unread")

    assert told["files"] == {"present": 2, "missing": 2, "corrupt": 1, "unread": 2, "waiting": 1, "other": 1}
    assert (told["state"], told["size"], told["hidden_assets"]) == ("online", 20, 1)
    assert (told["uncompared"], told["compared_since"] is not None) == (1, True)
    assert told["watched"] == {"mode": "inotify", "folders": 7, "unwatched": 2, "overflows": 0, "note": None}
    assert [alarm.split(":")[0] for alarm in told["alarms"]] == [
        "1 files have been missing for more than a day, and three scans did not find them",
        "1 files hold other bytes than their assets had, though nobody wrote them",
    ]
    assert [one.split()[0] for one in told["advice"]] == ["wait:", "`files?state=missing`"]
    assert [(one["path"], one["path_encoded"]) for one in missing["files"]] == [("caf\ufffd.jpg", "caf%E9.jpg")]
    assert [(one["asset_id"], bool(one["since"])) for one in rest["files"]] == [(str(asset), True)]
    assert [(one["path"], one["trouble"]) for one in unread["files"]] == [
        ("b.jpg", None),
        ("c.jpg", "it may not be read"),
    ]
    for state in ("corrupt", "other"):
        assert len((await got(api, repository, "files", state=state))["files"]) == 1


async def test_runs_are_told_live_and_by_the_page(api: Api, pool: Pool, repository: Repository) -> None:
    """The one at work has its counts so far, and says how much of the repository is still to be read."""
    await recorded(pool, repository, b"a.jpg", "found", read_after=datetime.now(tz=UTC))
    made = [
        await ran(pool, repository, "done", reason="daily"),
        await ran(pool, repository, "failed", reason="quick", is_quick=True),
        await ran(pool, repository, "queued", folder=b"a"),
        await ran(pool, repository, "running", counts={"files": 12, "skipped": {"hidden": 3}, "more": [1]}),
    ]

    told = await got(api, repository, "sync")
    first = await got(api, repository, "scans", limit=3)
    second = await got(api, repository, "scans", limit=3, after=first["next"])
    one = await got(api, repository, f"scans/{made[3]}")

    assert told["running"]["counts"] == {"files": 12, "skipped": {"hidden": 3}}
    assert [run["operation_id"] for run in told["waiting"]] == [made[2]]
    assert [(run["reason"], run["mode"], run["state"]) for run in told["last"]] == [
        ("quick", "quick", "failed"),
        ("daily", "full", "done"),
    ]
    assert [run["operation_id"] for run in (*first["scans"], *second["scans"])] == made[::-1]
    assert (one["left"], one["counts"]["files"]) == ({"unread": 1, "troubled": 0, "waiting": 0}, 12)
    assert (await api.client.get(url(repository, f"scans/{2**63}"))).status_code == 404


async def test_an_empty_repository_and_a_watcher_that_says_nothing(
    api: Api, pool: Pool, repository: Repository
) -> None:
    """What nobody has written is not made up, and what cannot be understood is not passed on."""
    for watched in ("null", "'no json'"):
        await do(pool, f"update repositories set watched = {watched}")

        told = await got(api, repository, "sync")

        assert (told["files"], told["watched"], told["last"], told["alarms"], told["advice"]) == (
            NONE,
            None,
            [],
            [],
            [],
        )


async def test_what_the_syncer_found_away_is_offline(api: Api, pool: Pool, repository: Repository) -> None:
    """The syncer may know more of an outage than a look at the marker tells."""
    await do(pool, "update repositories set offline_reason = 'its root is empty'")

    told = await got(api, repository, "sync")

    assert (told["state"], told["reason"]) == ("offline", "its root is empty")
